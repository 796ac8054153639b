//! Systems Manager Parameter Store. `PutParameter` without `Overwrite` creates only if absent, which makes it
//! a lock. SecureString values are stored as they are, and returned scrambled without `WithDecryption`: the
//! lab encrypts nothing.

mod errors;
mod filters;
mod labels;
mod name;
mod put;
mod read;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

use errors::{invalid, need, not_found};

/// The most parameters in a page, or in a call that names them (API model).
const PAGE_LIMIT: i64 = 10;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    parameters: BTreeMap<String, Parameter>,
}

/// One parameter and its latest versions, oldest first; there is always at least one.
#[derive(Debug, Clone)]
struct Parameter {
    kind: String,
    tier: String,
    key: Option<String>,
    data_type: String,
    versions: VecDeque<Version>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Version {
    number: i64,
    value: String,
    modified: Timestamp,
    by: String,
    description: Option<String>,
    pattern: Option<String>,
    policies: Option<String>,
    labels: BTreeSet<String>,
}

/// Returns the current value of a parameter, for tests and scenarios.
pub fn current_value<'w>(world: &'w World, name: &str) -> Option<&'w str> {
    let parameter = world.ssm.parameters.get(name)?;
    parameter.versions.back().map(|version| version.value.as_str())
}

/// Returns the names of all parameters.
pub fn leftovers(world: &World) -> Vec<String> {
    world.ssm.parameters.keys().cloned().collect()
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "PutParameter" => put::put(world, call),
        "GetParameter" => read::get(world, input),
        "GetParameters" => read::get_several(world, input),
        "GetParametersByPath" => read::get_by_path(world, input),
        "GetParameterHistory" => read::history(world, input),
        "DescribeParameters" => read::describe(world, input),
        "LabelParameterVersion" => labels::label(world, input),
        "UnlabelParameterVersion" => labels::unlabel(world, input),
        "AddTagsToResource" => tags::add(world, input),
        "RemoveTagsFromResource" => tags::remove(world, input),
        "ListTagsForResource" => tags::list(world, input),
        "DeleteParameter" => delete(world, input),
        "DeleteParameters" => delete_several(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "Name")?;
    world.ssm.parameters.remove(parameter_name(world, name)).ok_or_else(|| not_found(name))?;
    Ok(Value::Null)
}

fn delete_several(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (mut deleted, mut invalid) = (Vec::new(), Vec::new());
    for name in names(input)? {
        let known = world.ssm.parameters.remove(parameter_name(world, &name)).is_some();
        if known { &mut deleted } else { &mut invalid }.push(name.into());
    }
    Ok(map([
        ("DeletedParameters", Value::List(deleted)),
        ("InvalidParameters", Value::List(invalid)),
    ]))
}

/// Extracts the name from a name or an ARN; a name that isn't a path has no leading slash.
fn parameter_name<'n>(world: &World, text: &'n str) -> &'n str {
    let Some((_, name)) = text.split_once(":parameter").filter(|_| text.starts_with("arn:")) else {
        return text;
    };
    let plain = name.trim_start_matches('/');
    let bare = plain.split(':').next().unwrap_or_default();
    if !plain.contains('/') && world.ssm.parameters.contains_key(bare) { plain } else { name }
}

fn names(input: &Value) -> ApiResult<Vec<String>> {
    let names = input.strings("Names");
    if names.is_empty() || names.len() as i64 > PAGE_LIMIT {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must \
             have length less than or equal to {PAGE_LIMIT}, Member must have length greater than or equal to 1.",
            names.join(", ")
        )));
    }
    Ok(names)
}
