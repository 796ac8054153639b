//! The settings of the registry as a whole.

use super::errors::{invalid, invalid_parameter, need, need_list, one_of, validation};
use super::registry_scanning::{RegistrySettings, ScanFrequency, ScanRule, ScanType};
use super::request;
use super::settings::check_policy;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) fn describe(world: &World) -> Value {
    let replication = map([("rules", Value::List(Vec::new()))]);
    map([("registryId", world.account.as_str().into()), ("replicationConfiguration", replication)])
}

const MOUNTING: &str = "BLOB_MOUNTING";
const BASIC_VERSION: &str = "BASIC_SCAN_TYPE_VERSION";

pub(super) fn put_account_setting(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, value) = (need(input, "name")?, need(input, "value")?);
    match (name, value) {
        (MOUNTING, "ENABLED") => world.ecr.blob_mounting = true,
        (MOUNTING, "DISABLED") => world.ecr.blob_mounting = false,
        (BASIC_VERSION, "AWS_NATIVE" | "CLAIR") => {
            world.ecr.registry.basic_version = Some(value.to_owned());
        }
        (MOUNTING | BASIC_VERSION, _) => {
            return Err(invalid(format!(
                "'{value}' is not a valid value of the account setting {name}"
            )));
        }
        _ => return Err(unknown_setting(name)),
    }
    Ok(map([("name", name.into()), ("value", value.into())]))
}

pub(super) fn get_account_setting(world: &World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "name")?;
    let value = match name {
        MOUNTING if world.ecr.blob_mounting => "ENABLED",
        MOUNTING => "DISABLED",
        BASIC_VERSION => world.ecr.registry.basic_version.as_deref().unwrap_or("AWS_NATIVE"),
        _ => return Err(unknown_setting(name)),
    };
    Ok(map([("name", name.into()), ("value", value.into())]))
}

fn unknown_setting(name: &str) -> ApiError {
    validation(format!(
        "'{name}' is not an account setting; the settings are {BASIC_VERSION} and {MOUNTING}"
    ))
}

pub(super) fn put_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let text = need(input, "policyText")?;
    check_policy("PolicyText", text)?;
    world.ecr.registry.policy = Some(text.to_owned());
    get_policy(world)
}

pub(super) fn get_policy(world: &World) -> ApiResult<Value> {
    let policy = world.ecr.registry.policy.as_deref();
    let text = policy.ok_or_else(|| {
        ApiError::sender(
            "RegistryPolicyNotFoundException",
            format!("Registry policy does not exist in the registry with id '{}'", world.account),
        )
    })?;
    Ok(map([("registryId", world.account.as_str().into()), ("policyText", text.into())]))
}

pub(super) fn delete_policy(world: &mut World) -> ApiResult<Value> {
    let deleted = get_policy(world)?;
    world.ecr.registry.policy = None;
    Ok(deleted)
}

pub(super) fn put_scanning(world: &mut World, input: &Value) -> ApiResult<Value> {
    let kind = one_of(input, "scanType", &["BASIC", "ENHANCED"], "BASIC")?;
    let rules = input.list("rules");
    if rules.len() > 2 {
        return Err(invalid_parameter("rules", "Member must have length less than or equal to 2"));
    }
    let rules = rules.iter().map(rule).collect::<ApiResult<Vec<ScanRule>>>()?;
    let continuous = rules.iter().any(|rule| rule.frequency == ScanFrequency::Continuous);
    if kind == "BASIC" && continuous {
        return Err(validation("CONTINUOUS_SCAN is only supported for the scan type ENHANCED"));
    }
    world.ecr.registry.enhanced = kind == "ENHANCED";
    world.ecr.registry.rules = rules;
    Ok(map([("registryScanningConfiguration", configuration(&world.ecr.registry))]))
}

fn rule(input: &Value) -> ApiResult<ScanRule> {
    const ALL: &[&str] = &["MANUAL", "SCAN_ON_PUSH", "CONTINUOUS_SCAN"];
    need(input, "scanFrequency")?;
    let frequency = match one_of(input, "scanFrequency", ALL, "MANUAL")? {
        "SCAN_ON_PUSH" => ScanFrequency::OnPush,
        "CONTINUOUS_SCAN" => ScanFrequency::Continuous,
        _ => ScanFrequency::Manual,
    };
    let filters = input.list("repositoryFilters").iter();
    let filters = filters.map(|filter| need(filter, "filter").map(str::to_owned));
    Ok(ScanRule { frequency, filters: filters.collect::<ApiResult<_>>()? })
}

pub(super) fn get_scanning(world: &World) -> Value {
    map([
        ("registryId", world.account.as_str().into()),
        ("scanningConfiguration", configuration(&world.ecr.registry)),
    ])
}

fn configuration(registry: &RegistrySettings) -> Value {
    let rules = registry.rules.iter().map(|rule| {
        let filters = rule.filters.iter().map(filter).collect();
        map([
            ("scanFrequency", rule.frequency.name().into()),
            ("repositoryFilters", Value::List(filters)),
        ])
    });
    let kind = match registry.scan_type() {
        ScanType::Basic => "BASIC",
        ScanType::Enhanced => "ENHANCED",
    };
    map([("scanType", kind.into()), ("rules", Value::List(rules.collect()))])
}

fn filter(text: &String) -> Value {
    map([("filter", text.into()), ("filterType", "WILDCARD".into())])
}

pub(super) fn batch_get_scanning(world: &World, input: &Value) -> ApiResult<Value> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in need_list(input, "repositoryNames", 25)?.iter().filter_map(Value::as_str) {
        if !world.registry.ecr.repositories.contains_key(name) {
            failures.push(map([
                ("repositoryName", name.into()),
                ("failureCode", "REPOSITORY_NOT_FOUND".into()),
                ("failureReason", "REPOSITORY_NOT_FOUND".into()),
            ]));
            continue;
        }
        let own = world.ecr.settings.get(name).is_some_and(|settings| settings.scan_on_push);
        let rule = world.ecr.registry.rule(name);
        let frequency = match rule {
            Some((rule, _)) => rule.frequency,
            None if own => ScanFrequency::OnPush,
            None => ScanFrequency::Manual,
        };
        let applied = rule.map(|(_, text)| filter(text)).into_iter().collect();
        found.push(map([
            ("repositoryArn", request::arn(world, name).into()),
            ("repositoryName", name.into()),
            ("scanOnPush", (frequency == ScanFrequency::OnPush).into()),
            ("scanFrequency", frequency.name().into()),
            ("appliedScanFilters", Value::List(applied)),
        ]));
    }
    Ok(map([("scanningConfigurations", Value::List(found)), ("failures", Value::List(failures))]))
}
