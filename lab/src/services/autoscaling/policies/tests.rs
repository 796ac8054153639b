//! Scaling policies, through the API, with traffic and time.

use crate::services::autoscaling::fixture::Lab;
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{Value, map};

fn label() -> String {
    let lab = Lab::one_group(&[]);
    let balancer = lab.world.elbv2.load_balancers.keys().next().unwrap();
    let balancer = balancer.split_once("loadbalancer/").unwrap().1;
    let group = lab.group("news").target_groups[0].rsplit(':').next().unwrap().to_owned();
    format!("{balancer}/{group}")
}

/// A target tracking policy on requests per minute and target.
fn per_target(target: f64, more: &[(&'static str, Value)]) -> Value {
    let metric = map([
        ("PredefinedMetricType", "ALBRequestCountPerTarget".into()),
        ("ResourceLabel", label().into()),
    ]);
    let mut configuration =
        map([("PredefinedMetricSpecification", metric), ("TargetValue", target.into())]);
    for (key, value) in more {
        configuration = configuration.with(key, value.clone());
    }
    map([
        ("PolicyName", "per-target".into()),
        ("PolicyType", "TargetTrackingScaling".into()),
        ("EstimatedInstanceWarmup", 60_i64.into()),
        ("TargetTrackingConfiguration", configuration),
    ])
}

fn desired(lab: &Lab) -> u64 {
    lab.group("news").desired
}

#[test]
fn target_tracking_follows_requests_out_fast_and_in_slowly() {
    // 50 requests per second are 3000 per minute: 750 for each of four instances.
    let mut lab = Lab::one_group(&[]);
    let answer = lab.ok("PutScalingPolicy", "news", per_target(750.0, &[]));
    let names: Vec<_> =
        answer.list("Alarms").iter().map(|a| a.str("AlarmName").unwrap().to_owned()).collect();
    assert!(names[0].starts_with("TargetTracking-news-AlarmHigh-"), "{names:?}");
    assert!(names[1].starts_with("TargetTracking-news-AlarmLow-"), "{names:?}");
    lab.wait(300);
    assert_eq!(desired(&lab), 4, "at about its target");
    lab.world.traffic.rate = 70.0;
    lab.wait(200);
    assert_eq!(
        desired(&lab),
        4,
        "it takes three minutes above, and one more until they are readable"
    );
    lab.wait(180);
    assert_eq!(desired(&lab), 6);
    let cause = lab.group("news").activities.last().unwrap().cause.clone();
    assert!(cause.contains("a monitor alarm TargetTracking-news-AlarmHigh-"), "{cause}");
    assert!(cause.contains(
        "in state ALARM triggered policy per-target changing the desired capacity from 4 to 6."
    ));
    lab.wait(1800);
    assert_eq!(desired(&lab), 6, "70 requests per second on six instances are at the target");
    lab.world.traffic.rate = 10.0;
    lab.wait(14 * 60);
    assert_eq!(desired(&lab), 6, "it takes a quarter of an hour below");
    lab.wait(4 * 60);
    assert_eq!(desired(&lab), 2, "the minimum, not one");
}

#[test]
fn it_never_leaves_the_bounds_and_may_not_scale_in() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("PutScalingPolicy", "news", per_target(10.0, &[("DisableScaleIn", true.into())]));
    lab.wait(600);
    assert_eq!(desired(&lab), 6, "the maximum");
    let alarms = lab.group("news").policies["per-target"].alarms.clone();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    lab.world.traffic.rate = 0.0;
    lab.wait(3600);
    assert_eq!(desired(&lab), 6);
    // Updated, it may scale in; deleted, it takes its alarms with it.
    lab.ok("PutScalingPolicy", "news", per_target(10.0, &[]));
    lab.wait(1800);
    assert_eq!(desired(&lab), 2);
    lab.ok("DeletePolicy", "news", map([("PolicyName", "per-target".into())]));
    assert!(lab.world.cloudwatch.alarms.keys().all(|name| !name.starts_with("TargetTracking-")));
    assert_eq!(
        lab.refused("DeletePolicy", "news", map([("PolicyName", "x".into())])).0,
        "ValidationError"
    );
}

#[test]
fn without_alarm_notification_no_policy_scales() {
    let mut lab = Lab::one_group(&[]);
    let process = || map([("ScalingProcesses", Value::List(vec!["AlarmNotification".into()]))]);
    lab.ok("SuspendProcesses", "news", process());
    lab.ok("PutScalingPolicy", "news", per_target(10.0, &[]));
    lab.wait(900);
    assert_eq!(desired(&lab), 4);
    lab.ok("ResumeProcesses", "news", process());
    lab.wait(60);
    assert_eq!(desired(&lab), 6);
}

#[test]
fn cpu_comes_from_the_requests() {
    let mut lab = Lab::one_group(&[]);
    let metric = map([("PredefinedMetricType", "ASGAverageCPUUtilization".into())]);
    let configuration =
        map([("PredefinedMetricSpecification", metric), ("TargetValue", 50_i64.into())])
            .with("DisableScaleIn", true);
    let policy = map([
        ("PolicyName", "cpu".into()),
        ("PolicyType", "TargetTrackingScaling".into()),
        ("TargetTrackingConfiguration", configuration),
    ]);
    lab.ok("PutScalingPolicy", "news", policy);
    // 62% each: 250 requests per second on four instances that can handle 100 each.
    lab.world.traffic.rate = 250.0;
    lab.wait(420);
    assert_eq!(desired(&lab), 6);
}

#[test]
fn step_and_simple_policies_act_when_an_alarm_names_them() {
    let mut lab = Lab::one_group(&[]);
    let steps = vec![
        map([
            ("MetricIntervalLowerBound", 0_i64.into()),
            ("MetricIntervalUpperBound", 500_i64.into()),
            ("ScalingAdjustment", 1_i64.into()),
        ]),
        map([("MetricIntervalLowerBound", 500_i64.into()), ("ScalingAdjustment", 2_i64.into())]),
    ];
    let step = map([
        ("PolicyName", "out".into()),
        ("PolicyType", "StepScaling".into()),
        ("AdjustmentType", "ChangeInCapacity".into()),
        ("StepAdjustments", steps.into()),
        ("EstimatedInstanceWarmup", 600_i64.into()),
    ]);
    let arn = lab.ok("PutScalingPolicy", "news", step).str("PolicyARN").unwrap().to_owned();
    alarm(&mut lab, "busy", 2800.0, &arn);
    lab.wait(600);
    assert_eq!(
        desired(&lab),
        5,
        "200 above, and it isn't triggered again while the fifth warms up"
    );
    let described = lab.ok("DescribePolicies", "news", map([]));
    let alarms = described.list("ScalingPolicies")[0].list("Alarms");
    assert_eq!(alarms[0].str("AlarmName"), Some("busy"));

    let simple = map([
        ("PolicyName", "in".into()),
        ("AdjustmentType", "ChangeInCapacity".into()),
        ("ScalingAdjustment", (-1_i64).into()),
        ("Cooldown", 900_i64.into()),
    ]);
    let arn = lab.ok("PutScalingPolicy", "news", simple).str("PolicyARN").unwrap().to_owned();
    lab.ok("DeletePolicy", "news", map([("PolicyName", "out".into())]));
    alarm(&mut lab, "busy", 1000.0, &arn);
    lab.wait(800);
    assert_eq!(desired(&lab), 4);
    lab.wait(300);
    assert_eq!(desired(&lab), 3, "after its cooldown");
    cloudwatch::pin_alarm(&mut lab.world, "busy", AlarmState::Ok);
    lab.wait(3600);
    assert_eq!(desired(&lab), 3);
}

fn alarm(lab: &mut Lab, name: &str, threshold: f64, action: &str) {
    let label = label();
    let (balancer, group) = label.split_once("/targetgroup/").unwrap();
    let dimension = |name: &str, value: &str| map([("Name", name.into()), ("Value", value.into())]);
    let input = map([
        ("AlarmName", name.into()),
        ("Namespace", "AWS/ApplicationELB".into()),
        ("MetricName", "RequestCount".into()),
        ("Statistic", "Sum".into()),
        (
            "Dimensions",
            Value::List(vec![
                dimension("LoadBalancer", balancer),
                dimension("TargetGroup", &format!("targetgroup/{group}")),
            ]),
        ),
        ("Period", 60_i64.into()),
        ("EvaluationPeriods", 1_i64.into()),
        ("Threshold", threshold.into()),
        ("ComparisonOperator", "GreaterThanThreshold".into()),
        ("AlarmActions", Value::List(vec![action.into()])),
    ]);
    let call = crate::wire::Call {
        service: crate::wire::Service::Cloudwatch,
        operation: "PutMetricAlarm".to_owned(),
        input,
        caller: crate::wire::Principal::anonymous(),
        region: lab.world.region.clone(),
    };
    cloudwatch::call(&mut lab.world, &call).unwrap();
}

#[test]
fn an_alarm_that_is_set_by_hand_calls_a_simple_policy() {
    let mut lab = Lab::one_group(&[]);
    let simple = map([
        ("PolicyName", "out".into()),
        ("AdjustmentType", "ExactCapacity".into()),
        ("ScalingAdjustment", 6_i64.into()),
    ]);
    let arn = lab.ok("PutScalingPolicy", "news", simple).str("PolicyARN").unwrap().to_owned();
    alarm(&mut lab, "busy", 1e9, &arn);
    lab.wait(120);
    assert_eq!(desired(&lab), 4);
    cloudwatch::pin_alarm(&mut lab.world, "busy", AlarmState::Alarm);
    lab.wait(60);
    assert_eq!(desired(&lab), 6);
}

#[test]
fn a_policy_is_executed_by_hand() {
    let mut lab = Lab::one_group(&[]);
    let simple = map([
        ("PolicyName", "half".into()),
        ("AdjustmentType", "PercentChangeInCapacity".into()),
        ("ScalingAdjustment", 25_i64.into()),
    ]);
    lab.ok("PutScalingPolicy", "news", simple);
    let execute =
        |honour: bool| map([("PolicyName", "half".into()), ("HonorCooldown", honour.into())]);
    lab.ok("ExecutePolicy", "news", execute(true));
    assert_eq!(desired(&lab), 5);
    let (code, _) = lab.refused("ExecutePolicy", "news", execute(true));
    assert_eq!(code, "ScalingActivityInProgress");
    lab.ok("ExecutePolicy", "news", execute(false));
    assert_eq!(desired(&lab), 6);
    lab.ok("ExecutePolicy", "news", execute(false));
    assert_eq!(desired(&lab), 6, "the maximum");
    let (code, _) = lab.refused(
        "SetDesiredCapacity",
        "news",
        map([("DesiredCapacity", 4_i64.into()), ("HonorCooldown", true.into())]),
    );
    assert_eq!(code, "ScalingActivityInProgress");
}

#[test]
fn invalid_policies_are_refused() {
    let mut lab = Lab::one_group(&[]);
    let mut refused = |members: Value| {
        let (code, message) =
            lab.refused("PutScalingPolicy", "news", members.with("PolicyName", "p"));
        assert_eq!(code, "ValidationError");
        message
    };
    assert!(refused(map([])).contains("AdjustmentType is required"));
    assert!(refused(map([("PolicyType", "Other".into())])).contains("Unknown policy type"));
    let tracking = || map([("PolicyType", "TargetTrackingScaling".into())]);
    assert!(refused(tracking()).contains("TargetTrackingConfiguration is required"));
    let metric = map([("PredefinedMetricType", "ALBRequestCountPerTarget".into())]);
    let by = |metric: Value| {
        map([("PredefinedMetricSpecification", metric), ("TargetValue", "10".into())])
    };
    assert!(
        refused(tracking().with("TargetTrackingConfiguration", by(metric.clone())))
            .contains("Resource label is required")
    );
    let metric = metric.with("ResourceLabel", "app/a/1/targetgroup/other/2");
    assert!(
        refused(tracking().with("TargetTrackingConfiguration", by(metric)))
            .contains("is not attached")
    );
    let step = |low: i64, high: i64| {
        map([
            ("MetricIntervalLowerBound", low.into()),
            ("MetricIntervalUpperBound", high.into()),
            ("ScalingAdjustment", 1_i64.into()),
        ])
    };
    let steps = |steps: Vec<Value>| {
        map([
            ("PolicyType", "StepScaling".into()),
            ("AdjustmentType", "ChangeInCapacity".into()),
            ("StepAdjustments", steps.into()),
        ])
    };
    assert!(refused(steps(vec![])).contains("step adjustments are required"));
    assert!(refused(steps(vec![step(0, 10), step(5, 20)])).contains("overlap"));
    assert!(refused(steps(vec![step(0, 10), step(15, 20)])).contains("gaps"));
}
