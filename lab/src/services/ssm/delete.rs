//! `DeleteParameter` and `DeleteParameters`.

use super::errors::{need, not_found};
use super::name::{names, parameter_name};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "Name")?;
    world.ssm.parameters.remove(parameter_name(world, name)).ok_or_else(|| not_found(name))?;
    Ok(Value::Null)
}

pub(super) fn delete_several(world: &mut World, input: &Value) -> ApiResult<Value> {
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
