//! Reading parameters: by name, by path, and their history.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{PAGE_LIMIT, Parameter, Version, invalid, names, need, not_found};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let selector = need(input, "Name")?;
    let found = select(world, selector)?.ok_or_else(|| not_found(selector))?;
    Ok(map([("Parameter", found)]))
}

pub(super) fn get_several(world: &World, input: &Value) -> ApiResult<Value> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for selector in names(input)? {
        match select(world, &selector) {
            Ok(Some(parameter)) => found.push(parameter),
            _ => invalid.push(selector.into()),
        }
    }
    Ok(map([("Parameters", Value::List(found)), ("InvalidParameters", Value::List(invalid))]))
}

pub(super) fn get_by_path(world: &World, input: &Value) -> ApiResult<Value> {
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

pub(super) fn history(world: &World, input: &Value) -> ApiResult<Value> {
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
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
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

/// One page of `entries`, which come in order of names, and the token of the next: the last name
/// given. So nothing is missed while others delete, which a count would not promise; what Parameter
/// Store does is not documented.
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
    let after = match input.str("NextToken") {
        None | Some("") => None,
        Some(token) => Some(last_given(token)?),
    };
    let mut rest = entries.filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after));
    let page: Vec<_> = rest.by_ref().take(size as usize).collect();
    let last = rest.next().and_then(|_| page.last());
    let next = last.map(|(name, _)| URL_SAFE_NO_PAD.encode(name));
    Ok((page, next))
}

fn last_given(token: &str) -> ApiResult<String> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| ApiError::sender("InvalidNextToken", "The specified token isn't valid."))
}
