//! Labels: names for versions; within a parameter, each label is on one version at a time.

use super::errors::{invalid, need, no_version, not_found};
use super::name::parameter_name;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most labels of a version (user guide).
const MOST: usize = 10;

/// `LabelParameterVersion`: labels the newest version if none is named. A label moves to its new version.
pub(super) fn label(world: &mut World, input: &Value) -> ApiResult<Value> {
    let given = need(input, "Name")?;
    let name = parameter_name(world, given).to_owned();
    let labels = labels(input)?;
    let Some(parameter) = world.ssm.parameters.get_mut(&name) else {
        return Err(not_found(given));
    };
    let newest = parameter.versions.back().map_or(1, |version| version.number);
    let number = input.int("ParameterVersion").unwrap_or(newest);
    let Some(place) = parameter.versions.iter().position(|v| v.number == number) else {
        return Err(no_version(&number.to_string(), given));
    };
    let (good, bad): (Vec<String>, Vec<String>) =
        labels.into_iter().partition(|label| is_label(label));
    let own = &parameter.versions[place].labels;
    let new = good.iter().filter(|label| !own.contains(*label)).count();
    if own.len() + new > MOST {
        return Err(ApiError::sender(
            "ParameterVersionLabelLimitExceeded",
            "An error occurred (ParameterVersionLabelLimitExceeded) when calling the LabelParameterVersion operation: A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.",
        ));
    }
    for label in good {
        for version in &mut parameter.versions {
            version.labels.remove(&label);
        }
        parameter.versions[place].labels.insert(label);
    }
    let bad = bad.into_iter().map(Into::into).collect();
    Ok(map([("InvalidLabels", Value::List(bad)), ("ParameterVersion", number.into())]))
}

/// `UnlabelParameterVersion`.
pub(super) fn unlabel(world: &mut World, input: &Value) -> ApiResult<Value> {
    let given = need(input, "Name")?;
    let name = parameter_name(world, given).to_owned();
    let labels = labels(input)?;
    let Some(parameter) = world.ssm.parameters.get_mut(&name) else {
        return Err(not_found(given));
    };
    let number = input.int("ParameterVersion").unwrap_or_default();
    let Some(version) = parameter.versions.iter_mut().find(|v| v.number == number) else {
        return Err(no_version(&number.to_string(), given));
    };
    let (mut removed, mut unknown) = (Vec::new(), Vec::new());
    for label in labels {
        let known = version.labels.remove(&label);
        if known { &mut removed } else { &mut unknown }.push(label.into());
    }
    Ok(map([("RemovedLabels", Value::List(removed)), ("InvalidLabels", Value::List(unknown))]))
}

fn labels(input: &Value) -> ApiResult<Vec<String>> {
    let labels = input.strings("Labels");
    if labels.is_empty() || labels.len() > MOST {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'labels' failed to satisfy constraint: Member must have length less than or equal to {MOST}, Member must have length greater than or equal to 1.",
            labels.join(", ")
        )));
    }
    Ok(labels)
}

/// Checks the rules for labels (API reference): they don't begin with a digit, `aws` or `ssm`.
fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let lower = label.to_ascii_lowercase();
    (1..=100).contains(&label.len())
        && label.chars().all(plain)
        && !label.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
