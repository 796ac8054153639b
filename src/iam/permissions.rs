//! The permissions policy.

use super::{CALLS, Features, Policy, Resources, Scope, Statement};

/// Makes the least-privilege policy of the deploy role: the actions that `uses` need, on `resources` only.
pub fn permissions(uses: &Features, resources: &Resources) -> Policy {
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
        // Scopes with the same resources, such as pushing to and describing one repository, share a statement.
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
    use crate::iam::Feature;
    use crate::iam::fixture::everything;

    fn allowed(uses: &Features) -> Vec<String> {
        let policy = permissions(uses, &everything());
        policy.actions().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn unused_features_add_no_actions() {
        let least = allowed(&Features::of([]));
        for absent in ["elasticloadbalancing:", "ecr:", "cloudwatch:", "iam:", "ec2:CreateTags"] {
            assert!(least.iter().all(|action| !action.starts_with(absent)), "{absent}: {least:?}");
        }
        // Every feature but the first adds something.
        let all: BTreeSet<Feature> = CALLS.iter().map(|call| call.when).collect();
        for one in all.into_iter().filter(|one| *one != Feature::Rollout) {
            let more = permissions(&Features::of([one]), &everything());
            assert_ne!(more, permissions(&Features::of([]), &everything()), "{one:?}");
        }
    }

    #[test]
    fn statements_have_distinct_sids_and_contain_every_call() {
        let all = Features::of(CALLS.iter().map(|call| call.when));
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
    fn statements_without_resources_are_omitted() {
        let policy = permissions(&Features::of([Feature::InstanceProfile]), &Resources::default());
        let sids: Vec<&str> = policy.statements.iter().map(|s| s.sid.as_str()).collect();
        assert_eq!(sids, ["Read", "Ledger"]);
    }

    #[test]
    fn in_china_roles_are_passed_to_another_name() {
        let mut known = everything();
        known.dns_suffix = Resources::of("aws-cn", "cn-north-1", "1", "web").dns_suffix;
        let policy = permissions(&Features::of([Feature::InstanceProfile]), &known);
        assert!(policy.compact().contains("ec2.amazonaws.com.cn"));
    }
}
