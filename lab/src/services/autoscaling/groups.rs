//! Creating, changing and deleting groups.

use std::collections::{BTreeMap, BTreeSet};

use super::activities::stamp;
use super::capacity::{self, number};
use super::cause::Cause;
use super::errors::{invalid, not_found};
use super::group::Group;
use super::queue::schedule;
use super::refresh::instance_refresh::Status;
use super::request::{group_to_update, named};
use super::state::Event;
use super::template_spec::TemplateSpec;
use super::{attachments, hooks, lifecycle, options, policies, tags, types};
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// `CreateAutoScalingGroup`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("AutoScalingGroupName")?.to_owned();
    if name.is_empty() || name.chars().count() > 255 || name.contains(':') {
        return Err(invalid(format!(
            "Value '{name}' at 'autoScalingGroupName' is not a valid name"
        )));
    }
    if world.autoscaling.groups.contains_key(&name) {
        return Err(ApiError::sender(
            "AlreadyExists",
            "AutoScalingGroup by this name already exists - A group with this name already exists",
        ));
    }
    if world.autoscaling.groups.len() >= types::GROUPS {
        return Err(ApiError::sender(
            "LimitExceeded",
            "AutoScalingGroup by this name would exceed the quota of this account.",
        ));
    }
    no_launch_configuration(input)?;
    let Some(template) = TemplateSpec::read(world, input)? else {
        return Err(invalid(
            "Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType parameters, or a launch template.",
        ));
    };
    let needed = |key: &str| {
        number(input, key)?.ok_or_else(|| invalid(format!("The parameter {key} is required")))
    };
    let (min, max) = (needed("MinSize")?, needed("MaxSize")?);
    let mut group = Group {
        arn: format!(
            "arn:aws:autoscaling:{}:{}:autoScalingGroup:{}:autoScalingGroupName/{name}",
            world.region,
            world.account,
            world.ids.uuid()
        ),
        name: name.clone(),
        template,
        min,
        max,
        desired: number(input, "DesiredCapacity")?.unwrap_or(min),
        cooldown: 300,
        cooldown_until: None,
        watched: false,
        zones: Vec::new(),
        subnets: Vec::new(),
        target_groups: Vec::new(),
        attached: BTreeMap::new(),
        detached: BTreeMap::new(),
        health_check_type: "EC2".to_owned(),
        grace: 0,
        warmup: None,
        maintenance: None,
        protects_new: false,
        termination_policies: vec!["Default".to_owned()],
        suspended: BTreeMap::new(),
        tags: tags::first(input.list("Tags"))?,
        created: world.now,
        members: BTreeMap::new(),
        refreshes: Vec::new(),
        activities: Vec::new(),
        scheduled: BTreeMap::new(),
        policies: BTreeMap::new(),
        hooks: BTreeMap::new(),
        metrics: BTreeSet::new(),
        sampled: false,
        samples: BTreeMap::new(),
        warm_pool: None,
        stored_settings: BTreeMap::from([("ServiceLinkedRoleARN".to_owned(), service_role(world))]),
        zones_without_capacity: BTreeMap::new(),
        backoff: Default::default(),
        reason: None,
        deleting: false,
    };
    options::set(world, &mut group, input)?;
    for hook in input.list("LifecycleHookSpecificationList") {
        hooks::add(&mut group, hook)?;
    }
    if group.subnets.is_empty() {
        return Err(invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    within_bounds(&group)?;
    group.reason = Some(format!(
        "At {} a user request created an AutoScalingGroup changing the desired capacity from 0 to {}.",
        stamp(world.now),
        group.desired
    ));
    world.autoscaling.groups.insert(name.clone(), group);
    attachments::attach_first(world, input).inspect_err(|_| {
        world.autoscaling.groups.remove(&name);
    })?;
    let interval = world.params.health_check;
    let born = world.now;
    schedule(world, interval, Event::CheckHealth(name.clone(), born));
    capacity::converge_soon(world, &name);
    Ok(Value::Null)
}

/// Returns the service-linked role of a group that names no other (user guide).
fn service_role(world: &World) -> Value {
    let name = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    format!("arn:aws:iam::{}:role/{name}", world.account).into()
}

/// `UpdateAutoScalingGroup`: a MinSize above DesiredCapacity raises it, a MaxSize below lowers it, unless the
/// call sets DesiredCapacity itself.
pub(super) fn update(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = group_to_update(world, input)?.name.clone();
    no_launch_configuration(input)?;
    let template = TemplateSpec::read(world, input)?;
    let Some(mut group) = world.autoscaling.groups.get(&name).cloned() else {
        return Err(not_found(&name));
    };
    if let Some(template) = template {
        allow_template(&group, &template)?;
        group.template = template;
    }
    options::set(world, &mut group, input)?;
    resize(
        &mut group,
        number(input, "MinSize")?,
        number(input, "MaxSize")?,
        number(input, "DesiredCapacity")?,
    )?;
    let at = stamp(world.now);
    if let Some(before) = world.autoscaling.groups.get(&name)
        && before.desired != group.desired
    {
        group.reason = Some(format!(
            "At {at} a user request update of AutoScalingGroup constraints to min: {}, max: {}, desired: {} changing the desired capacity from {} to {}.",
            group.min, group.max, group.desired, before.desired, group.desired
        ));
    }
    group.backoff = Default::default();
    world.autoscaling.groups.insert(name.clone(), group);
    capacity::converge_soon(world, &name);
    Ok(Value::Null)
}

/// Sets new sizes, as an update or a scheduled action gives them.
pub(super) fn resize(
    group: &mut Group,
    min: Option<u64>,
    max: Option<u64>,
    desired: Option<u64>,
) -> ApiResult<()> {
    group.min = min.unwrap_or(group.min);
    group.max = max.unwrap_or(group.max);
    if group.min > group.max {
        return Err(invalid(format!(
            "Max bound, {}, must be greater than or equal to min bound, {}",
            group.max, group.min
        )));
    }
    group.desired = desired.unwrap_or_else(|| group.desired.clamp(group.min, group.max));
    within_bounds(group)
}

/// `DeleteAutoScalingGroup`: only if the group is empty, or by force.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let forced = input.bool("ForceDelete").unwrap_or(false);
    let now = world.now;
    let group = named(world, input)?;
    let protection =
        group.stored_settings.get("DeletionProtection").and_then(Value::as_str).unwrap_or("none");
    if protection == "prevent-all-deletion" || (forced && protection == "prevent-force-deletion") {
        // The error code is a guess.
        return Err(ApiError::sender(
            "ResourceInUse",
            format!("AutoScalingGroup {} has the deletion protection {protection}.", group.name),
        ));
    }
    let leaving = group.members.values().all(|member| member.state.is_leaving());
    if !forced && leaving && !group.members.is_empty() && group.desired == 0 {
        return Err(ApiError::sender(
            "ScalingActivityInProgress",
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
        ));
    }
    if !forced && (!group.members.is_empty() || group.desired > 0) {
        return Err(ApiError::sender(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        ));
    }
    (group.min, group.desired, group.deleting) = (0, 0, true);
    if let Some(refresh) = group.active_refresh_mut() {
        // The wording is a guess.
        refresh.end(Status::Cancelled, "The Auto Scaling group is being deleted.", now);
    }
    let (name, before) = (group.name.clone(), group.clone());
    policies::forget(world, &before);
    let members: Vec<String> = before.members.keys().cloned().collect();
    for id in &members {
        lifecycle::begin_termination(world, &name, id, Cause::User);
    }
    lifecycle::remove_if_deleted(world, &name);
    Ok(Value::Null)
}

/// Refuses another template while a refresh with a desired configuration is active. One recorded update to
/// the refresh's own version succeeded while the refresh was still pending.
fn allow_template(group: &Group, template: &TemplateSpec) -> ApiResult<()> {
    let Some(refresh) = group.active_refresh() else { return Ok(()) };
    match &refresh.desired {
        Some(desired) if refresh.status != Status::Pending || desired != template => Err(invalid(
            "An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active.",
        )),
        _ => Ok(()),
    }
}

/// Refuses a launch configuration: the lab has none, so none exists by that name.
fn no_launch_configuration(input: &Value) -> ApiResult<()> {
    match input.str("LaunchConfigurationName") {
        None => Ok(()),
        Some(name) => Err(invalid(format!(
            "Launch configuration name not found - A launch configuration with the name: {name} does not exist"
        ))),
    }
}

fn within_bounds(group: &Group) -> ApiResult<()> {
    if group.min > group.max {
        return Err(invalid(format!(
            "Max bound, {}, must be greater than or equal to min bound, {}",
            group.max, group.min
        )));
    }
    if !(group.min..=group.max).contains(&group.desired) {
        return Err(invalid(format!(
            "Desired capacity:{} must be between the specified min size:{} and max size:{}",
            group.desired, group.min, group.max
        )));
    }
    Ok(())
}
