//! Evaluates a role's trust policy: some statement must allow the applicant, and none may deny it.

use serde_json::Value as Json;

use super::conditions;
use super::elements::{elements, strings};
use crate::services::pattern::matches;

/// A caller that wants to assume a role.
pub(crate) struct AssumeRoleRequest<'a> {
    /// `sts:AssumeRole` or `sts:AssumeRoleWithWebIdentity`.
    pub(crate) action: &'a str,
    /// The type of principal, `AWS` or `Federated`.
    pub(crate) principal_type: &'a str,
    /// The ARNs by which a policy may name the caller.
    pub(crate) principal_arns: Vec<String>,
    /// The condition keys with their values. Keys are case-insensitive.
    pub(crate) context: Vec<(String, String)>,
}

/// Returns whether the trust policy allows the applicant. A document that can't be parsed allows nobody.
pub(crate) fn allows(document: &str, applicant: &AssumeRoleRequest<'_>) -> bool {
    let Ok(policy) = serde_json::from_str::<Json>(document) else { return false };
    let applies = |effect: &str| {
        elements(&policy["Statement"]).any(|statement| {
            statement["Effect"] == effect && statement_matches(statement, applicant)
        })
    };
    applies("Allow") && !applies("Deny")
}

fn statement_matches(statement: &Json, applicant: &AssumeRoleRequest<'_>) -> bool {
    let action = strings(&statement["Action"]).any(|action| {
        matches(&action.to_ascii_lowercase(), &applicant.action.to_ascii_lowercase())
    });
    let principal = statement["Principal"] == "*"
        || strings(&statement["Principal"][applicant.principal_type])
            .any(|name| name == "*" || applicant.principal_arns.iter().any(|own| own == name));
    action && principal && conditions::all_match(&statement["Condition"], &applicant.context)
}

#[cfg(test)]
mod tests {
    use super::super::github_trust;
    use super::*;

    fn applicant(subject: &str, audience: &str) -> AssumeRoleRequest<'static> {
        let issuer = "token.actions.githubusercontent.com";
        AssumeRoleRequest {
            action: "sts:AssumeRoleWithWebIdentity",
            principal_type: "Federated",
            principal_arns: vec![format!("arn:aws:iam::123456789012:oidc-provider/{issuer}")],
            context: vec![
                (format!("{issuer}:sub"), subject.to_owned()),
                (format!("{issuer}:aud"), audience.to_owned()),
            ],
        }
    }

    #[test]
    fn subject_and_audience_decide() {
        let trust = github_trust("123456789012", "repo:acme/news:*");
        let main = "repo:acme/news:ref:refs/heads/main";
        assert!(allows(&trust, &applicant(main, "sts.amazonaws.com")));
        assert!(!allows(&trust, &applicant(main, "else")));
        assert!(!allows(&trust, &applicant("repo:acme/newsletter:x", "sts.amazonaws.com")));
        assert!(!allows(&github_trust("210987654321", "*"), &applicant(main, "sts.amazonaws.com")));
        assert!(!allows("{", &applicant(main, "sts.amazonaws.com")));
    }

    #[test]
    fn a_denial_wins_and_unknown_operators_never_hold() {
        let someone = applicant("s", "a");
        let both = r#"{"Statement":[
            {"Effect":"Allow","Principal":"*","Action":"sts:*"},
            {"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
        assert!(!allows(both, &someone));
        let strange = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*",
            "Condition":{"BinaryEquals":{"x":"1"}}}}"#;
        assert!(!allows(strange, &someone));
    }
}
