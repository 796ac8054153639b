//! Judging a role's trust policy: does some statement allow this applicant, and none deny it?

use serde_json::Value as Json;

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
    action && principal && conditions_hold(&statement["Condition"], applicant)
}

fn conditions_hold(conditions: &Json, applicant: &Applicant<'_>) -> bool {
    let Json::Object(operators) = conditions else { return conditions.is_null() };
    operators.iter().all(|(operator, keys)| {
        let Json::Object(keys) = keys else { return false };
        keys.iter().all(|(key, wanted)| {
            let found = applicant.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            holds(operator, found.map(|(_, value)| value.as_str()), wanted)
        })
    })
}

/// One operator on one key. The claims here have one value each, so the set operators `ForAnyValue` and
/// `ForAllValues` differ only for a missing key. Operators that the lab does not know hold never.
fn holds(operator: &str, found: Option<&str>, wanted: &Json) -> bool {
    if let Some(operator) = operator.strip_prefix("ForAllValues:") {
        return found.is_none() || holds(operator, found, wanted);
    }
    if let Some(operator) = operator.strip_suffix("IfExists") {
        return found.is_none() || holds(operator, found, wanted);
    }
    let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let any = |compare: &dyn Fn(&str, &str) -> bool| {
        found.is_some_and(|found| texts(wanted).any(|wanted| compare(wanted, found)))
    };
    match operator {
        "StringEquals" => any(&|wanted, found| wanted == found),
        "StringEqualsIgnoreCase" => any(&|wanted, found| wanted.eq_ignore_ascii_case(found)),
        "StringLike" => any(&like),
        "StringNotEquals" => !any(&|wanted, found| wanted == found),
        "StringNotLike" => !any(&like),
        _ => false,
    }
}

/// IAM's patterns: `*` is any text, `?` one character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on if the text after the last star does not fit: one character later.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t + 1));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, next)) => {
                    (p, t) = (after_star, next);
                    retry = Some((after_star, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The elements of an array, or the one value in place of it.
fn each(json: &Json) -> impl Iterator<Item = &Json> {
    match json {
        Json::Array(items) => items.iter(),
        Json::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn texts(json: &Json) -> impl Iterator<Item = &str> {
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
            "Condition":{"NumericEquals":{"x":"1"}}}}"#;
        assert!(!allows(strange, &someone));
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("repo:a/*:ref:*", "repo:a/b:ref:c", true),
            ("*b", "abab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*", "ba", false),
            ("", "", true),
        ] {
            assert_eq!(like(pattern, text), fits, "{pattern} {text}");
        }
    }
}
