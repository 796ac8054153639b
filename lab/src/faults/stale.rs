//! Stale reads: AWS calls them eventually consistent. The states of services before each change are kept
//! for as long as a read may be stale.

use std::mem;
use std::time::Duration;

use super::saved_states::SavedState;
use crate::services::{autoscaling, elbv2};
use crate::wire::{Call, Service};
use crate::world::{Event, World, later};

/// Returns the current state of a service; none if its reads are never stale.
fn saved(world: &World, service: Service) -> Option<SavedState> {
    Some(match service {
        Service::Autoscaling => SavedState::Autoscaling(Box::new(world.autoscaling.clone())),
        Service::Ec2 => SavedState::Ec2(Box::new(world.ec2.clone())),
        Service::Elbv2 => SavedState::Elbv2(Box::new(world.elbv2.clone())),
        Service::Ssm => SavedState::Ssm(Box::new(world.ssm.clone())),
        _ => return None,
    })
}

/// Exchanges a saved state and the current one of its service.
fn swap(saved: &mut SavedState, world: &mut World) {
    match saved {
        SavedState::Autoscaling(state) => mem::swap(&mut **state, &mut world.autoscaling),
        SavedState::Ec2(state) => mem::swap(&mut **state, &mut world.ec2),
        SavedState::Elbv2(state) => mem::swap(&mut **state, &mut world.elbv2),
        SavedState::Ssm(state) => mem::swap(&mut **state, &mut world.ssm),
    }
}

/// Returns the services that a change in one service may change: Auto Scaling also launches, registers
/// and terminates instances.
fn affected_services(service: Service) -> &'static [Service] {
    match service {
        Service::Autoscaling => &[Service::Autoscaling, Service::Ec2, Service::Elbv2],
        Service::Ec2 => &[Service::Ec2],
        Service::Elbv2 => &[Service::Elbv2],
        Service::Ssm => &[Service::Ssm],
        _ => &[],
    }
}

/// Keeps the current states of services before they change; of several changes at the same time, only
/// the state before the first.
fn keep(world: &mut World, services: &[Service]) {
    let now = world.now;
    for service in services {
        let states = &world.faults.history.states;
        let mut kept = states.iter().rev().take_while(|(at, _)| *at == now);
        if kept.any(|(_, state)| state.service() == *service) {
            continue;
        }
        if let Some(state) = saved(world, *service) {
            world.faults.history.states.push_back((now, state));
        }
    }
}

/// Keeps the states that an event may change, such as health, instances and refreshes. Keeps nothing
/// where reads are never stale.
pub(crate) fn before_event(world: &mut World, event: &Event) {
    let bound = world.faults.max_staleness;
    if bound.is_zero() {
        return;
    }
    forget(world, bound);
    let service = match event {
        // Only CloudWatch reads these counts.
        Event::Autoscaling(autoscaling::Event::SampleMetrics(..)) => return,
        // Nodes learn what the API has long returned.
        Event::Elbv2(elbv2::Event::UpdateNode { .. }) => return,
        Event::Autoscaling(_) => Service::Autoscaling,
        Event::Ec2(_) | Event::Faults(_) => Service::Ec2,
        Event::Elbv2(_) => Service::Elbv2,
        Event::Ecr(_) | Event::Traffic(_) => return,
    };
    keep(world, affected_services(service));
}

/// Returns whether a call only reads and may be stale. Parameter Store's reads by name may not; AWS
/// documents nothing about either kind (a guess).
fn is_stale_read(call: &Call) -> bool {
    let operation = call.operation.as_str();
    match call.service {
        Service::Ssm => matches!(operation, "GetParametersByPath" | "DescribeParameters"),
        _ => operation.starts_with("Describe"),
    }
}

/// Answers a call with `answer`; a read may be answered from an earlier state.
pub(crate) fn answer<R>(
    world: &mut World,
    call: &Call,
    answer: impl FnOnce(&mut World, &Call) -> R,
) -> R {
    let bound = world.faults.max_staleness;
    if bound.is_zero() {
        return answer(world, call);
    }
    forget(world, bound);
    if !is_stale_read(call) {
        keep(world, affected_services(call.service));
        return answer(world, call);
    }
    let behind = world.faults.history.rng.between(Duration::ZERO, bound);
    let Some(at) = state_index_at(world, call.service, behind) else {
        return answer(world, call);
    };
    // The state leaves the queue while it stands in for the present, and then returns to its place.
    let Some((when, mut state)) = world.faults.history.states.remove(at) else {
        return answer(world, call);
    };
    swap(&mut state, world);
    let answered = answer(world, call);
    swap(&mut state, world);
    world.faults.history.states.insert(at, (when, state));
    answered
}

/// Returns the index of the state that was current `behind` ago: the one before the first change since
/// then.
fn state_index_at(world: &World, service: Service, behind: Duration) -> Option<usize> {
    let since = world.now.checked_sub(behind).ok()?;
    let states = &world.faults.history.states;
    states.iter().position(|(at, state)| *at > since && state.service() == service)
}

/// Drops the states that are older than any read may be.
fn forget(world: &mut World, bound: Duration) {
    let now = world.now;
    let states = &mut world.faults.history.states;
    while states.front().is_some_and(|(at, _)| later(*at, bound) < now) {
        states.pop_front();
    }
}
