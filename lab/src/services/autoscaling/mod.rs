//! EC2 Auto Scaling: groups and their instances, instance refreshes, scheduled actions, policies and hooks.
//!
//! A group's state changes in two ways: by a call, and by an [`Event`] that a call or an earlier event has
//! scheduled. Each event is handled in the file of its subject.

mod activities;
mod activity;
mod attachments;
mod capacity;
mod cause;
mod describe;
mod errors;
#[cfg(test)]
mod fixture;
pub(crate) mod group;
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
mod queue;
mod rebalance;
mod recurrence;
mod refresh;
mod request;
mod scheduled;
mod scheduled_action;
pub(crate) mod state;
mod tags;
mod template;
mod template_spec;
mod termination_policy;
#[cfg(test)]
mod tests;
mod types;
mod warm_pool;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;

pub use activity::{Activity, ActivityStatus};
pub use group::{Backoff, Group, LifecycleState, Member, MetricSample, Tag};
pub use hooks::LifecycleAction;
pub use hooks::hook::{ActionResult, LifecycleHook, Transition};
pub use policies::policy::{Policy, PolicyType};
pub use recurrence::Recurrence;
pub use refresh::instance_refresh::{Refresh, RollbackDetails, Status};
pub use refresh::{InstanceHandling, Preferences};
pub use scheduled_action::ScheduledAction;
pub use state::{DeletedGroup, Event, State};
pub use template_spec::{TemplateSpec, Version};

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
        _ => Err(call.unknown_operation()),
    }
}

/// Handles `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Converge(group) => capacity::converge(world, group),
        Event::InService(group, instance) => {
            if lifecycle::in_service(world, group, instance) {
                capacity::converge(world, group);
            }
        }
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
