//! Suspending and resuming a group's processes.

use super::capacity;
use super::errors::invalid;
use super::request::named;
use crate::wire::{ApiResult, Value};
use crate::world::World;

/// All scaling processes (API model).
pub(super) const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

/// `SuspendProcesses`: the named processes, or all.
pub(super) fn suspend(world: &mut World, input: &Value) -> ApiResult<Value> {
    let processes = chosen(input)?;
    let now = world.now;
    let suspended = &mut named(world, input)?.suspended;
    for process in processes {
        suspended.entry(process).or_insert(now);
    }
    Ok(Value::Null)
}

/// `ResumeProcesses`: the named processes, or all.
pub(super) fn resume(world: &mut World, input: &Value) -> ApiResult<Value> {
    let processes = chosen(input)?;
    let group = named(world, input)?;
    group.suspended.retain(|process, _| !processes.contains(process));
    let name = group.name.clone();
    capacity::converge_soon(world, &name);
    Ok(Value::Null)
}

fn chosen(input: &Value) -> ApiResult<Vec<String>> {
    let named = input.strings("ScalingProcesses");
    if let Some(unknown) = named.iter().find(|process| !PROCESSES.contains(&process.as_str())) {
        return Err(invalid(format!("{unknown} is not a valid scaling process")));
    }
    Ok(if named.is_empty() { PROCESSES.map(str::to_owned).to_vec() } else { named })
}
