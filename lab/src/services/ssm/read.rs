//! Reading parameters: by name, by path, and their history.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::errors::{invalid, need, no_version, not_found};
use super::filters::{Filters, OF_DESCRIBE, OF_PATH, is_below};
use super::name::{PAGE_LIMIT, names, parameter_name};
use super::state::{Parameter, Version};
use crate::services::ec2::ami::public_parameters;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// `GetParameter`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let selector = need(input, "Name")?;
    let found =
        select(world, selector, with_decryption(input))?.ok_or_else(|| not_found(selector))?;
    Ok(map([("Parameter", found)]))
}

/// `GetParameters`.
pub(super) fn get_several(world: &World, input: &Value) -> ApiResult<Value> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for selector in names(input)? {
        match select(world, &selector, with_decryption(input)) {
            Ok(Some(parameter)) => found.push(parameter),
            _ => invalid.push(selector.into()),
        }
    }
    Ok(map([("Parameters", Value::List(found)), ("InvalidParameters", Value::List(invalid))]))
}

/// `GetParametersByPath`: the account's own parameters or, below `/aws/service`, the public ones.
pub(super) fn get_by_path(world: &World, input: &Value) -> ApiResult<Value> {
    let path = need(input, "Path")?;
    if !path.starts_with('/') {
        return Err(invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.",
        ));
    }
    let recursive = input.bool("Recursive").unwrap_or(false);
    let filters = Filters::read(input, OF_PATH)?;
    let mut found: Vec<(String, Value)> = Vec::new();
    if path.starts_with("/aws/") {
        let public = public_parameters().into_iter();
        let within = public.filter(|(name, _)| is_below(name, path, recursive));
        found.extend(within.map(|(name, value)| {
            let written = describe_public(world, &name, &value);
            (name, written)
        }));
    }
    for (name, parameter) in &world.ssm.parameters {
        let Some(version) = parameter.versions.back() else { continue };
        if is_below(name, path, recursive) && filters.pass(name, parameter, version) {
            let written = describe_version(world, name, parameter, version, with_decryption(input));
            found.push((name.clone(), written));
        }
    }
    let (found, next) = page(input, PAGE_LIMIT, PAGE_LIMIT, found)?;
    Ok(map([("Parameters", found), ("NextToken", next.into())]))
}

/// `GetParameterHistory`: oldest first.
pub(super) fn history(world: &World, input: &Value) -> ApiResult<Value> {
    let given = need(input, "Name")?;
    let name = parameter_name(world, given);
    let parameter = world.ssm.parameters.get(name).ok_or_else(|| not_found(given))?;
    let versions = parameter.versions.iter().map(|version| {
        let labels = version.labels.iter().map(Value::from).collect();
        let written = described(name, parameter, version)
            .with("Value", value(parameter, version, with_decryption(input)))
            .with("Labels", Value::List(labels));
        (format!("{:012}", version.number), written)
    });
    let (found, next) = page(input, 50, 50, versions.collect())?;
    Ok(map([("Parameters", found), ("NextToken", next.into())]))
}

/// `DescribeParameters`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let filters = Filters::read(input, OF_DESCRIBE)?;
    let mut found = Vec::new();
    for (name, parameter) in &world.ssm.parameters {
        let Some(version) = parameter.versions.back() else { continue };
        if filters.pass(name, parameter, version) {
            let written = described(name, parameter, version).with("ARN", arn(world, name));
            found.push((name.clone(), written));
        }
    }
    let (found, next) = page(input, 10, 50, found)?;
    Ok(map([("Parameters", found), ("NextToken", next.into())]))
}

fn with_decryption(input: &Value) -> bool {
    input.bool("WithDecryption").unwrap_or(false)
}

/// Returns a value as the caller gets it: a SecureString stays encrypted unless decryption is requested.
fn value(parameter: &Parameter, version: &Version, opened: bool) -> String {
    if parameter.kind == "SecureString" && !opened {
        return STANDARD.encode(format!("encrypted by the lab: {}", version.value));
    }
    version.value.clone()
}

/// Returns the parameter that `selector` names: a name or an ARN, with `:<version>` or `:<label>` for another
/// version than the latest.
fn select(world: &World, selector: &str, opened: bool) -> ApiResult<Option<Value>> {
    let name = parameter_name(world, selector);
    let (name, wanted) = match name.split_once(':') {
        Some((name, wanted)) => (name, Some(wanted)),
        None => (name, None),
    };
    let Some(parameter) = world.ssm.parameters.get(name) else {
        let public = public_parameters();
        return Ok(public.get(name).map(|value| describe_public(world, name, value)));
    };
    let version = match wanted {
        None => parameter.versions.back(),
        Some(wanted) => {
            let number: Option<i64> = wanted.parse().ok();
            let is = |v: &&Version| Some(v.number) == number || v.labels.contains(wanted);
            let found = parameter.versions.iter().find(is);
            if found.is_none() {
                return Err(no_version(wanted, name));
            }
            found
        }
    };
    let selector = wanted.map(|wanted| format!(":{wanted}"));
    Ok(version.map(|version| {
        describe_version(world, name, parameter, version, opened).with("Selector", selector)
    }))
}

fn describe_version(
    world: &World,
    name: &str,
    parameter: &Parameter,
    version: &Version,
    opened: bool,
) -> Value {
    map([
        ("Name", name.into()),
        ("Type", parameter.kind.as_str().into()),
        ("Value", value(parameter, version, opened).into()),
        ("Version", version.number.into()),
        ("LastModifiedDate", version.modified.into()),
        ("ARN", arn(world, name).into()),
        ("DataType", parameter.data_type.as_str().into()),
    ])
}

/// Formats a public parameter of AWS: its ARN has no account.
fn describe_public(world: &World, name: &str, value: &str) -> Value {
    let modified = jiff::Timestamp::from_second(1_793_657_645).unwrap_or(world.now);
    map([
        ("Name", name.into()),
        ("Type", "String".into()),
        ("Value", value.into()),
        ("Version", 97_i64.into()),
        ("LastModifiedDate", modified.into()),
        ("ARN", format!("arn:aws:ssm:{}::parameter{name}", world.region).into()),
        ("DataType", "text".into()),
    ])
}

/// Formats a version's metadata, as listings show it.
fn described(name: &str, parameter: &Parameter, version: &Version) -> Value {
    let policies = version.policies.as_ref().map(|text| {
        map([("PolicyText", text.as_str().into()), ("PolicyStatus", "Pending".into())])
    });
    map([
        ("Name", name.into()),
        ("Type", parameter.kind.as_str().into()),
        ("KeyId", parameter.key.clone().into()),
        ("LastModifiedDate", version.modified.into()),
        ("LastModifiedUser", version.by.as_str().into()),
        ("Description", version.description.clone().into()),
        ("AllowedPattern", version.pattern.clone().into()),
        ("Version", version.number.into()),
        ("Tier", parameter.tier.as_str().into()),
        ("Policies", Value::List(policies.into_iter().collect())),
        ("DataType", parameter.data_type.as_str().into()),
    ])
}

/// Returns the ARN of a parameter; a path has its own leading slash.
fn arn(world: &World, name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:aws:ssm:{}:{}:parameter{slash}{name}", world.region, world.account)
}

/// Returns one page of `entries`, which are sorted by key, and the token of the next page: the last key
/// returned. So a concurrent deletion causes no gap, unlike with a count; what Parameter Store does is not
/// documented.
fn page(
    input: &Value,
    default: i64,
    most: i64,
    entries: Vec<(String, Value)>,
) -> ApiResult<(Value, Option<String>)> {
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
    let mut rest = entries.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|a| key > a));
    let page: Vec<_> = rest.by_ref().take(size as usize).collect();
    let last = rest.next().and_then(|_| page.last());
    let next = last.map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
    Ok((Value::List(page.into_iter().map(|(_, value)| value).collect()), next))
}

fn last_given(token: &str) -> ApiResult<String> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| ApiError::sender("InvalidNextToken", "The specified token isn't valid."))
}
