//! The operations that describe the API itself: its types, and the account's limits.

use super::{processes, termination_policy};
use crate::services::cloudwatch;
use crate::wire::{Value, map};
use crate::world::World;

/// The most Auto Scaling groups of an account in a Region (quota).
pub(super) const GROUPS: usize = 500;
/// The most launch configurations (quota); the lab has none.
const LAUNCH_CONFIGURATIONS: i64 = 200;

/// `DescribeAccountLimits`.
pub(super) fn limits(world: &World) -> Value {
    let groups = i64::try_from(world.autoscaling.groups.len()).unwrap_or(i64::MAX);
    map([
        ("MaxNumberOfAutoScalingGroups", Value::Int(GROUPS as i64)),
        ("MaxNumberOfLaunchConfigurations", Value::Int(LAUNCH_CONFIGURATIONS)),
        ("NumberOfAutoScalingGroups", Value::Int(groups)),
        ("NumberOfLaunchConfigurations", Value::Int(0)),
    ])
}

/// `DescribeTerminationPolicyTypes`.
pub(super) fn termination_policies() -> Value {
    map([("TerminationPolicyTypes", words(&termination_policy::POLICIES))])
}

/// `DescribeScalingProcessTypes`.
pub(super) fn processes() -> Value {
    map([("Processes", named(&processes::PROCESSES, "ProcessName"))])
}

/// `DescribeAdjustmentTypes`.
pub(super) fn adjustments() -> Value {
    let types = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"];
    map([("AdjustmentTypes", named(&types, "AdjustmentType"))])
}

/// `DescribeMetricCollectionTypes`.
pub(super) fn metrics() -> Value {
    map([
        ("Metrics", named(&cloudwatch::GROUP_METRICS, "Metric")),
        ("Granularities", named(&["1Minute"], "Granularity")),
    ])
}

/// `DescribeAutoScalingNotificationTypes`. The lab sends no notifications.
pub(super) fn notifications() -> Value {
    let types = [
        "autoscaling:EC2_INSTANCE_LAUNCH",
        "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
        "autoscaling:EC2_INSTANCE_TERMINATE",
        "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
        "autoscaling:TEST_NOTIFICATION",
    ];
    map([("AutoScalingNotificationTypes", words(&types))])
}

/// Returns an empty listing, for resources that cannot be created in the lab.
pub(super) fn none(member: &'static str) -> Value {
    map([(member, Value::List(Vec::new()))])
}

fn words(words: &[&str]) -> Value {
    words.iter().map(|word| (*word).into()).collect::<Vec<Value>>().into()
}

fn named(words: &[&'static str], key: &'static str) -> Value {
    words.iter().map(|word| map([(key, (*word).into())])).collect::<Vec<_>>().into()
}
