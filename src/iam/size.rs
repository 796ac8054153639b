//! IAM's policy size quotas, and how a policy is attached within them.

use super::{Policy, Statement};

/// The maximum number of characters of all inline policies of a role together, without white space (IAM user
/// guide, "IAM and AWS STS quotas").
pub const INLINE_LIMIT: usize = 10_240;

/// The maximum number of characters of a managed policy, without white space.
pub const MANAGED_LIMIT: usize = 6_144;

/// How a policy is attached to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// As the only inline policy.
    Inline(Policy),
    /// As managed policies, because it is too long for an inline policy.
    Managed(Vec<Policy>),
}

impl Attachment {
    /// Chooses the form in which the policy fits.
    pub fn of(policy: &Policy) -> Attachment {
        if policy.compact().len() <= INLINE_LIMIT {
            return Attachment::Inline(policy.clone());
        }
        let mut parts: Vec<Policy> = Vec::new();
        for statement in policy.statements.iter().flat_map(fitting) {
            let fits = |part: &&mut Policy| {
                let mut statements = part.statements.clone();
                statements.push(statement.clone());
                Policy { statements }.compact().len() <= MANAGED_LIMIT
            };
            match parts.last_mut().filter(fits) {
                Some(part) => part.statements.push(statement),
                None => parts.push(Policy { statements: vec![statement] }),
            }
        }
        Attachment::Managed(parts)
    }
}

/// Returns the statement, split by its resources if it is too long for one policy.
fn fitting(statement: &Statement) -> Vec<Statement> {
    let alone = Policy { statements: vec![statement.clone()] };
    let half = statement.resources.len() / 2;
    if alone.compact().len() <= MANAGED_LIMIT || half == 0 {
        return vec![statement.clone()];
    }
    let (first, second) = statement.resources.split_at(half);
    let part = |resources: &[String], sid: &str| Statement {
        sid: format!("{}{sid}", statement.sid),
        resources: resources.to_vec(),
        ..statement.clone()
    };
    [part(first, "A"), part(second, "B")].iter().flat_map(fitting).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rules(number: usize) -> Policy {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2";
        Policy {
            statements: vec![Statement {
                sid: "Rules".to_owned(),
                actions: vec!["elasticloadbalancing:ModifyRule".to_owned()],
                resources: (0..number).map(|n| format!("{arn}/{n:016x}")).collect(),
                ..Statement::default()
            }],
        }
    }

    #[test]
    fn what_fits_is_inline() {
        assert!(matches!(Attachment::of(&rules(5)), Attachment::Inline(_)));
    }

    #[test]
    fn what_does_not_is_managed_and_loses_nothing() {
        let whole = rules(200);
        let Attachment::Managed(parts) = Attachment::of(&whole) else { panic!("inline") };
        assert!(parts.iter().all(|part| part.compact().len() <= MANAGED_LIMIT));
        let statements = || parts.iter().flat_map(|part| &part.statements);
        let named: Vec<&String> = statements().flat_map(|s| &s.resources).collect();
        assert_eq!(named.len(), 200);
        let sids: BTreeSet<&String> = statements().map(|s| &s.sid).collect();
        assert_eq!(sids.len(), statements().count());
    }
}
