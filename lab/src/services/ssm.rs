//! Systems Manager Parameter Store. `PutParameter` without `Overwrite` is create-if-absent, which makes
//! it a lock. Values of type SecureString are kept and given like the others: the lab encrypts nothing.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::paging;
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
        "GetParameter" => get(world, &call.input),
        "GetParameters" => get_several(world, &call.input),
        "GetParametersByPath" => get_by_path(world, &call.input),
        "GetParameterHistory" => history(world, &call.input),
        "DescribeParameters" => describe(world, &call.input),
        "DeleteParameter" => delete(world, &call.input),
        "DeleteParameters" => delete_several(world, &call.input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

fn put(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    let name = need(input, "Name")?;
    check_name(name)?;
    let value = need(input, "Value")?;
    let tier = input.str("Tier").unwrap_or("Standard");
    if tier == "Standard" && value.len() > STANDARD_LIMIT {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_LIMIT} characters. \
             To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
        )));
    }
    let known = world.ssm.parameters.get_mut(name);
    if known.is_some() && !input.bool("Overwrite").unwrap_or(false) {
        return Err(ApiError::sender(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the \
             request to true.",
        ));
    }
    let mut version = Version {
        number: 1,
        value: value.to_owned(),
        modified: world.now,
        by: call.caller.arn.clone(),
    };
    let number = match known {
        Some(parameter) => {
            version.number = parameter.versions.back().map_or(1, |latest| latest.number + 1);
            if parameter.versions.len() == VERSIONS_KEPT {
                parameter.versions.pop_front();
            }
            let number = version.number;
            parameter.versions.push_back(version);
            number
        }
        None => {
            let kind = input
                .str("Type")
                .ok_or_else(|| {
                    invalid("A parameter type is required when you create a parameter.")
                })?
                .to_owned();
            let versions = VecDeque::from([version]);
            world.ssm.parameters.insert(name.to_owned(), Parameter { kind, versions });
            1
        }
    };
    Ok(map([("Version", number.into()), ("Tier", tier.into())]))
}

fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let selector = need(input, "Name")?;
    let found = select(world, selector)?.ok_or_else(|| not_found(selector))?;
    Ok(map([("Parameter", found)]))
}

fn get_several(world: &World, input: &Value) -> ApiResult<Value> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for selector in names(input)? {
        match select(world, &selector) {
            Ok(Some(parameter)) => found.push(parameter),
            _ => invalid.push(selector.into()),
        }
    }
    Ok(map([("Parameters", Value::List(found)), ("InvalidParameters", Value::List(invalid))]))
}

fn get_by_path(world: &World, input: &Value) -> ApiResult<Value> {
    let path = need(input, "Path")?;
    if !path.starts_with('/') {
        return Err(invalid("The parameter path must begin with a forward slash."));
    }
    let prefix = format!("{}/", path.trim_end_matches('/'));
    let recursive = input.bool("Recursive").unwrap_or(false);
    let below = world.ssm.parameters.iter().filter(|(name, _)| {
        name.strip_prefix(&prefix).is_some_and(|rest| recursive || !rest.contains('/'))
    });
    let (page, next) = page(input, PAGE_LIMIT, PAGE_LIMIT, below)?;
    let parameters = page.into_iter().filter_map(|(name, parameter)| {
        parameter.versions.back().map(|version| describe_version(world, name, parameter, version))
    });
    Ok(map([("Parameters", Value::List(parameters.collect())), ("NextToken", next.into())]))
}

fn history(world: &World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "Name")?;
    let parameter = world.ssm.parameters.get(name).ok_or_else(|| not_found(name))?;
    let versions = parameter.versions.iter().map(|version| {
        map([
            ("Name", name.into()),
            ("Type", parameter.kind.as_str().into()),
            ("LastModifiedDate", version.modified.into()),
            ("LastModifiedUser", version.by.as_str().into()),
            ("Value", version.value.as_str().into()),
            ("Version", version.number.into()),
            ("DataType", "text".into()),
        ])
    });
    Ok(map([("Parameters", Value::List(versions.collect()))]))
}

/// Without its filters: they are ignored.
fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (page, next) = page(input, 10, 50, world.ssm.parameters.iter())?;
    let parameters = page.into_iter().filter_map(|(name, parameter)| {
        parameter.versions.back().map(|version| {
            map([
                ("Name", name.into()),
                ("ARN", arn(world, name).into()),
                ("Type", parameter.kind.as_str().into()),
                ("LastModifiedDate", version.modified.into()),
                ("LastModifiedUser", version.by.as_str().into()),
                ("Version", version.number.into()),
                ("Tier", "Standard".into()),
                ("DataType", "text".into()),
            ])
        })
    });
    Ok(map([("Parameters", Value::List(parameters.collect())), ("NextToken", next.into())]))
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

/// The parameter that `selector` names: a name or an ARN, with `:<version>` if not the latest is meant.
fn select(world: &World, selector: &str) -> ApiResult<Option<Value>> {
    let name = match selector.split_once(":parameter") {
        Some((_, name)) if selector.starts_with("arn:") => name,
        _ => selector,
    };
    let (name, number) = match name.split_once(':') {
        Some((name, number)) => (name, Some(number)),
        None => (name, None),
    };
    let Some(parameter) = world.ssm.parameters.get(name) else { return Ok(None) };
    let version = match number {
        None => parameter.versions.back(),
        Some(number) => {
            let wanted: Option<i64> = number.parse().ok();
            let found = parameter.versions.iter().find(|version| Some(version.number) == wanted);
            if found.is_none() {
                return Err(ApiError::sender(
                    "ParameterVersionNotFound",
                    format!("Systems Manager could not find version {number} of {name}."),
                ));
            }
            found
        }
    };
    Ok(version.map(|version| describe_version(world, name, parameter, version)))
}

fn describe_version(world: &World, name: &str, parameter: &Parameter, version: &Version) -> Value {
    map([
        ("Name", name.into()),
        ("Type", parameter.kind.as_str().into()),
        ("Value", version.value.as_str().into()),
        ("Version", version.number.into()),
        ("LastModifiedDate", version.modified.into()),
        ("ARN", arn(world, name).into()),
        ("DataType", "text".into()),
    ])
}

/// A name that is a path brings its own slash.
fn arn(world: &World, name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:aws:ssm:{}:{}:parameter{slash}{name}", world.region, world.account)
}

type Entry<'w> = (&'w String, &'w Parameter);

/// One page of `entries`, which come in order of names, and the token of the next.
fn page<'w>(
    input: &Value,
    default: i64,
    most: i64,
    entries: impl Iterator<Item = Entry<'w>>,
) -> ApiResult<(Vec<Entry<'w>>, Option<String>)> {
    let size = input.int("MaxResults").unwrap_or(default);
    if !(1..=most).contains(&size) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: \
             Member must have value between 1 and {most}"
        )));
    }
    paging::page(entries.collect(), input.str("NextToken"), size as usize, "InvalidNextToken")
}

/// The rules for names (user guide, "Requirements and constraints for parameter names").
fn check_name(name: &str) -> ApiResult<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || name.len() > 1011 || !name.chars().all(plain) {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it \
             can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of \
             letters, numbers and the following 3 symbols .-_",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(ApiError::sender(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    if name.matches('/').count() > 15 {
        return Err(ApiError::sender(
            "HierarchyLevelLimitExceededException",
            "A parameter name hierarchy can have at most 15 levels.",
        ));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Principal, Service};

    fn world() -> World {
        World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
    }

    fn ask(world: &mut World, operation: &str, input: Value) -> ApiResult<Value> {
        let caller = Principal::nobody();
        let region = world.region.clone();
        let (service, operation) = (Service::Ssm, operation.to_owned());
        call(world, &Call { service, operation, input, caller, region })
    }

    fn named(name: &str, value: &str) -> Value {
        map([("Name", name.into()), ("Value", value.into()), ("Type", "String".into())])
    }

    #[test]
    fn exactly_one_creates() {
        let mut world = world();
        let first = ask(&mut world, "PutParameter", named("/a/1", "mine")).unwrap();
        assert_eq!(first.int("Version"), Some(1));
        let second = ask(&mut world, "PutParameter", named("/a/1", "yours")).unwrap_err();
        assert_eq!(second.code, "ParameterAlreadyExists");
        assert_eq!(parameter(&world, "/a/1"), Some("mine"));
        let over = named("/a/1", "later").with("Overwrite", true);
        assert_eq!(ask(&mut world, "PutParameter", over).unwrap().int("Version"), Some(2));
        let old = ask(&mut world, "GetParameter", map([("Name", "/a/1:1".into())])).unwrap();
        assert_eq!(old.get("Parameter").str("Value"), Some("mine"));
    }

    #[test]
    fn a_standard_value_has_a_limit() {
        let mut world = world();
        let put = |world: &mut World, length| {
            ask(world, "PutParameter", named("/a", &"x".repeat(length)))
        };
        assert_eq!(put(&mut world, 4097).unwrap_err().code, "ValidationException");
        assert!(put(&mut world, 4096).is_ok());
    }

    #[test]
    fn pages_by_path() {
        let mut world = world();
        for n in 0..23 {
            ask(&mut world, "PutParameter", named(&format!("/cutover/news/rollouts/{n:06}"), "v"))
                .unwrap();
        }
        ask(&mut world, "PutParameter", named("/cutover/newsletter/x", "no")).unwrap();
        let (mut seen, mut next) = (Vec::new(), Value::Null);
        loop {
            let input = map([
                ("Path", "/cutover/news".into()),
                ("Recursive", true.into()),
                ("NextToken", next),
            ]);
            let page = ask(&mut world, "GetParametersByPath", input).unwrap();
            seen.extend(page.list("Parameters").iter().map(|p| p.str("Name").unwrap().to_owned()));
            next = page.get("NextToken").clone();
            if next.is_null() {
                break;
            }
        }
        assert_eq!(seen.len(), 23);
        assert_eq!(seen[22], "/cutover/news/rollouts/000022");
    }
}
