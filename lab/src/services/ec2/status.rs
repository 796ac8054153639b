//! `DescribeInstanceStatus`: EC2's own status checks, which don't depend on the program on an instance.

use super::describe;
use super::errors::invalid_value;
use super::instance::{Instance, InstanceState};
use super::listing::Filters;
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::{World, elapsed};

/// `DescribeInstanceStatus`: running instances, or all with `IncludeAllInstances`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = describe::requested_ids(world, input)?;
    let all = input.bool("IncludeAllInstances").unwrap_or(false);
    let known = [
        "availability-zone",
        "instance-state-name",
        "instance-state-code",
        "instance-status.status",
        "instance-status.reachability",
        "system-status.status",
        "system-status.reachability",
    ];
    let filters = Filters::read(input, &known)?;
    let found = world
        .ec2
        .instances
        .iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .filter(|(_, instance)| all || instance.state == InstanceState::Running)
        .filter(|(id, instance)| {
            let (status, check) = checks(world, instance);
            let field = |name: &str| {
                vec![match name {
                    "availability-zone" => instance.zone.clone(),
                    "instance-state-name" => instance.state.code().1.to_owned(),
                    "instance-state-code" => instance.state.code().0.to_string(),
                    "instance-status.status" | "system-status.status" => status.to_owned(),
                    _ => check.to_owned(),
                }]
            };
            filters.matches(&world.ec2, id, field)
        })
        .map(|(id, instance)| write(world, id, instance))
        .collect();
    let size = match input.int("MaxResults") {
        None => 1000,
        Some(size @ 5..=1000) => size as usize,
        Some(size) => {
            return Err(invalid_value(format!(
                "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
            )));
        }
    };
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("instanceStatusSet", items.into()), ("nextToken", next.into())]))
}

/// Returns the status and the result of the reachability check: `initializing` until `Params::status_checks`
/// after the instance began to run, `impaired` in a lost zone.
fn checks(world: &World, instance: &Instance) -> (&'static str, &'static str) {
    let Some(since) = instance.running_since.filter(|_| instance.state == InstanceState::Running)
    else {
        return ("not-applicable", "insufficient-data");
    };
    let alive = world.ec2.zones.get(&instance.zone).is_none_or(|zone| zone.alive);
    if !alive {
        ("impaired", "failed")
    } else if elapsed(since, world.now) < world.params.status_checks {
        ("initializing", "initializing")
    } else {
        ("ok", "passed")
    }
}

fn write(world: &World, id: &str, instance: &Instance) -> Value {
    let (status, check) = checks(world, instance);
    let (code, name) = instance.state.code();
    let details = map([("name", "reachability".into()), ("status", check.into())]);
    let details = if status == "not-applicable" { Vec::new() } else { vec![details] };
    let summary = || map([("status", status.into()), ("details", details.clone().into())]);
    map([
        ("instanceId", id.into()),
        ("availabilityZone", instance.zone.as_str().into()),
        ("instanceState", map([("code", code.into()), ("name", name.into())])),
        ("instanceStatus", summary()),
        ("systemStatus", summary()),
    ])
}
