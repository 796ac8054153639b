//! EC2 Auto Scaling: groups and their instances, instance refreshes, scheduled actions, policies and hooks.
//!
//! A group's state changes in two ways: by a call, and by an [`Event`] that a call or an earlier event has
//! scheduled. Each event is handled in the file of its subject.

mod activities;
mod attachments;
mod capacity;
mod cause;
mod describe;
#[cfg(test)]
mod fixture;
mod group;
mod group_metrics;
mod groups;
mod health;
mod hooks;
mod launch;
mod lifecycle;
mod members;
mod membership;
mod options;
mod policies;
mod processes;
mod rebalance;
mod recurrence;
mod refresh;
mod scheduled;
mod tags;
mod template;
mod termination_policy;
#[cfg(test)]
mod tests;
mod types;
mod warm_pool;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::{self, World, later};

pub use activities::{Activity, ActivityStatus, DeletedGroup};
pub use group::{Backoff, Group, LifecycleState, Member, MetricSample, Tag};
pub use hooks::{ActionResult, LifecycleAction, LifecycleHook, Transition};
pub use policies::{Policy, PolicyType};
pub use recurrence::Recurrence;
pub use refresh::{InstanceHandling, Preferences, Refresh, RollbackDetails, Status};
pub use scheduled::ScheduledAction;
pub use template::{TemplateSpec, Version};

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The activities of deleted groups, earliest deletion first.
    pub former: Vec<DeletedGroup>,
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
        "EnterStandby" => membership::enter_standby(world, input),
        "ExitStandby" => membership::exit_standby(world, input),
        "AttachInstances" => membership::attach(world, input),
        "DetachInstances" => membership::detach(world, input),
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
        "EnableMetricsCollection" => group_metrics::enable(world, input),
        "DisableMetricsCollection" => group_metrics::disable(world, input),
        "PutWarmPool" => warm_pool::put(world, input),
        "DescribeWarmPool" => warm_pool::describe(world, input),
        "DeleteWarmPool" => warm_pool::delete(world, input),
        "CreateOrUpdateTags" => tags::put(world, input),
        "DeleteTags" => tags::delete(world, input),
        "DescribeTags" => tags::describe(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// A scheduled event of this service. Each names the group that it applies to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Launches or terminates instances until the group is at its DesiredCapacity.
    Converge(String),
    /// A launched instance enters service.
    InService(String, String),
    /// Checks whether a departing instance's deregistration has ended.
    CheckDeregistration(String, String),
    /// An instance that was in the group has terminated.
    Terminated(String, String),
    /// Checks the group's instances and replaces unhealthy ones. Like every recurring event it carries the
    /// group's creation time, so that it doesn't apply to a later group of the same name.
    CheckHealth(String, Timestamp),
    /// The timeout of an instance's lifecycle action, identified by its token.
    HookTimeout(String, String, String),
    /// Counts the group's instances for its metrics.
    SampleMetrics(String, Timestamp),
    /// Evaluates the alarms that trigger the group's scaling policies.
    EvaluateAlarms(String, Timestamp),
    /// Advances a refresh, identified by its id, by one step.
    Refresh(String, String),
    /// Runs a scheduled action, unless it has been put again since (the number tells one put from the next).
    Scheduled(String, String, u64),
}

/// Handles `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Converge(group) => capacity::converge(world, group),
        Event::InService(group, instance) => lifecycle::in_service(world, group, instance),
        Event::CheckDeregistration(group, instance) => {
            lifecycle::check_deregistration(world, group, instance);
        }
        Event::Terminated(group, instance) => lifecycle::gone(world, group, instance),
        Event::CheckHealth(group, born) => health::check(world, group, *born),
        Event::HookTimeout(group, instance, token) => {
            hooks::time_out(world, group, instance, token);
        }
        Event::SampleMetrics(group, born) => group_metrics::sample(world, group, *born),
        Event::EvaluateAlarms(group, born) => policies::watch(world, group, *born),
        Event::Refresh(group, id) => refresh::step(world, group, id),
        Event::Scheduled(group, action, put) => scheduled::run(world, group, action, *put),
    }
}

/// Schedules `event` to happen `delay` from now.
fn schedule(world: &mut World, delay: std::time::Duration, event: Event) {
    let at = later(world.now, delay);
    world.queue.push(at, world::Event::Autoscaling(event));
}

/// Returns the group that a call names.
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

/// Returns the group that a call names, to change its configuration. A group that is being deleted is refused
/// (the message is a guess).
fn group_to_update<'a>(world: &'a mut World, input: &Value) -> ApiResult<&'a mut Group> {
    let group = named(world, input)?;
    match group.deleting {
        true => Err(invalid(format!("AutoScalingGroup '{}' is pending delete", group.name))),
        false => Ok(group),
    }
}

/// Refuses an operation that an active refresh blocks; `what` completes the message.
fn refuse_during_refresh(group: &Group, what: &str) -> ApiResult<()> {
    match group.active_refresh() {
        Some(_) => Err(ApiError::sender(
            "InstanceRefreshInProgress",
            format!("An Instance Refresh is already in progress and blocks {what}."),
        )),
        None => Ok(()),
    }
}

/// Reads the `MaxRecords` of a listing.
fn max_records(input: &Value, default: usize, most: usize) -> ApiResult<usize> {
    match input.int("MaxRecords") {
        None => Ok(default),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| invalid(format!("MaxRecords must be between 1 and {most}"))),
    }
}
