//! Launching: the choice of a zone, and the handling of failed launches.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cause::{self, Cause};
use super::group::{Group, LifecycleState, Member};
use super::queue::schedule;
use super::state::Event;
use super::{activities, errors};
use crate::services::ec2;
use crate::wire::{ApiError, Value};
use crate::world::{World, later};

/// EC2's error code for insufficient capacity; another zone may have some.
pub(super) const NO_CAPACITY: &str = "InsufficientInstanceCapacity";

/// Launches an instance in the zone with the fewest instances. If the zone has no capacity, the activity
/// fails and the next zone is tried at once; if no zone has any, the group backs off, longer each time.
/// Returns whether an instance is launching.
pub(super) fn launch(world: &mut World, name: &str, why: Cause) -> bool {
    let Some(group) = world.autoscaling.groups.get(name).filter(|group| may_launch(world, group))
    else {
        return false;
    };
    let places = subnets_by_preference(world, group);
    for (subnet, zone) in &places {
        match attempt(world, name, why, (subnet, zone)) {
            Ok(_) => {
                if let Some(group) = world.autoscaling.groups.get_mut(name) {
                    group.backoff = Default::default();
                }
                return true;
            }
            Err(error) if error.code != NO_CAPACITY => break,
            Err(_) => {}
        }
    }
    back_off(world, name);
    false
}

/// Launches an instance in one zone, beyond DesiredCapacity, to balance the zones. A failure is not retried
/// in another zone.
pub(super) fn launch_ahead(world: &mut World, name: &str, zone: &str) {
    let Some(group) = world.autoscaling.groups.get(name).filter(|group| may_launch(world, group))
    else {
        return;
    };
    let Some(place) = subnets_by_preference(world, group).into_iter().find(|(_, z)| z == zone)
    else {
        return;
    };
    if let Ok(id) = attempt(world, name, Cause::Balance, (&place.0, &place.1))
        && let Some(group) = world.autoscaling.groups.get_mut(name)
        && let Some(member) = group.members.get_mut(&id)
    {
        member.launched_ahead = true;
    }
}

/// Returns whether a zone is not skipped for lack of capacity.
pub(super) fn is_open(world: &World, group: &Group, zone: &str) -> bool {
    group.zones_without_capacity.get(zone).is_none_or(|until| *until <= world.now)
}

fn may_launch(world: &World, group: &Group) -> bool {
    group.is_process_active("Launch")
        && !group.deleting
        && group.backoff.until.is_none_or(|until| until <= world.now)
}

/// Returns subnets and zones in the order in which a launch tries them: one subnet per zone, the zone with
/// the fewest instances first, ties in the group's order. Zones that recently had no capacity come last.
fn subnets_by_preference(world: &World, group: &Group) -> Vec<(String, String)> {
    let filled = |zone: &str| {
        let counts = |m: &&Member| m.counts_toward_capacity() || m.state.is_standby();
        group.members.values().filter(|m| m.zone == zone).filter(counts).count()
    };
    let mut places: Vec<(String, String)> = Vec::new();
    for subnet in &group.subnets {
        let Some(zone) = world.ec2.subnets.get(subnet).map(|s| s.zone.clone()) else { continue };
        if places.iter().all(|(_, known)| *known != zone) {
            places.push((subnet.clone(), zone));
        }
    }
    places.sort_by_key(|(_, zone)| (!is_open(world, group, zone), filled(zone)));
    places
}

/// Attempts one launch in one subnet; its activity is recorded either way.
fn attempt(
    world: &mut World,
    name: &str,
    why: Cause,
    place: (&str, &str),
) -> Result<String, ApiError> {
    let (subnet, zone) = place;
    let Some(group) = world.autoscaling.groups.get(name) else {
        return Err(errors::not_found(name));
    };
    let spec = group.effective_template().clone();
    let cause = cause::of_launch(group, why, world.now);
    let number = spec.number(world);
    let template = (spec.id.clone(), spec.name.clone(), number.unwrap_or(0));
    let tags = tags(group, name, &template);
    let starts_in = world.params.launch;
    let launched = ec2::launch(world, (&spec.id, template.2), subnet, tags, starts_in);
    match launched {
        Ok(id) => {
            let description = format!("Launching a new EC2 instance: {id}");
            let activity = activities::begin(world, name, description, cause, place);
            let machine = spec.instance_type().or_else(|| {
                let instance = world.ec2.instances.get(&id)?;
                instance.data.str("instanceType").map(str::to_owned)
            });
            put_type(world, &id, spec.instance_type());
            let now = world.now;
            if let Some(group) = world.autoscaling.groups.get_mut(name) {
                let member = Member {
                    state: LifecycleState::Pending,
                    healthy: true,
                    protected: group.protects_new,
                    zone: zone.to_owned(),
                    instance_type: machine,
                    template,
                    launched: now,
                    in_service: None,
                    activity,
                    actions: Vec::new(),
                    impaired: None,
                    launched_ahead: false,
                };
                group.members.insert(id.clone(), member);
                group.zones_without_capacity.remove(zone);
            }
            schedule(world, starts_in, Event::InService(name.to_owned(), id.clone()));
            Ok(id)
        }
        Err(error) => {
            let message = format!("{} Launching EC2 instance failed.", sentence(&error.message));
            let description = format!("Launching a new EC2 instance.  Status Reason: {message}");
            let activity = activities::begin(world, name, description, cause, place);
            let (now, shunned) = (world.now, later(world.now, world.params.zone_without_capacity));
            if let Some(group) = world.autoscaling.groups.get_mut(name) {
                activities::fail(group, &activity, message, now);
                if error.code == NO_CAPACITY {
                    group.zones_without_capacity.insert(zone.to_owned(), shunned);
                }
            }
            Err(error)
        }
    }
}

/// Sets a mixed instances policy's type in place of the template's.
fn put_type(world: &mut World, id: &str, machine: Option<String>) {
    if let Some(machine) = machine
        && let Some(instance) = world.ec2.instances.get_mut(id)
        && let Value::Map(members) = &mut instance.data
    {
        members.retain(|(key, _)| key != "instanceType");
        members.push(("instanceType".into(), machine.into()));
    }
}

/// Returns the tags of an instance: the group's propagated tags, and AWS's own.
fn tags(group: &Group, name: &str, template: &(String, String, u64)) -> BTreeMap<String, String> {
    let own = [
        ("aws:autoscaling:groupName", name.to_owned()),
        ("aws:ec2launchtemplate:id", template.0.clone()),
        ("aws:ec2launchtemplate:version", template.2.to_string()),
    ];
    group
        .tags
        .iter()
        .filter(|(_, tag)| tag.propagates)
        .map(|(key, tag)| (key.clone(), tag.value.clone()))
        .chain(own.map(|(key, value)| (key.to_owned(), value)))
        .collect()
}

/// Suspends launches for a time that doubles with each consecutive failure, up to a limit.
fn back_off(world: &mut World, name: &str) {
    let (first, most) = (world.params.launch_retry, world.params.launch_retry_max);
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    let doubled = first.saturating_mul(1 << group.backoff.failures.min(16));
    let wait: Duration = doubled.min(most);
    group.backoff.failures += 1;
    group.backoff.until = Some(later(now, wait));
    schedule(world, wait, Event::Converge(name.to_owned()));
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
