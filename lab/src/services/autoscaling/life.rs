//! An instance's way into a group and out of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::activities::{self, ActivityStatus, stamp};
use super::{Event, Group, Lifecycle, Member, attachments, capacity, schedule};
use crate::services::{ec2, elbv2};
use crate::world::World;

/// How often an instance that leaves is looked at. A guess.
const LOOK: Duration = Duration::from_secs(5);
/// How long after a failed launch the next is tried. A guess.
const RETRY: Duration = Duration::from_secs(60);

/// Why an instance comes or goes; it ends the cause of its activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The desired capacity is another.
    Capacity,
    /// An instance refresh replaces it.
    Refresh,
    /// It, or what it replaces, is unhealthy by EC2's word.
    Ec2Health,
    /// It is unhealthy by the load balancer's word.
    ElbHealth,
    /// A person has asked.
    User,
}

/// Launches an instance in the zone that has the fewest. Where that fails, the activity says so and
/// another try follows.
pub(super) fn launch(world: &mut World, name: &str, why: Why) {
    let Some(group) = world.autoscaling.groups.get(name).filter(|group| group.runs("Launch"))
    else {
        return;
    };
    let Some(subnet) = capacity::emptiest_subnet(world, group) else { return };
    let zone = world.ec2.subnets.get(&subnet).map(|s| s.zone.clone()).unwrap_or_default();
    let spec = group.launches_from().clone();
    let live = group.live().count();
    let at = stamp(world.now);
    let cause = match why {
        Why::Refresh => {
            format!("At {at} an instance was launched in response to an instance refresh.")
        }
        Why::Ec2Health | Why::ElbHealth => format!(
            "At {at} an instance was launched in response to an unhealthy instance needing to be replaced."
        ),
        Why::Capacity | Why::User => format!(
            "{}At {at} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {live} to {}.",
            group.reason.as_ref().map(|reason| format!("{reason}  ")).unwrap_or_default(),
            live + 1,
        ),
    };
    let number = spec.number(world);
    let mut tags: BTreeMap<String, String> = group
        .tags
        .iter()
        .filter(|(_, tag)| tag.propagates)
        .map(|(key, tag)| (key.clone(), tag.value.clone()))
        .collect();
    tags.insert("aws:autoscaling:groupName".to_owned(), name.to_owned());
    tags.insert("aws:ec2launchtemplate:id".to_owned(), spec.id.clone());
    tags.insert(
        "aws:ec2launchtemplate:version".to_owned(),
        number.map(|n| n.to_string()).unwrap_or_default(),
    );
    let starts_in = world.params.launch;
    let launched = ec2::launch(world, (&spec.id, number.unwrap_or(0)), &subnet, tags, starts_in);
    let place = (subnet.as_str(), zone.as_str());
    match launched {
        Ok(id) => {
            let description = format!("Launching a new EC2 instance: {id}");
            let activity = activities::begin(world, name, description, cause, place);
            let machine = world
                .ec2
                .instances
                .get(&id)
                .and_then(|instance| instance.data.str("instanceType").map(str::to_owned));
            let now = world.now;
            if let Some(group) = world.autoscaling.groups.get_mut(name) {
                let member = Member {
                    state: Lifecycle::Pending,
                    healthy: true,
                    protected: group.protects_new,
                    zone,
                    machine,
                    template: (spec.id, spec.name, number.unwrap_or(0)),
                    launched: now,
                    in_service: None,
                    activity,
                };
                group.members.insert(id.clone(), member);
            }
            schedule(world, starts_in, Event::InService(name.to_owned(), id));
        }
        Err(error) => {
            let description = "Launching a new EC2 instance.  Status Reason: the launch failed.";
            let activity = activities::begin(world, name, description.to_owned(), cause, place);
            let now = world.now;
            if let Some(group) = world.autoscaling.groups.get_mut(name) {
                let message = format!("{}. Launching EC2 instance failed.", error.message);
                activities::fail(group, &activity, message, now);
            }
            schedule(world, RETRY, Event::Converge(name.to_owned()));
        }
    }
}

/// A launched instance runs, is registered, and with that in service: InService says nothing of the
/// load balancer finding it healthy.
pub(super) fn in_service(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    let registers = group.runs("AddToLoadBalancer");
    let Some(member) = group.members.get_mut(id).filter(|m| m.state == Lifecycle::Pending) else {
        return;
    };
    member.state = Lifecycle::InService;
    member.in_service = Some(now);
    let activity = member.activity.clone();
    activities::set(group, &activity, ActivityStatus::Successful, now);
    let target_groups = group.target_groups.clone();
    ec2::run(world, id);
    if registers {
        attachments::register(world, &target_groups, id);
    }
}

/// Takes an instance out: it leaves its target groups, drains, and ends.
pub(super) fn take_out(world: &mut World, name: &str, id: &str, why: Why) {
    let at = stamp(world.now);
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(|g| g.runs("Terminate")) else {
        return;
    };
    let live = group.live().count();
    let reason = group.reason.as_ref().map(|reason| format!("{reason}  ")).unwrap_or_default();
    let Some(member) = group.members.get_mut(id).filter(|m| m.state != Lifecycle::Terminating)
    else {
        return;
    };
    member.state = Lifecycle::Terminating;
    let zone = member.zone.clone();
    let cause = match why {
        Why::Refresh => {
            format!(
                "At {at} an instance was taken out of service in response to an instance refresh."
            )
        }
        Why::Ec2Health => format!(
            "At {at} an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped."
        ),
        Why::ElbHealth => format!(
            "At {at} an instance was taken out of service in response to an ELB system health check failure."
        ),
        Why::User => {
            format!("At {at} an instance was taken out of service in response to a user request.")
        }
        Why::Capacity => format!(
            "{reason}At {at} an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from {live} to {}.",
            live.saturating_sub(1),
        ),
    };
    let target_groups = group.target_groups.clone();
    let subnet = world.ec2.instances.get(id).map(|i| i.subnet.clone()).unwrap_or_default();
    let description = format!("Terminating EC2 instance: {id}");
    let activity = activities::begin(world, name, description, cause, (&subnet, &zone));
    for target_group in &target_groups {
        elbv2::deregister(world, target_group, id);
    }
    if let Some(group) = world.autoscaling.groups.get_mut(name) {
        if !target_groups.is_empty() {
            activities::set(group, &activity, ActivityStatus::Draining, world.now);
        }
        if let Some(member) = group.members.get_mut(id) {
            member.activity = activity;
        }
    }
    deregistered(world, name, id);
}

/// An instance that leaves ends once no target group knows it any more.
pub(super) fn deregistered(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(member) = group.members.get(id) else { return };
    let activity = member.activity.clone();
    let drains = group
        .target_groups
        .iter()
        .any(|target_group| elbv2::target_state(world, target_group, id).is_some());
    if drains {
        schedule(world, LOOK, Event::Deregistered(name.to_owned(), id.to_owned()));
        return;
    }
    if let Some(group) = world.autoscaling.groups.get_mut(name) {
        activities::set(group, &activity, ActivityStatus::InProgress, now);
    }
    ec2::terminate(world, id);
    let delay = world.params.terminate;
    schedule(world, delay, Event::Gone(name.to_owned(), id.to_owned()));
}

/// An instance is no longer the group's; a group that was being deleted goes with its last.
pub(super) fn gone(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if let Some(member) = group.members.remove(id) {
        activities::set(group, &member.activity, ActivityStatus::Successful, now);
    }
    remove_if_deleted(world, name);
}

/// Removes a group that is being deleted and has no instance left.
pub(super) fn remove_if_deleted(world: &mut World, name: &str) {
    let ended = |group: &Group| group.deleting && group.members.is_empty();
    if world.autoscaling.groups.get(name).is_some_and(ended) {
        world.autoscaling.groups.remove(name);
    }
}
