//! The health of targets. The checks of one target group fall together, every interval: AWS's nodes
//! spread theirs, but one moment a group keeps the history short and changes nothing that a caller
//! could see apart from a few seconds.

use super::{Event, Target, TargetGroup, target_groups, targets};
use crate::services::ec2;
use crate::world::{self, World, later};

/// `TargetHealthStateEnum`, as far as the lab goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Registered, no verdict yet.
    Initial,
    /// Gets requests.
    Healthy,
    /// Gets requests only if no target of its group is healthy.
    Unhealthy,
    /// Not checked and without requests: its group is in no rule, its zone is not enabled, or it
    /// doesn't run.
    Unused,
    /// Deregistered: no new requests.
    Draining,
    /// Health checks are off.
    Unavailable,
}

impl TargetState {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Initial => "initial",
            TargetState::Healthy => "healthy",
            TargetState::Unhealthy => "unhealthy",
            TargetState::Unused => "unused",
            TargetState::Draining => "draining",
            TargetState::Unavailable => "unavailable",
        }
    }
}

/// Why a target is not healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Not checked yet.
    RegistrationInProgress,
    /// Checked, without verdict yet.
    InitialHealthChecking,
    /// It answered with another status.
    ResponseCodeMismatch(u16),
    /// It didn't answer.
    Timeout,
    /// Not in the target group.
    NotRegistered,
    /// The group is in no rule.
    NotInUse,
    /// The load balancer has no node in the target's zone.
    ZoneNotEnabled,
    /// It is draining.
    DeregistrationInProgress,
    /// The instance doesn't run.
    InvalidState,
}

impl Reason {
    /// `TargetHealthReasonEnum`.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::RegistrationInProgress => "Elb.RegistrationInProgress",
            Reason::InitialHealthChecking => "Elb.InitialHealthChecking",
            Reason::ResponseCodeMismatch(_) => "Target.ResponseCodeMismatch",
            Reason::Timeout => "Target.Timeout",
            Reason::NotRegistered => "Target.NotRegistered",
            Reason::NotInUse | Reason::ZoneNotEnabled => "Target.NotInUse",
            Reason::DeregistrationInProgress => "Target.DeregistrationInProgress",
            Reason::InvalidState => "Target.InvalidState",
        }
    }

    /// The sentence that goes with it.
    pub fn description(&self) -> String {
        match self {
            Reason::RegistrationInProgress => "Target registration is in progress".to_owned(),
            Reason::InitialHealthChecking => "Initial health checks in progress".to_owned(),
            Reason::ResponseCodeMismatch(status) => {
                format!("Health checks failed with these codes: [{status}]")
            }
            Reason::Timeout => "Request timed out".to_owned(),
            Reason::NotRegistered => "Target is not registered to the target group".to_owned(),
            Reason::NotInUse => {
                "Target group is not configured to receive traffic from the load balancer"
                    .to_owned()
            }
            Reason::ZoneNotEnabled => {
                "Target is in an Availability Zone that is not enabled for the load balancer"
                    .to_owned()
            }
            Reason::DeregistrationInProgress => "Target deregistration is in progress".to_owned(),
            Reason::InvalidState => "Target is in the stopped state".to_owned(),
        }
    }
}

/// The health of an instance in a target group; none if it isn't there, or not any longer.
pub fn target_state(world: &World, group: &str, instance: &str) -> Option<TargetState> {
    Some(world.elbv2.target_groups.get(group)?.targets.get(instance)?.state)
}

/// Makes a registered target healthy at once: for a world that begins settled.
pub fn settle(world: &mut World, group: &str, instance: &str) {
    let target_group = world.elbv2.target_groups.get_mut(group);
    if let Some(target) = target_group.and_then(|g| g.targets.get_mut(instance)) {
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
            (_, Some(reason)) => {
                (target.state, target.reason) = (TargetState::Unused, Some(reason))
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
    let answer = ask(world, instance);
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let TargetGroup { targets, health, .. } = target_group;
    if let Some(target) = targets.get_mut(instance).filter(|t| t.serial == serial) {
        judge(target, answer, health);
    }
}

/// The periodic check of all targets of a group; it goes on while the group has any and is in use.
pub(super) fn sweep(world: &mut World, group: &str) {
    let used = target_groups::used_by(world, group).is_some();
    let Some(target_group) = world.elbv2.target_groups.get(group) else { return };
    let answers: Vec<(String, Answer)> =
        target_group.targets.keys().map(|id| (id.clone(), ask(world, id))).collect();
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    target_group.sweeping = used && !target_group.targets.is_empty();
    if !target_group.sweeping {
        return;
    }
    for (id, answer) in answers {
        match target_group.targets.get_mut(&id) {
            // Its own first check comes before its first periodic one.
            Some(target) if target.reason != Some(Reason::RegistrationInProgress) => {
                judge(target, answer, &target_group.health);
            }
            _ => {}
        }
    }
    let event = Event::Sweep { target_group: group.to_owned() };
    world.queue.push(later(world.now, target_group.health.interval), world::Event::Elbv2(event));
}

/// What a health check request meets.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Status(u16),
    Nothing,
    NotRunning,
}

/// The simulated program answers its health path with 200, or 503 while it deems itself unhealthy.
fn ask(world: &World, instance: &str) -> Answer {
    if targets::zone(world, instance).is_none() {
        return Answer::NotRunning;
    }
    if !ec2::answers(world, instance) {
        return Answer::Nothing;
    }
    let healthy = world.ec2.instances.get(instance).is_some_and(|i| i.program.healthy);
    Answer::Status(if healthy { 200 } else { 503 })
}

/// Counts one check. A new target is healthy after one passed check whatever the threshold (user
/// guide); otherwise the thresholds decide.
fn judge(target: &mut Target, answer: Answer, health: &super::HealthCheck) {
    if matches!(target.state, TargetState::Draining | TargetState::Unavailable) {
        return;
    }
    if matches!(answer, Answer::NotRunning) {
        (target.state, target.reason) = (TargetState::Unused, Some(Reason::InvalidState));
        return;
    }
    if target.state == TargetState::Unused {
        return;
    }
    let failure = match answer {
        Answer::Status(status) if health.accepts(status) => None,
        Answer::Status(status) => Some(Reason::ResponseCodeMismatch(status)),
        Answer::Nothing | Answer::NotRunning => Some(Reason::Timeout),
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
