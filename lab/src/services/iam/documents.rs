//! Policy documents: how IAM validates them, and how it returns them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use super::elements;
use crate::services::pattern::matches;
use crate::wire::{ApiError, ApiResult};

/// The characters that a returned document doesn't percent-encode (RFC 3986, as the API reference says).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The kinds of policy documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyKind {
    /// A trust policy, which says who may assume a role: it names principals and no resources.
    Trust,
    /// An identity-based policy, which says what a role may do: it names resources and no principals.
    Identity,
}

/// Percent-encodes a document, as IAM returns policies (API reference, GetRole).
pub(super) fn percent_encode(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}

/// Fails with MalformedPolicyDocument unless a document is a valid policy of this kind.
pub(super) fn check(document: &str, kind: PolicyKind) -> ApiResult<()> {
    let Ok(policy) = serde_json::from_str::<Json>(document) else {
        return Err(malformed(match kind {
            PolicyKind::Trust => "This policy contains invalid Json",
            PolicyKind::Identity => "Syntax errors in policy.",
        }));
    };
    let Json::Object(members) = &policy else {
        return Err(malformed("Syntax errors in policy."));
    };
    let known = ["Version", "Id", "Statement"];
    if members.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(malformed("Syntax errors in policy."));
    }
    if let Some(version) = members.get("Version")
        && version != "2012-10-17"
        && version != "2008-10-17"
    {
        return Err(malformed(
            "The policy must contain a valid version string: 2012-10-17 or 2008-10-17.",
        ));
    }
    let statements: Vec<&Json> = match members.get("Statement") {
        Some(Json::Array(all)) => all.iter().collect(),
        Some(one @ Json::Object(_)) => vec![one],
        _ => return Err(malformed("Missing required field Statement")),
    };
    statements.iter().try_for_each(|statement| check_statement(statement, kind))
}

fn check_statement(statement: &Json, kind: PolicyKind) -> ApiResult<()> {
    let Json::Object(members) = statement else {
        return Err(malformed("Syntax errors in policy."));
    };
    let has = |key: &str| members.contains_key(key);
    let known = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    if members.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(malformed("Syntax errors in policy."));
    }
    match members.get("Effect").and_then(Json::as_str) {
        Some("Allow" | "Deny") => {}
        Some(other) => return Err(malformed(&format!("Invalid effect: {other}"))),
        None => return Err(malformed("Missing required field Effect")),
    }
    if has("Action") == has("NotAction") {
        return Err(malformed(match kind {
            PolicyKind::Trust => "Missing required field Action",
            PolicyKind::Identity => "Policy statement must contain actions.",
        }));
    }
    match kind {
        PolicyKind::Trust => {
            if has("Resource") || has("NotResource") {
                return Err(malformed("Has prohibited field Resource"));
            }
            if has("Principal") == has("NotPrincipal") {
                return Err(malformed("Missing required field Principal"));
            }
            let actions = elements::strings(members.get("Action").unwrap_or(&Json::Null));
            let mut actions =
                actions.filter(|action| !matches("sts:*", &action.to_ascii_lowercase()));
            if has("Action") && actions.next().is_some() {
                return Err(malformed(
                    "AssumeRole policy may only specify STS AssumeRole actions.",
                ));
            }
        }
        PolicyKind::Identity => {
            if has("Principal") || has("NotPrincipal") {
                return Err(malformed("Policy document should not specify a principal."));
            }
            if has("Resource") == has("NotResource") {
                return Err(malformed("Policy statement must contain resources."));
            }
            for action in members.get("Action").into_iter().flat_map(elements::strings) {
                if action != "*" && !action.contains(':') {
                    return Err(malformed(
                        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                    ));
                }
            }
            for resource in members.get("Resource").into_iter().flat_map(elements::strings) {
                if resource != "*" && !resource.starts_with("arn:") && !resource.starts_with('*') {
                    return Err(malformed(&format!(
                        "Resource {resource} must be in ARN format or \"*\"."
                    )));
                }
            }
        }
    }
    Ok(())
}

fn malformed(message: &str) -> ApiError {
    ApiError::sender("MalformedPolicyDocument", message)
}
