//! Conditions of policy statements: every key of every operator has to match.

use serde_json::Value as Json;

use super::elements::strings;
use crate::services::pattern::matches;

/// The condition keys of a request with their values.
pub(crate) type Context = Vec<(String, String)>;

/// Returns whether all conditions hold. Condition keys are case-insensitive.
pub(super) fn all_match(conditions: &Json, context: &Context) -> bool {
    let Json::Object(operators) = conditions else { return conditions.is_null() };
    operators.iter().all(|(operator, keys)| {
        let Json::Object(keys) = keys else { return false };
        keys.iter().all(|(key, wanted)| {
            let found = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            operator_matches(operator, found.map(|(_, value)| value.as_str()), wanted)
        })
    })
}

/// Evaluates one operator on one key. Every key here has a single value, so the set operators `ForAnyValue`
/// and `ForAllValues` differ only when the key is missing. Operators that the lab doesn't know never hold.
fn operator_matches(operator: &str, found: Option<&str>, wanted: &Json) -> bool {
    if let Some(operator) = operator.strip_prefix("ForAllValues:") {
        return found.is_none() || operator_matches(operator, found, wanted);
    }
    if let Some(operator) = operator.strip_suffix("IfExists") {
        return found.is_none() || operator_matches(operator, found, wanted);
    }
    let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let values: Vec<String> = match wanted {
        Json::Bool(_) | Json::Number(_) => vec![wanted.to_string()],
        _ => strings(wanted).map(str::to_owned).collect(),
    };
    let any = |compare: &dyn Fn(&str, &str) -> bool| {
        found.is_some_and(|found| values.iter().any(|wanted| compare(wanted, found)))
    };
    let numbers = |compare: fn(f64, f64) -> bool| {
        any(&|wanted, found| match (wanted.parse(), found.parse()) {
            (Ok(wanted), Ok(found)) => compare(found, wanted),
            _ => false,
        })
    };
    match operator {
        "StringEquals" => any(&|wanted, found| wanted == found),
        "StringEqualsIgnoreCase" => any(&|wanted, found| wanted.eq_ignore_ascii_case(found)),
        "StringNotEqualsIgnoreCase" => !any(&|wanted, found| wanted.eq_ignore_ascii_case(found)),
        "StringLike" | "ArnLike" | "ArnEquals" => any(&matches),
        "StringNotEquals" => !any(&|wanted, found| wanted == found),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(&matches),
        "Bool" => any(&|wanted, found| wanted.eq_ignore_ascii_case(found)),
        "Null" => values.iter().any(|wanted| (wanted == "true") == found.is_none()),
        "NumericEquals" => numbers(|found, wanted| found == wanted),
        "NumericNotEquals" => !numbers(|found, wanted| found == wanted),
        "NumericLessThan" => numbers(|found, wanted| found < wanted),
        "NumericLessThanEquals" => numbers(|found, wanted| found <= wanted),
        "NumericGreaterThan" => numbers(|found, wanted| found > wanted),
        "NumericGreaterThanEquals" => numbers(|found, wanted| found >= wanted),
        _ => false,
    }
}
