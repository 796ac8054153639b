//! The health of targets. The checks of one target group fall together, every interval: AWS's nodes
//! spread theirs, but one moment a group keeps the history short and changes nothing that a caller
//! could see apart from a few seconds.

use std::time::Duration;

use super::{Event, HealthCheck, Reason, Target, TargetGroup, TargetState, target_groups};
use crate::services::ec2::{self, InstanceState};
use crate::traffic;
use crate::world::{self, World, later};

/// The health of an instance in a target group; none if it isn't there, or not any longer.
pub fn target_state(world: &World, group: &str, instance: &str) -> Option<TargetState> {
    Some(world.elbv2.target_groups.get(group)?.targets.get(instance)?.state)
}

/// Makes a registered target that is in use healthy at once: for a world that begins settled.
pub fn settle(world: &mut World, group: &str, instance: &str) {
    let target_group = world.elbv2.target_groups.get_mut(group);
    let target = target_group.and_then(|g| g.targets.get_mut(instance));
    if let Some(target) = target
        && matches!(target.state, TargetState::Initial | TargetState::Unhealthy)
    {
        (target.state, target.reason) = (TargetState::Healthy, None);
    }
}

/// Looks again at whether the targets of a group are in use: after a registration, or after a rule
/// began or ceased to name the group. Those that come into use are checked for the first time after
/// `Params::first_check`.
pub(super) fn usage_changed(world: &mut World, group: &str) {
    let balancer = target_groups::used_by(world, group).map(str::to_owned);
    let zones = balancer.and_then(|arn| world.elbv2.load_balancers.get(&arn)).map(|b| &b.nodes);
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    for (id, target) in &mut target_group.targets {
        let unused = match zones {
            None => Some(Reason::NotInUse),
            Some(zones) if !zones.contains_key(&target.zone) => Some(Reason::ZoneNotEnabled),
            Some(_) => None,
        };
        match (target.state, unused) {
            (TargetState::Draining, _) => {}
            (TargetState::Unused, None) if target.reason == Some(Reason::InvalidState) => {}
            (_, Some(reason)) => {
                (target.state, target.reason) = (TargetState::Unused, Some(reason));
            }
            (TargetState::Unused, None) => {
                target.state = TargetState::Initial;
                target.reason = Some(Reason::RegistrationInProgress);
                (target.passed, target.failed) = (0, 0);
                let event = Event::FirstCheck {
                    target_group: group.to_owned(),
                    target: id.clone(),
                    serial: target.serial,
                };
                world
                    .queue
                    .push(later(world.now, world.params.first_check), world::Event::Elbv2(event));
            }
            (_, None) => {}
        }
    }
    if zones.is_some() && !target_group.targets.is_empty() && !target_group.sweeping {
        target_group.sweeping = true;
        let event = Event::Sweep { target_group: group.to_owned() };
        world
            .queue
            .push(later(world.now, target_group.health.interval), world::Event::Elbv2(event));
    }
}

/// The first check of a target after its registration.
pub(super) fn first_check(world: &mut World, group: &str, instance: &str, serial: u64) {
    let answer = ask(world, group, instance);
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let TargetGroup { targets, health, .. } = target_group;
    if let Some(target) = targets.get_mut(instance).filter(|t| t.serial == serial) {
        judge(target, answer, health);
    }
}

/// The periodic check of all targets of a group; it goes on while the group has any and is in use.
/// Instances that are gone leave their groups.
pub(super) fn sweep(world: &mut World, group: &str) {
    let used = target_groups::used_by(world, group).is_some();
    let Some(target_group) = world.elbv2.target_groups.get(group) else { return };
    let answers: Vec<(String, Answer)> =
        target_group.targets.keys().map(|id| (id.clone(), ask(world, group, id))).collect();
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let TargetGroup { targets, health, sweeping, .. } = target_group;
    for (id, answer) in answers {
        match targets.get_mut(&id) {
            Some(target) if matches!(answer, Answer::Gone) && !draining(target) => {
                targets.remove(&id);
            }
            // Its own first check comes before its first periodic one.
            Some(target) if target.reason != Some(Reason::RegistrationInProgress) => {
                judge(target, answer, health);
            }
            _ => {}
        }
    }
    *sweeping = used && !targets.is_empty();
    if *sweeping {
        let event = Event::Sweep { target_group: group.to_owned() };
        world.queue.push(later(world.now, health.interval), world::Event::Elbv2(event));
    }
}

/// What a health check request meets.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// An HTTP status.
    Status(u16),
    /// No answer in time.
    Nothing,
    /// No connection: the instance runs, and nothing on it listens.
    NoConnection,
    /// An instance that is being ended, or has been stopped.
    Ending,
    /// No instance.
    Gone,
}

/// Asks an instance for the group's path. Its program listens on the port that it is registered with, and
/// nothing else on the instance does. That many requests make it slow is not felt here (a simplification).
fn ask(world: &World, group: &str, id: &str) -> Answer {
    let Some(instance) = world.ec2.instances.get(id) else { return Answer::Gone };
    match instance.state {
        InstanceState::Terminated => Answer::Gone,
        InstanceState::ShuttingDown | InstanceState::Stopping | InstanceState::Stopped => {
            Answer::Ending
        }
        InstanceState::Pending => Answer::Nothing,
        InstanceState::Running if ec2::answers(world, id) => {
            let target_group = world.elbv2.target_groups.get(group);
            let target = target_group.and_then(|group| group.targets.get(id));
            let Some((group, target)) = target_group.zip(target) else { return Answer::Gone };
            let HealthCheck { path, port, timeout, .. } = &group.health;
            if port.parse::<u16>().is_ok_and(|port| port != target.port) {
                return Answer::NoConnection;
            }
            if Duration::from_millis(instance.program.latency_ms) > *timeout {
                return Answer::Nothing;
            }
            Answer::Status(traffic::health(world, &instance.program, path))
        }
        InstanceState::Running => {
            let zone = world.ec2.zones.get(&instance.zone);
            let alive = zone.is_none_or(|zone| zone.alive);
            if alive { Answer::NoConnection } else { Answer::Nothing }
        }
    }
}

fn draining(target: &Target) -> bool {
    target.state == TargetState::Draining
}

/// Counts one check. A new target is healthy after one passed check whatever the threshold (user
/// guide); otherwise the thresholds decide.
fn judge(target: &mut Target, answer: Answer, health: &HealthCheck) {
    if matches!(answer, Answer::Ending | Answer::Gone) && !draining(target) {
        (target.state, target.reason) = (TargetState::Unused, Some(Reason::InvalidState));
    } else if target.reason == Some(Reason::InvalidState) {
        // A stopped instance that was started again.
        target.state = TargetState::Initial;
        target.reason = Some(Reason::InitialHealthChecking);
        (target.passed, target.failed) = (0, 0);
    }
    if matches!(target.state, TargetState::Draining | TargetState::Unused) {
        return;
    }
    let failure = match answer {
        Answer::Status(status) if health.accepts(status) => None,
        Answer::Status(status) => Some(Reason::ResponseCodeMismatch(status)),
        Answer::NoConnection => Some(Reason::FailedHealthChecks),
        Answer::Nothing | Answer::Ending | Answer::Gone => Some(Reason::Timeout),
    };
    match failure {
        None => {
            (target.passed, target.failed) = (target.passed + 1, 0);
            if target.state == TargetState::Initial || target.passed >= health.healthy {
                (target.state, target.reason) = (TargetState::Healthy, None);
            }
        }
        Some(reason) => {
            (target.passed, target.failed) = (0, target.failed + 1);
            if target.failed >= health.unhealthy {
                (target.state, target.reason) = (TargetState::Unhealthy, Some(reason));
            } else if target.state == TargetState::Initial {
                target.reason = Some(Reason::InitialHealthChecking);
            }
        }
    }
}
