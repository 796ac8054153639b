//! EC2 Auto Scaling: groups, their instances, instance refresh, scheduled actions.
//!
//! The groups' state changes in two ways: by a call, and by an [`Event`] that a call or an earlier
//! event has scheduled. What happens at an event is in the file of its subject.

mod activities;
mod attachments;
mod balance;
mod capacity;
mod cause;
mod collection;
mod describe;
#[cfg(test)]
mod fixture;
mod group;
mod groups;
mod health;
mod hooks;
mod launch;
mod life;
mod members;
mod moves;
mod options;
mod policies;
mod processes;
mod recurrence;
mod refresh;
mod scheduled;
mod tags;
mod template;
#[cfg(test)]
mod tests;
mod types;
mod victim;
mod warm_pool;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::{self, World, later};

pub use activities::{Activity, ActivityStatus, Former};
pub use group::{Backoff, Counts, Group, Lifecycle, Member, Tag};
pub use hooks::{Action, Hook, Transition, Verdict};
pub use policies::{Kind, Policy};
pub use recurrence::Recurrence;
pub use refresh::{Others, Preferences, Refresh, Rollback, Status};
pub use scheduled::Scheduled;
pub use template::{TemplateSpec, Version};

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// What deleted groups have done, the earliest deleted first.
    pub former: Vec<Former>,
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "CreateAutoScalingGroup" => groups::create(world, input),
        "UpdateAutoScalingGroup" => groups::update(world, input),
        "DeleteAutoScalingGroup" => groups::delete(world, input),
        "DescribeAutoScalingGroups" => describe::groups(world, input),
        "DescribeAutoScalingInstances" => describe::instances(world, input),
        "SetDesiredCapacity" => capacity::set_desired(world, input),
        "TerminateInstanceInAutoScalingGroup" => members::terminate(world, input),
        "SetInstanceProtection" => members::set_protection(world, input),
        "SetInstanceHealth" => members::set_health(world, input),
        "EnterStandby" => moves::enter_standby(world, input),
        "ExitStandby" => moves::exit_standby(world, input),
        "AttachInstances" => moves::attach(world, input),
        "DetachInstances" => moves::detach(world, input),
        "StartInstanceRefresh" => refresh::start(world, input),
        "CancelInstanceRefresh" => refresh::cancel(world, input),
        "RollbackInstanceRefresh" => refresh::roll_back(world, input),
        "DescribeInstanceRefreshes" => refresh::describe(world, input),
        "PutScheduledUpdateGroupAction" => scheduled::put(world, input),
        "BatchPutScheduledUpdateGroupAction" => scheduled::put_batch(world, input),
        "BatchDeleteScheduledAction" => scheduled::delete_batch(world, input),
        "DeleteScheduledAction" => scheduled::delete(world, input),
        "DescribeScheduledActions" => scheduled::describe(world, input),
        "DescribeScalingActivities" => activities::describe(world, input),
        "PutScalingPolicy" => policies::put(world, input),
        "DescribePolicies" => policies::describe(world, input),
        "DeletePolicy" => policies::delete(world, input),
        "ExecutePolicy" => policies::execute(world, input),
        "PutLifecycleHook" => hooks::put(world, input),
        "DescribeLifecycleHooks" => hooks::describe(world, input),
        "DeleteLifecycleHook" => hooks::delete(world, input),
        "CompleteLifecycleAction" => hooks::complete(world, input),
        "RecordLifecycleActionHeartbeat" => hooks::heartbeat(world, input),
        "DescribeLifecycleHookTypes" => Ok(hooks::types()),
        "DescribeAccountLimits" => Ok(types::limits(world)),
        "DescribeAdjustmentTypes" => Ok(types::adjustments()),
        "DescribeAutoScalingNotificationTypes" => Ok(types::notifications()),
        "DescribeLaunchConfigurations" => Ok(types::none("LaunchConfigurations")),
        "DescribeLoadBalancers" => Ok(types::none("LoadBalancers")),
        "DescribeNotificationConfigurations" => Ok(types::none("NotificationConfigurations")),
        "DescribeMetricCollectionTypes" => Ok(types::metrics()),
        "DescribeScalingProcessTypes" => Ok(types::processes()),
        "DescribeTerminationPolicyTypes" => Ok(types::termination_policies()),
        "SuspendProcesses" => processes::suspend(world, input),
        "ResumeProcesses" => processes::resume(world, input),
        "AttachLoadBalancerTargetGroups" => attachments::attach(world, input),
        "DetachLoadBalancerTargetGroups" => attachments::detach(world, input),
        "DescribeLoadBalancerTargetGroups" => attachments::describe(world, input),
        "AttachTrafficSources" => attachments::attach_sources(world, input),
        "DetachTrafficSources" => attachments::detach_sources(world, input),
        "DescribeTrafficSources" => attachments::describe_sources(world, input),
        "EnableMetricsCollection" => collection::enable(world, input),
        "DisableMetricsCollection" => collection::disable(world, input),
        "PutWarmPool" => warm_pool::put(world, input),
        "DescribeWarmPool" => warm_pool::describe(world, input),
        "DeleteWarmPool" => warm_pool::delete(world, input),
        "CreateOrUpdateTags" => tags::put(world, input),
        "DeleteTags" => tags::delete(world, input),
        "DescribeTags" => tags::describe(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// What happens by itself here. Each names the group that it happens to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The group's instances are brought to its desired capacity.
    Converge(String),
    /// A launched instance comes into service.
    InService(String, String),
    /// An instance that leaves is looked at: has its deregistration ended?
    Deregistered(String, String),
    /// An instance that was in the group is gone.
    Gone(String, String),
    /// The group's instances are checked, and unhealthy ones replaced. Like all that recurs it names
    /// the group's creation: it is not the business of a later group of that name.
    CheckHealth(String, Timestamp),
    /// An instance's wait for a lifecycle hook, by its token, may be over.
    HookTimeout(String, String, String),
    /// The group's instances are counted for its metrics.
    Sample(String, Timestamp),
    /// Alarms call the group's scaling policies.
    Watch(String, Timestamp),
    /// A refresh, named by its id, takes a step.
    Refresh(String, String),
    /// A scheduled action runs, if it still is the one that was put with this number.
    Scheduled(String, String, u64),
}

/// Lets `event` happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Converge(group) => capacity::converge(world, group),
        Event::InService(group, instance) => life::in_service(world, group, instance),
        Event::Deregistered(group, instance) => life::deregistered(world, group, instance),
        Event::Gone(group, instance) => life::gone(world, group, instance),
        Event::CheckHealth(group, born) => health::check(world, group, *born),
        Event::HookTimeout(group, instance, token) => {
            hooks::time_out(world, group, instance, token);
        }
        Event::Sample(group, born) => collection::sample(world, group, *born),
        Event::Watch(group, born) => policies::watch(world, group, *born),
        Event::Refresh(group, id) => refresh::step(world, group, id),
        Event::Scheduled(group, action, put) => scheduled::run(world, group, action, *put),
    }
}

/// Schedules `event` for `delay` from now.
fn schedule(world: &mut World, delay: std::time::Duration, event: Event) {
    let at = later(world.now, delay);
    world.queue.push(at, world::Event::Autoscaling(event));
}

/// The group that a call names.
fn named<'a>(world: &'a mut World, input: &Value) -> ApiResult<&'a mut Group> {
    let name = input.need_str("AutoScalingGroupName")?;
    world.autoscaling.groups.get_mut(name).ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> ApiError {
    invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}

/// The group that a call names, to change what it is to be: not one that is being deleted (the words are
/// a guess).
fn lasting<'a>(world: &'a mut World, input: &Value) -> ApiResult<&'a mut Group> {
    let group = named(world, input)?;
    match group.deleting {
        true => Err(invalid(format!("AutoScalingGroup '{}' is pending delete", group.name))),
        false => Ok(group),
    }
}

/// The refusal of what an active refresh blocks.
fn blocked(group: &Group, what: &str) -> ApiResult<()> {
    match group.active_refresh() {
        Some(_) => Err(ApiError::sender(
            "InstanceRefreshInProgress",
            format!("An Instance Refresh is already in progress and blocks {what}."),
        )),
        None => Ok(()),
    }
}

/// The `MaxRecords` of a listing.
fn max_records(input: &Value, default: usize, most: usize) -> ApiResult<usize> {
    match input.int("MaxRecords") {
        None => Ok(default),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| invalid(format!("MaxRecords must be between 1 and {most}"))),
    }
}
