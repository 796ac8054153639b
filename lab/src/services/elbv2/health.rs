//! The health of targets. All targets of a target group are checked at the same moment, once per interval. AWS's
//! nodes spread their checks; checking at once keeps the history short, and callers see a difference of at most
//! a few seconds.

use std::time::Duration;

use super::find;
use super::health_check::HealthCheck;
use super::state::Event;
use super::target::Target;
use super::target_group::TargetGroup;
use super::target_state::{HealthReason, TargetState};
use crate::services::ec2::{self, InstanceState};
use crate::traffic;
use crate::world::{self, World, later};

/// Returns the health state of an instance in a target group; none if it isn't registered, or no longer.
pub fn target_state(world: &World, group: &str, instance: &str) -> Option<TargetState> {
    Some(world.elbv2.target_groups.get(group)?.targets.get(instance)?.state)
}

/// Makes a registered target that is in use healthy at once, for worlds that start in a steady state.
pub fn mark_healthy(world: &mut World, group: &str, instance: &str) {
    let target_group = world.elbv2.target_groups.get_mut(group);
    let target = target_group.and_then(|g| g.targets.get_mut(instance));
    if let Some(target) = target
        && matches!(target.state, TargetState::Initial | TargetState::Unhealthy)
    {
        (target.state, target.reason) = (TargetState::Healthy, None);
    }
}

/// Updates whether the targets of a group are in use, after a registration, a change of the rules that name the
/// group, or a change of the load balancer's zones. Targets that are newly in use get their first health check
/// after `Params::first_check`.
pub(super) fn update_usage(world: &mut World, group: &str) {
    let balancer = find::load_balancer_of(world, group).map(str::to_owned);
    let zones = balancer.and_then(|arn| world.elbv2.load_balancers.get(&arn)).map(|b| &b.nodes);
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    for (id, target) in &mut target_group.targets {
        let unused = match zones {
            None => Some(HealthReason::NotInUse),
            Some(zones) if !zones.contains_key(&target.zone) => Some(HealthReason::ZoneNotEnabled),
            Some(_) => None,
        };
        match (target.state, unused) {
            (TargetState::Draining, _) => {}
            (TargetState::Unused, None) if target.reason == Some(HealthReason::InvalidState) => {}
            (_, Some(reason)) => {
                (target.state, target.reason) = (TargetState::Unused, Some(reason));
            }
            (TargetState::Unused, None) => {
                target.state = TargetState::Initial;
                target.reason = Some(HealthReason::RegistrationInProgress);
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
    if zones.is_some() && !target_group.targets.is_empty() && !target_group.check_scheduled {
        target_group.check_scheduled = true;
        let event = Event::PeriodicCheck { target_group: group.to_owned() };
        world
            .queue
            .push(later(world.now, target_group.health.interval), world::Event::Elbv2(event));
    }
}

/// Runs the first health check of a target after its registration.
pub(super) fn first_check(world: &mut World, group: &str, instance: &str, serial: u64) {
    let answer = run_check(world, group, instance);
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let TargetGroup { targets, health, .. } = target_group;
    if let Some(target) = targets.get_mut(instance).filter(|t| t.serial == serial) {
        apply_result(target, answer, health);
    }
}

/// Runs the periodic health check of all targets of a group, and schedules the next one while the group has
/// targets and is in use. Terminated instances are removed from the group.
pub(super) fn periodic_check(world: &mut World, group: &str) {
    let used = find::load_balancer_of(world, group).is_some();
    let Some(target_group) = world.elbv2.target_groups.get(group) else { return };
    let answers: Vec<(String, CheckResult)> =
        target_group.targets.keys().map(|id| (id.clone(), run_check(world, group, id))).collect();
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let TargetGroup { targets, health, check_scheduled: sweeping, .. } = target_group;
    for (id, answer) in answers {
        match targets.get_mut(&id) {
            Some(target) if matches!(answer, CheckResult::Gone) && !draining(target) => {
                targets.remove(&id);
            }
            // A new target gets its own first check before it takes part in the periodic one.
            Some(target) if target.reason != Some(HealthReason::RegistrationInProgress) => {
                apply_result(target, answer, health);
            }
            _ => {}
        }
    }
    *sweeping = used && !targets.is_empty();
    if *sweeping {
        let event = Event::PeriodicCheck { target_group: group.to_owned() };
        world.queue.push(later(world.now, health.interval), world::Event::Elbv2(event));
    }
}

/// The result of a health check request.
#[derive(Debug, Clone, Copy)]
enum CheckResult {
    /// An HTTP status.
    Status(u16),
    /// No response within the timeout.
    NoResponse,
    /// No connection: the instance is running, but nothing listens on the port.
    NoConnection,
    /// The instance is shutting down, stopping, or stopped.
    NotRunning,
    /// The instance is terminated or doesn't exist.
    Gone,
}

/// Sends a health check request for the group's path to an instance. Its program listens only on the port that
/// the target is registered with. Load on the program doesn't slow the response (a simplification).
fn run_check(world: &World, group: &str, id: &str) -> CheckResult {
    let Some(instance) = world.ec2.instances.get(id) else { return CheckResult::Gone };
    match instance.state {
        InstanceState::Terminated => CheckResult::Gone,
        InstanceState::ShuttingDown | InstanceState::Stopping | InstanceState::Stopped => {
            CheckResult::NotRunning
        }
        InstanceState::Pending => CheckResult::NoResponse,
        InstanceState::Running if ec2::is_responding(world, id) => {
            let target_group = world.elbv2.target_groups.get(group);
            let target = target_group.and_then(|group| group.targets.get(id));
            let Some((group, target)) = target_group.zip(target) else { return CheckResult::Gone };
            let HealthCheck { path, port, timeout, .. } = &group.health;
            if port.parse::<u16>().is_ok_and(|port| port != target.port) {
                return CheckResult::NoConnection;
            }
            if Duration::from_millis(instance.program.latency_ms) > *timeout {
                return CheckResult::NoResponse;
            }
            CheckResult::Status(traffic::health(world, &instance.program, path))
        }
        InstanceState::Running => {
            let zone = world.ec2.zones.get(&instance.zone);
            let alive = zone.is_none_or(|zone| zone.alive);
            if alive { CheckResult::NoConnection } else { CheckResult::NoResponse }
        }
    }
}

fn draining(target: &Target) -> bool {
    target.state == TargetState::Draining
}

/// Applies the result of a health check to a target. A new target is healthy after one passed check, whatever
/// the threshold (user guide); otherwise the thresholds decide.
fn apply_result(target: &mut Target, answer: CheckResult, health: &HealthCheck) {
    if matches!(answer, CheckResult::NotRunning | CheckResult::Gone) && !draining(target) {
        (target.state, target.reason) = (TargetState::Unused, Some(HealthReason::InvalidState));
    } else if target.reason == Some(HealthReason::InvalidState) {
        // A stopped instance that was started again.
        target.state = TargetState::Initial;
        target.reason = Some(HealthReason::InitialHealthChecking);
        (target.passed, target.failed) = (0, 0);
    }
    if matches!(target.state, TargetState::Draining | TargetState::Unused) {
        return;
    }
    let failure = match answer {
        CheckResult::Status(status) if health.accepts(status) => None,
        CheckResult::Status(status) => Some(HealthReason::ResponseCodeMismatch(status)),
        CheckResult::NoConnection => Some(HealthReason::FailedHealthChecks),
        CheckResult::NoResponse | CheckResult::NotRunning | CheckResult::Gone => {
            Some(HealthReason::Timeout)
        }
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
                target.reason = Some(HealthReason::InitialHealthChecking);
            }
        }
    }
}
