//! Judging a role's trust policy: does some statement allow this applicant, and none deny it?

use serde_json::Value as Json;

use super::conditions;
use crate::services::pattern::like;

/// Who wants to become a role, and how.
pub(crate) struct Applicant<'a> {
    /// `sts:AssumeRole` or `sts:AssumeRoleWithWebIdentity`.
    pub(crate) action: &'a str,
    /// The kind of principal, `AWS` or `Federated`.
    pub(crate) kind: &'a str,
    /// The ARNs under which a policy may name it.
    pub(crate) names: Vec<String>,
    /// Condition keys and their values; compared without regard to the case of the key.
    pub(crate) context: Vec<(String, String)>,
}

/// Whether the trust policy lets the applicant in. A document that cannot be read allows nobody.
pub(crate) fn allows(document: &str, applicant: &Applicant<'_>) -> bool {
    let Ok(policy) = serde_json::from_str::<Json>(document) else { return false };
    let applies = |effect: &str| {
        each(&policy["Statement"])
            .any(|statement| statement["Effect"] == effect && matches(statement, applicant))
    };
    applies("Allow") && !applies("Deny")
}

fn matches(statement: &Json, applicant: &Applicant<'_>) -> bool {
    let action = texts(&statement["Action"])
        .any(|action| like(&action.to_ascii_lowercase(), &applicant.action.to_ascii_lowercase()));
    let principal = statement["Principal"] == "*"
        || texts(&statement["Principal"][applicant.kind])
            .any(|name| name == "*" || applicant.names.iter().any(|own| own == name));
    action && principal && conditions::hold(&statement["Condition"], &applicant.context)
}

/// The elements of an array, or the one value in place of it.
pub(super) fn each(json: &Json) -> impl Iterator<Item = &Json> {
    match json {
        Json::Array(items) => items.iter(),
        Json::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

pub(super) fn texts(json: &Json) -> impl Iterator<Item = &str> {
    each(json).filter_map(Json::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::github_trust;
    use super::*;

    fn applicant(subject: &str, audience: &str) -> Applicant<'static> {
        let issuer = "token.actions.githubusercontent.com";
        Applicant {
            action: "sts:AssumeRoleWithWebIdentity",
            kind: "Federated",
            names: vec![format!("arn:aws:iam::123456789012:oidc-provider/{issuer}")],
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
