//! Reads that answer from the past: AWS calls them eventually consistent. States of services as they
//! were before each change are kept for as long as a read may be behind.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use jiff::Timestamp;

use crate::services::{autoscaling, ec2, elbv2, ssm};
use crate::wire::{Call, Service};
use crate::world::{Event, Rng, World, later};

/// Earlier states, the oldest first.
#[derive(Debug, Clone)]
pub(super) struct Past {
    states: VecDeque<(Timestamp, State)>,
    rng: Rng,
}

/// A service as it was before a change.
#[derive(Debug, Clone)]
enum State {
    Autoscaling(Box<autoscaling::State>),
    Ec2(Box<ec2::State>),
    Elbv2(Box<elbv2::State>),
    Ssm(Box<ssm::State>),
}

impl Past {
    /// No past yet.
    pub(super) fn new(seed: u64) -> Past {
        let rng = Rng::new(seed.rotate_left(48) ^ 0x7374_616c_6500_0000);
        Past { states: VecDeque::new(), rng }
    }
}

impl State {
    fn of(world: &World, service: Service) -> Option<State> {
        Some(match service {
            Service::Autoscaling => State::Autoscaling(Box::new(world.autoscaling.clone())),
            Service::Ec2 => State::Ec2(Box::new(world.ec2.clone())),
            Service::Elbv2 => State::Elbv2(Box::new(world.elbv2.clone())),
            Service::Ssm => State::Ssm(Box::new(world.ssm.clone())),
            _ => return None,
        })
    }

    fn service(&self) -> Service {
        match self {
            State::Autoscaling(_) => Service::Autoscaling,
            State::Ec2(_) => Service::Ec2,
            State::Elbv2(_) => Service::Elbv2,
            State::Ssm(_) => Service::Ssm,
        }
    }

    fn swap(&mut self, world: &mut World) {
        match self {
            State::Autoscaling(state) => mem::swap(&mut **state, &mut world.autoscaling),
            State::Ec2(state) => mem::swap(&mut **state, &mut world.ec2),
            State::Elbv2(state) => mem::swap(&mut **state, &mut world.elbv2),
            State::Ssm(state) => mem::swap(&mut **state, &mut world.ssm),
        }
    }
}

/// What a change in one service may change besides: Auto Scaling launches, registers and ends.
fn touched(service: Service) -> &'static [Service] {
    match service {
        Service::Autoscaling => &[Service::Autoscaling, Service::Ec2, Service::Elbv2],
        Service::Ec2 => &[Service::Ec2],
        Service::Elbv2 => &[Service::Elbv2],
        Service::Ssm => &[Service::Ssm],
        _ => &[],
    }
}

/// Keeps services as they are now, before they change; at one time only as they were first.
fn keep(world: &mut World, services: &[Service]) {
    let now = world.now;
    for service in services {
        let states = &world.faults.past.states;
        let mut kept = states.iter().rev().take_while(|(at, _)| *at == now);
        if kept.any(|(_, state)| state.service() == *service) {
            continue;
        }
        if let Some(state) = State::of(world, *service) {
            world.faults.past.states.push_back((now, state));
        }
    }
}

/// What happens by itself changes services, too: health, states of instances and of refreshes. Nothing
/// is kept where reads are never behind.
pub(crate) fn before_event(world: &mut World, event: &Event) {
    let bound = world.faults.stale;
    if bound.is_zero() {
        return;
    }
    forget(world, bound);
    let service = match event {
        // Only CloudWatch reads these counts.
        Event::Autoscaling(autoscaling::Event::Sample(..)) => return,
        // Nodes learn what the API has long told.
        Event::Elbv2(elbv2::Event::Learn { .. }) => return,
        Event::Autoscaling(_) => Service::Autoscaling,
        Event::Ec2(_) | Event::Faults(_) => Service::Ec2,
        Event::Elbv2(_) => Service::Elbv2,
        Event::Ecr(_) | Event::Traffic(_) => return,
    };
    keep(world, touched(service));
}

/// Whether a call only reads, and may be behind. Parameter Store's reads by name are not: nothing is
/// said of either (a guess).
fn is_stale_read(call: &Call) -> bool {
    let operation = call.operation.as_str();
    match call.service {
        Service::Ssm => matches!(operation, "GetParametersByPath" | "DescribeParameters"),
        _ => operation.starts_with("Describe"),
    }
}

/// Answers a call by `answer`; if it reads, perhaps from an earlier state.
pub(crate) fn answer<R>(
    world: &mut World,
    call: &Call,
    answer: impl FnOnce(&mut World, &Call) -> R,
) -> R {
    let bound = world.faults.stale;
    if bound.is_zero() {
        return answer(world, call);
    }
    forget(world, bound);
    if !is_stale_read(call) {
        keep(world, touched(call.service));
        return answer(world, call);
    }
    let behind = world.faults.past.rng.between(Duration::ZERO, bound);
    let Some(at) = before_change_after(world, call.service, behind) else {
        return answer(world, call);
    };
    // Out of the ring while it stands in for the present, and back to its place.
    let Some((when, mut state)) = world.faults.past.states.remove(at) else {
        return answer(world, call);
    };
    state.swap(world);
    let answered = answer(world, call);
    state.swap(world);
    world.faults.past.states.insert(at, (when, state));
    answered
}

/// The place of the state that held so long ago: the one before the first change since.
fn before_change_after(world: &World, service: Service, behind: Duration) -> Option<usize> {
    let since = world.now.checked_sub(behind).ok()?;
    let states = &world.faults.past.states;
    states.iter().position(|(at, state)| *at > since && state.service() == service)
}

/// Forgets what no read can be behind by any more.
fn forget(world: &mut World, bound: Duration) {
    let now = world.now;
    let states = &mut world.faults.past.states;
    while states.front().is_some_and(|(at, _)| later(*at, bound) < now) {
        states.pop_front();
    }
}
