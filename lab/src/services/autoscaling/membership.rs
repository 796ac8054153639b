//! Operations that move instances into and out of standby, or attach and detach them.

use super::activities::{self, stamp};
use super::activity::ActivityStatus;
use super::errors::{invalid, not_found};
use super::group::{Group, LifecycleState, Member};
use super::members::{all_in, ids};
use super::queue::schedule;
use super::request::{group_to_update, named};
use super::state::Event;
use super::{capacity, lifecycle};
use crate::services::ec2::InstanceState;
use crate::services::elbv2;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The operation that moves instances.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Attach,
    Detach,
    Enter,
    Exit,
}

impl Move {
    /// Returns the description and the cause of the activity, as the user guide shows them.
    fn words(self, id: &str, at: &str, from: u64, to: u64) -> (String, String) {
        let (what, how) = match self {
            Move::Attach => ("Attaching EC2 instance", "an instance was attached"),
            Move::Detach => ("Detaching EC2 instance", "an instance was detached"),
            Move::Enter => ("Moving EC2 instance to Standby", "was moved to standby"),
            Move::Exit => ("Moving EC2 instance out of Standby", "was moved out of standby"),
        };
        let subject = match self {
            Move::Attach | Move::Detach => how.to_owned(),
            Move::Enter | Move::Exit => format!("instance {id} {how}"),
        };
        let change = match from.cmp(&to) {
            std::cmp::Ordering::Less => format!(", increasing the capacity from {from} to {to}"),
            std::cmp::Ordering::Greater => format!(", shrinking the capacity from {from} to {to}"),
            std::cmp::Ordering::Equal => String::new(),
        };
        let cause = format!("At {at} {subject} in response to a user request{change}.");
        (format!("{what}: {id}"), cause)
    }

    fn verb(self) -> &'static str {
        match self {
            Move::Attach => "attach",
            Move::Detach => "detach",
            Move::Enter => "place into standby",
            Move::Exit => "place into service",
        }
    }
}

/// `EnterStandby`: the instance leaves its target groups and stops counting toward DesiredCapacity, but stays
/// in the group.
pub(super) fn enter_standby(world: &mut World, input: &Value) -> ApiResult<Value> {
    leave(world, input, Move::Enter, LifecycleState::EnteringStandby)
}

/// `DetachInstances`: the instance leaves its target groups and the group, and keeps running.
pub(super) fn detach(world: &mut World, input: &Value) -> ApiResult<Value> {
    leave(world, input, Move::Detach, LifecycleState::Detaching)
}

fn leave(world: &mut World, input: &Value, how: Move, state: LifecycleState) -> ApiResult<Value> {
    let lowers = input
        .bool("ShouldDecrementDesiredCapacity")
        .ok_or_else(|| invalid("The parameter ShouldDecrementDesiredCapacity is required"))?;
    let ids = ids(input)?;
    let group = named(world, input)?;
    all_in(group, &ids)?;
    let fits = |state: LifecycleState| {
        state == LifecycleState::InService
            || (how == Move::Detach && state == LifecycleState::Standby)
    };
    if let Some(id) = ids.iter().find(|id| !group.members.get(*id).is_some_and(|m| fits(m.state))) {
        let state = group.members.get(id).map_or("Terminated", |m| m.state.as_str());
        return Err(invalid(format!("The instance {id} is not in InService: it is in {state}.")));
    }
    let counted = ids
        .iter()
        .filter(|id| group.members.get(*id).is_some_and(Member::counts_toward_capacity))
        .count() as u64;
    if lowers && group.desired < group.min + counted {
        return Err(sizes(group, how, counted));
    }
    let before = group.desired;
    let after = if lowers { before - counted } else { before };
    group.desired = after;
    let (name, target_groups) = (group.name.clone(), group.target_groups.clone());
    let written = write(world, &name, &ids, how, (before, after));
    for id in &ids {
        set_state(world, &name, id, state);
        for target_group in &target_groups {
            elbv2::deregister(world, target_group, id);
        }
        lifecycle::check_deregistration(world, &name, id);
    }
    capacity::converge_soon(world, &name);
    Ok(answer(world, &name, &written))
}

/// `ExitStandby`: the instance returns to service through Pending and the launch hooks, and raises
/// DesiredCapacity.
pub(super) fn exit_standby(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = ids(input)?;
    let group = named(world, input)?;
    all_in(group, &ids)?;
    let aside =
        |id: &&String| group.members.get(*id).is_some_and(|m| m.state == LifecycleState::Standby);
    if let Some(id) = ids.iter().find(|id| !aside(id)) {
        return Err(invalid(format!("The instance {id} is not in Standby.")));
    }
    let count = ids.len() as u64;
    if group.desired + count > group.max {
        return Err(sizes(group, Move::Exit, count));
    }
    let before = group.desired;
    group.desired += count;
    let name = group.name.clone();
    let written = write(world, &name, &ids, Move::Exit, (before, before + count));
    come(world, &name, &ids);
    Ok(answer(world, &name, &written))
}

/// `AttachInstances`: running instances in the group's zones that belong to no group join it and raise
/// DesiredCapacity.
pub(super) fn attach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = ids(input)?;
    let name = group_to_update(world, input)?.name.clone();
    let group = world.autoscaling.groups.get(&name).ok_or_else(|| not_found(&name))?;
    for id in &ids {
        attachable(world, group, id)?;
    }
    let count = ids.len() as u64;
    if group.desired + count > group.max {
        return Err(sizes(group, Move::Attach, count));
    }
    let before = group.desired;
    for id in &ids {
        let Some(member) = member(world, id) else { continue };
        if let Some(group) = world.autoscaling.groups.get_mut(&name) {
            let protected = group.protects_new;
            group.members.insert(id.clone(), Member { protected, ..member });
            group.desired += 1;
        }
    }
    write(world, &name, &ids, Move::Attach, (before, before + count));
    come(world, &name, &ids);
    Ok(Value::Null)
}

fn attachable(world: &World, group: &Group, id: &str) -> ApiResult<()> {
    let instance = world.ec2.instances.get(id);
    let Some(instance) = instance.filter(|i| i.state == InstanceState::Running) else {
        return Err(invalid(format!(
            "Invalid Instances in the request: {id} is not in correct state. Instance(s) must be in 'running' state."
        )));
    };
    if let Some(owner) = world.autoscaling.groups.values().find(|g| g.members.contains_key(id)) {
        return Err(invalid(format!(
            "Invalid Instances in the request: {id} is already part of AutoScalingGroup:{}",
            owner.name
        )));
    }
    if !group.zones.contains(&instance.zone) {
        return Err(invalid(format!(
            "Invalid Instances in the request: {id} is in the Availability Zone {}, which is not one of the group's",
            instance.zone
        )));
    }
    Ok(())
}

/// Returns an instance as a pending member of a group.
fn member(world: &World, id: &str) -> Option<Member> {
    let instance = world.ec2.instances.get(id)?;
    let (template, version) = instance.template.clone();
    let known = world.ec2.templates.get(&template);
    let name = known.map(|template| template.name.clone()).unwrap_or_default();
    Some(Member {
        state: LifecycleState::Pending,
        healthy: true,
        protected: false,
        zone: instance.zone.clone(),
        instance_type: instance.data.str("instanceType").map(str::to_owned),
        template: (template, name, version),
        launched: instance.launched,
        in_service: None,
        activity: String::new(),
        actions: Vec::new(),
        impaired: None,
        launched_ahead: false,
    })
}

fn come(world: &mut World, name: &str, ids: &[String]) {
    let delay = world.params.launch;
    for id in ids {
        set_state(world, name, id, LifecycleState::Pending);
        schedule(world, delay, Event::InService(name.to_owned(), id.clone()));
    }
}

fn set_state(world: &mut World, name: &str, id: &str, state: LifecycleState) {
    let group = world.autoscaling.groups.get_mut(name);
    if let Some(member) = group.and_then(|group| group.members.get_mut(id)) {
        member.state = state;
    }
}

/// Records one activity per instance, each with its own step of the capacity, and returns their ids.
fn write(
    world: &mut World,
    name: &str,
    ids: &[String],
    how: Move,
    (before, after): (u64, u64),
) -> Vec<String> {
    let at = stamp(world.now);
    let step = |i: usize| {
        let i = i as u64;
        if after >= before { (before + i).min(after) } else { before.saturating_sub(i).max(after) }
    };
    let mut written = Vec::new();
    for (i, id) in ids.iter().enumerate() {
        let (description, cause) = how.words(id, &at, step(i), step(i + 1));
        let instance = world.ec2.instances.get(id);
        let place = instance.map(|i| (i.subnet.clone(), i.zone.clone())).unwrap_or_default();
        let activity = activities::begin(world, name, description, cause, (&place.0, &place.1));
        let now = world.now;
        if let Some(group) = world.autoscaling.groups.get_mut(name) {
            if matches!(how, Move::Exit | Move::Attach) {
                activities::set(group, &activity, ActivityStatus::PreInService, now);
            }
            if let Some(member) = group.members.get_mut(id) {
                member.activity.clone_from(&activity);
            }
        }
        written.push(activity);
    }
    written
}

fn answer(world: &World, name: &str, written: &[String]) -> Value {
    let activities = world.autoscaling.groups.get(name).map_or_else(Vec::new, |group| {
        let chosen = group.activities.iter().filter(|activity| written.contains(&activity.id));
        chosen.map(|activity| activities::to_value(group, activity)).collect()
    });
    map([("Activities", activities.into())])
}

fn sizes(group: &Group, how: Move, count: u64) -> crate::wire::ApiError {
    invalid(format!(
        "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. To {} {count} more instance, please update the AutoScalingGroup sizes appropriately.",
        group.name,
        group.min,
        group.max,
        group.desired,
        how.verb(),
    ))
}
