//! The permission policy.

use super::{CALLS, Policy, Resources, Scope, Statement, Uses};

/// The least policy of the deploy role: what `uses` make necessary, on `resources` alone.
pub fn permissions(uses: &Uses, resources: &Resources) -> Policy {
    let mut statements: Vec<Statement> = Vec::new();
    let needed = || CALLS.iter().filter(|call| uses.has(call.when));
    let mut scopes: Vec<Scope> = needed().map(|call| call.scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    for scope in scopes {
        let mut named = scope.resources(resources);
        named.sort();
        named.dedup();
        if named.is_empty() {
            continue;
        }
        let actions = needed().filter(|call| call.scope == scope);
        let actions = actions.map(|call| call.action.to_owned());
        let conditions = scope.conditions(resources);
        // What one repository is pushed to and described as is one statement.
        let same = |s: &&mut Statement| s.resources == named && s.conditions == conditions;
        match statements.iter_mut().find(same) {
            Some(statement) => statement.actions.extend(actions),
            None => statements.push(Statement {
                sid: scope.sid().to_owned(),
                actions: actions.collect(),
                resources: named,
                conditions,
                ..Statement::default()
            }),
        }
    }
    for statement in &mut statements {
        statement.actions.sort();
        statement.actions.dedup();
    }
    Policy { statements }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::iam::Use;
    use crate::iam::fixture::everything;

    fn allowed(uses: &Uses) -> Vec<String> {
        let policy = permissions(uses, &everything());
        policy.actions().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn nothing_is_printed_that_is_not_used() {
        let least = allowed(&Uses::of([]));
        for absent in ["elasticloadbalancing:", "ecr:", "cloudwatch:", "iam:", "ec2:CreateTags"] {
            assert!(least.iter().all(|action| !action.starts_with(absent)), "{absent}: {least:?}");
        }
        // Every property but the first brings something of its own.
        let all: BTreeSet<Use> = CALLS.iter().map(|call| call.when).collect();
        for one in all.into_iter().filter(|one| *one != Use::Rollout) {
            let more = permissions(&Uses::of([one]), &everything());
            assert_ne!(more, permissions(&Uses::of([]), &everything()), "{one:?}");
        }
    }

    #[test]
    fn statements_have_sids_of_their_own_and_everything_is_named() {
        let all = Uses::of(CALLS.iter().map(|call| call.when));
        let policy = permissions(&all, &everything());
        let sids: BTreeSet<&str> = policy.statements.iter().map(|s| s.sid.as_str()).collect();
        assert_eq!(sids.len(), policy.statements.len());
        let alphanumeric = |sid: &&str| sid.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(sids.iter().all(alphanumeric), "{sids:?}");
        let printed: BTreeSet<&str> = policy.actions().into_iter().collect();
        assert_eq!(printed, CALLS.iter().map(|call| call.action).collect());
        insta::assert_snapshot!(policy.pretty());
    }

    #[test]
    fn what_has_no_name_is_left_out() {
        let policy = permissions(&Uses::of([Use::InstanceProfile]), &Resources::default());
        let sids: Vec<&str> = policy.statements.iter().map(|s| s.sid.as_str()).collect();
        assert_eq!(sids, ["Read", "Ledger"]);
    }

    #[test]
    fn in_china_roles_are_passed_to_another_name() {
        let mut known = everything();
        known.dns_suffix = Resources::of("aws-cn", "cn-north-1", "1", "web").dns_suffix;
        let policy = permissions(&Uses::of([Use::InstanceProfile]), &known);
        assert!(policy.compact().contains("ec2.amazonaws.com.cn"));
    }
}
