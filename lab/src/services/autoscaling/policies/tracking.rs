//! Target tracking: the alarms that a policy creates, and the capacity that meets its target.

use super::policy::{Policy, PolicyType};
use super::read;
use crate::services::cloudwatch;
use crate::wire::{Call, Principal, Service, Value, map};
use crate::world::World;

/// How many minutes the metric is above the target before capacity is added (from the alarms that AWS
/// creates).
const HIGH_MINUTES: i64 = 3;
/// How many minutes it is below before capacity is removed (likewise).
const LOW_MINUTES: i64 = 15;
/// The low alarm's threshold as a fraction of the target: 0.9 in the alarms that AWS creates.
const LOW_SHARE: f64 = 0.9;

/// Returns the capacity at which each instance would be at the target, rounded up; `all` is the metric's
/// total over all instances.
pub(super) fn wanted(policy: &Policy, all: f64) -> Option<u64> {
    let target = read::float(policy.settings.get("TargetTrackingConfiguration"), "TargetValue")?;
    let exact = (all / target).ceil();
    (exact.is_finite() && exact >= 0.0).then_some(exact as u64)
}

/// Creates a target tracking policy's alarms, or updates them after a change; deletes those that are no
/// longer needed.
pub(super) fn update_alarms(world: &mut World, group: &str, name: &str) {
    let uuids = [world.ids.uuid(), world.ids.uuid()];
    let Some(policy) =
        world.autoscaling.groups.get_mut(group).and_then(|g| g.policies.get_mut(name))
    else {
        return;
    };
    let before = std::mem::take(&mut policy.alarms);
    if policy.kind == PolicyType::Tracking {
        let sides = ["High", "Low"].iter().zip(&uuids);
        // That a policy with DisableScaleIn has no low alarm is a guess.
        let kept = if scales_in(policy) { 2 } else { 1 };
        let made = sides.take(kept).enumerate().map(|(i, (side, uuid))| {
            before
                .get(i)
                .cloned()
                .unwrap_or_else(|| format!("TargetTracking-{group}-Alarm{side}-{uuid}"))
        });
        policy.alarms = made.collect();
    }
    let policy = policy.clone();
    let gone = before.iter().filter(|name| !policy.alarms.contains(name)).cloned().collect();
    delete(world, gone);
    for (alarm, high) in policy.alarms.iter().zip([true, false]) {
        if let Some(input) = alarm_of(group, &policy, alarm, high) {
            call(world, "PutMetricAlarm", input);
        }
    }
}

/// Deletes the alarms that a policy created.
pub(super) fn drop_alarms(world: &mut World, policy: &Policy) {
    delete(world, policy.alarms.clone());
}

/// Returns whether a policy may lower DesiredCapacity.
pub(super) fn scales_in(policy: &Policy) -> bool {
    let configuration = policy.settings.get("TargetTrackingConfiguration");
    !configuration.bool("DisableScaleIn").unwrap_or(false)
}

fn alarm_of(group: &str, policy: &Policy, name: &str, high: bool) -> Option<Value> {
    let configuration = policy.settings.get("TargetTrackingConfiguration");
    let target = read::float(configuration, "TargetValue")?;
    let (comparison, minutes, threshold) = if high {
        ("GreaterThanThreshold", HIGH_MINUTES, target)
    } else {
        ("LessThanThreshold", LOW_MINUTES, target * LOW_SHARE)
    };
    let alarm = map([
        ("AlarmName", name.into()),
        (
            "AlarmDescription",
            format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.", policy.arn)
                .into(),
        ),
        ("ActionsEnabled", true.into()),
        ("AlarmActions", Value::List(vec![policy.arn.as_str().into()])),
        ("ComparisonOperator", comparison.into()),
        ("EvaluationPeriods", minutes.into()),
        ("Threshold", threshold.into()),
    ]);
    let customized = configuration.get("CustomizedMetricSpecification");
    let metrics = customized.list("Metrics");
    if !metrics.is_empty() {
        return Some(alarm.with("Metrics", Value::List(metrics.to_vec())));
    }
    let (namespace, metric, statistic, dimensions) = match customized.is_null() {
        true => predefined(group, configuration.get("PredefinedMetricSpecification"))?,
        false => (
            customized.str("Namespace")?.to_owned(),
            customized.str("MetricName")?.to_owned(),
            customized.str("Statistic").unwrap_or("Average").to_owned(),
            customized.get("Dimensions").clone(),
        ),
    };
    Some(
        alarm
            .with("Namespace", namespace)
            .with("MetricName", metric)
            .with("Statistic", statistic)
            .with("Dimensions", dimensions)
            .with("Period", customized.int("Period").unwrap_or(60)),
    )
}

/// Returns namespace, name, statistic and dimensions of a predefined metric.
fn predefined(group: &str, given: &Value) -> Option<(String, String, String, Value)> {
    let dimension = |name: &str, value: &str| map([("Name", name.into()), ("Value", value.into())]);
    let of_group = Value::List(vec![dimension("AutoScalingGroupName", group)]);
    let (namespace, metric, statistic, dimensions) = match given.str("PredefinedMetricType")? {
        "ALBRequestCountPerTarget" => {
            let (balancer, target_group) = read::split(given.str("ResourceLabel")?)?;
            let dimensions =
                vec![dimension("TargetGroup", &target_group), dimension("LoadBalancer", &balancer)];
            ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", Value::List(dimensions))
        }
        "ASGAverageNetworkIn" => ("AWS/EC2", "NetworkIn", "Average", of_group),
        "ASGAverageNetworkOut" => ("AWS/EC2", "NetworkOut", "Average", of_group),
        _ => ("AWS/EC2", "CPUUtilization", "Average", of_group),
    };
    Some((namespace.to_owned(), metric.to_owned(), statistic.to_owned(), dimensions))
}

fn delete(world: &mut World, names: Vec<String>) {
    let known = |name: &String| world.cloudwatch.alarms.contains_key(name);
    let names: Vec<Value> = names.into_iter().filter(known).map(Value::from).collect();
    if !names.is_empty() {
        call(world, "DeleteAlarms", map([("AlarmNames", names.into())]));
    }
}

/// Calls CloudWatch with the service-linked role. A refused call is ignored: such a policy has no alarm, and
/// never scales.
fn call(world: &mut World, operation: &str, input: Value) {
    let account = world.account.clone();
    let call = Call {
        service: Service::Cloudwatch,
        operation: operation.to_owned(),
        input,
        caller: Principal {
            arn: format!(
                "arn:aws:sts::{account}:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling"
            ),
            account,
        },
        region: world.region.clone(),
    };
    let _ = cloudwatch::call(world, &call);
}
