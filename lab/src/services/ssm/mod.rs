//! Systems Manager Parameter Store. `PutParameter` without `Overwrite` is create-if-absent, which makes
//! it a lock. Values of type SecureString are kept and given like the others: the lab encrypts nothing.

mod name;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// The longest value of a standard parameter, in bytes (user guide, "Managing parameter tiers").
const STANDARD_LIMIT: usize = 4096;

/// The versions kept of each parameter (user guide, "Working with parameter versions").
const VERSIONS_KEPT: usize = 100;

/// The most parameters that one page or one call by names holds (API model).
const PAGE_LIMIT: i64 = 10;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    parameters: BTreeMap<String, Parameter>,
}

/// One parameter with its latest versions, oldest first; there is always at least one.
#[derive(Debug, Clone)]
struct Parameter {
    kind: String,
    versions: VecDeque<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    number: i64,
    value: String,
    modified: Timestamp,
    by: String,
}

/// The present value of a parameter: the truth, for tests and scenarios.
pub fn parameter<'w>(world: &'w World, name: &str) -> Option<&'w str> {
    let parameter = world.ssm.parameters.get(name)?;
    parameter.versions.back().map(|version| version.value.as_str())
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    match call.operation.as_str() {
        "PutParameter" => put(world, call),
        "GetParameter" => read::get(world, &call.input),
        "GetParameters" => read::get_several(world, &call.input),
        "GetParametersByPath" => read::get_by_path(world, &call.input),
        "GetParameterHistory" => read::history(world, &call.input),
        "DescribeParameters" => read::describe(world, &call.input),
        "DeleteParameter" => delete(world, &call.input),
        "DeleteParameters" => delete_several(world, &call.input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

fn put(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    let name = need(input, "Name")?;
    name::check(name)?;
    let value = need(input, "Value")?;
    let tier = input.str("Tier").unwrap_or("Standard");
    if tier == "Standard" && value.len() > STANDARD_LIMIT {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_LIMIT} characters. \
             To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
        )));
    }
    if world.ssm.parameters.contains_key(name) && !input.bool("Overwrite").unwrap_or(false) {
        return Err(ApiError::sender(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the \
             request to true.",
        ));
    }
    let (value, by, modified) = (value.to_owned(), call.caller.arn.clone(), world.now);
    let number = match world.ssm.parameters.get_mut(name) {
        Some(parameter) => {
            let number = parameter.versions.back().map_or(1, |latest| latest.number + 1);
            parameter.versions.push_back(Version { number, value, modified, by });
            if parameter.versions.len() > VERSIONS_KEPT {
                parameter.versions.pop_front();
            }
            number
        }
        None => {
            let without = || invalid("A parameter type is required when you create a parameter.");
            let kind = input.str("Type").ok_or_else(without)?.to_owned();
            let versions = VecDeque::from([Version { number: 1, value, modified, by }]);
            world.ssm.parameters.insert(name.to_owned(), Parameter { kind, versions });
            1
        }
    };
    Ok(map([("Version", number.into()), ("Tier", tier.into())]))
}

fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "Name")?;
    world.ssm.parameters.remove(name).ok_or_else(|| not_found(name))?;
    Ok(Value::Null)
}

fn delete_several(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (mut deleted, mut invalid) = (Vec::new(), Vec::new());
    for name in names(input)? {
        let known = world.ssm.parameters.remove(&name).is_some();
        if known { &mut deleted } else { &mut invalid }.push(name.into());
    }
    Ok(map([
        ("DeletedParameters", Value::List(deleted)),
        ("InvalidParameters", Value::List(invalid)),
    ]))
}

fn names(input: &Value) -> ApiResult<Vec<String>> {
    let names = input.strings("Names");
    if names.is_empty() || names.len() as i64 > PAGE_LIMIT {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must \
             have length between 1 and {PAGE_LIMIT}"
        )));
    }
    Ok(names)
}

fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    input.need_str(key).map_err(|error| invalid(error.message))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationException", message)
}

fn not_found(name: &str) -> ApiError {
    ApiError::sender("ParameterNotFound", format!("Parameter {name} not found."))
}
