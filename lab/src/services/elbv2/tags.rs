//! Tags of load balancers, listeners, rules and target groups.

use super::errors::{
    listener_not_found, load_balancer_not_found, rule_not_found, target_group_not_found,
};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// AddTags.
pub(super) fn add(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = input.strings("ResourceArns");
    arns.iter().try_for_each(|arn| exists(world, arn))?;
    arns.iter().for_each(|arn| store(world, arn, input.list("Tags")));
    Ok(map([]))
}

/// DescribeTags.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let describe_one = |arn: &String| {
        exists(world, arn)?;
        let tags = world.elbv2.tags.get(arn).into_iter().flatten();
        let tags =
            tags.map(|(k, v)| map([("Key", k.as_str().into()), ("Value", v.as_str().into())]));
        let tags: Vec<Value> = tags.collect();
        Ok(map([("ResourceArn", arn.as_str().into()), ("Tags", tags.into())]))
    };
    let arns = input.strings("ResourceArns");
    let described = arns.iter().map(describe_one).collect::<ApiResult<Vec<_>>>()?;
    Ok(map([("TagDescriptions", described.into())]))
}

/// Sets tags on a resource, those of creation among them.
pub(super) fn store(world: &mut World, arn: &str, tags: &[Value]) {
    let own = world.elbv2.tags.entry(arn.to_owned()).or_default();
    for tag in tags {
        if let Some(key) = tag.str("Key") {
            own.insert(key.to_owned(), tag.str("Value").unwrap_or_default().to_owned());
        }
    }
}

fn exists(world: &World, arn: &str) -> ApiResult<()> {
    let state = &world.elbv2;
    let (known, missing): (bool, fn(&str) -> _) = if arn.contains(":listener-rule/") {
        (state.rules.contains_key(arn), rule_not_found)
    } else if arn.contains(":listener/") {
        (state.listeners.contains_key(arn), listener_not_found)
    } else if arn.contains(":targetgroup/") {
        (state.target_groups.contains_key(arn), target_group_not_found)
    } else {
        (state.load_balancers.contains_key(arn), load_balancer_not_found)
    };
    if known { Ok(()) } else { Err(missing(arn)) }
}
