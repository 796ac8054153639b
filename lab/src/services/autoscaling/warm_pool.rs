//! Warm pools, as data only: they are stored and described, but never hold an instance and don't affect
//! scaling out.

use super::errors::invalid;
use super::request::{max_records, named, refuse_during_refresh};
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// `PutWarmPool`.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let state = input.str("PoolState").unwrap_or("Stopped");
    if !["Stopped", "Running", "Hibernated"].contains(&state) {
        return Err(invalid(format!("Unknown pool state: {state}")));
    }
    let least = input.int("MinSize").unwrap_or(0);
    let most = input.int("MaxGroupPreparedCapacity").filter(|n| *n >= 0);
    if least < 0 {
        return Err(invalid("MinSize must not be negative"));
    }
    let group = named(world, input)?;
    refuse_during_refresh(group, "putting a warm pool")?;
    group.warm_pool = Some(map([
        ("MaxGroupPreparedCapacity", most.into()),
        ("MinSize", least.into()),
        ("PoolState", state.into()),
        ("InstanceReusePolicy", input.get("InstanceReusePolicy").clone()),
    ]));
    Ok(map([]))
}

/// `DescribeWarmPool`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let size = max_records(input, 50, 50)?;
    let group = &*named(world, input)?;
    let none: Vec<Value> = Vec::new();
    let (items, next) = page(none, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([
        ("WarmPoolConfiguration", group.warm_pool.clone().unwrap_or(Value::Null)),
        ("Instances", items.into()),
        ("NextToken", next.into()),
    ]))
}

/// `DeleteWarmPool`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let group = named(world, input)?;
    match group.warm_pool.take() {
        Some(_) => Ok(map([])),
        None => Err(invalid(format!("No warm pool found for Auto Scaling group {}", group.name))),
    }
}
