//! Operations on a group as a whole: traffic sources, tags, metrics, deletion, paging.

use crate::services::autoscaling::fixture::Lab;
use crate::services::cloudwatch;
use crate::wire::{Call, Principal, Service, Value, map};

fn source(arn: &str) -> Value {
    let source = map([("Identifier", arn.into()), ("Type", "elbv2".into())]);
    map([("TrafficSources", Value::List(vec![source]))])
}

#[test]
fn traffic_sources_and_target_groups_are_the_same_thing() {
    let mut lab = Lab::one_group(&[]);
    let arn = lab.group("news").target_groups[0].clone();
    let states = |lab: &mut Lab| -> Vec<String> {
        let answer = lab.ok("DescribeTrafficSources", "news", map([]));
        let items = answer.list("TrafficSources").iter();
        items.map(|s| s.str("State").unwrap().to_owned()).collect()
    };
    assert_eq!(states(&mut lab), ["InService"]);
    lab.ok("DetachTrafficSources", "news", source(&arn));
    assert_eq!(states(&mut lab), ["Removing"], "while its targets drain");
    lab.wait(31);
    assert_eq!(states(&mut lab), ["Removed"]);
    let described = lab.call("DescribeAutoScalingGroups", map([])).unwrap();
    assert!(described.list("AutoScalingGroups")[0].list("TargetGroupARNs").is_empty());
    lab.wait(60);
    assert!(states(&mut lab).is_empty());
    lab.ok("AttachTrafficSources", "news", source(&arn));
    assert_eq!(states(&mut lab), ["Adding"]);
    lab.wait(5);
    assert_eq!(states(&mut lab), ["Added"]);
    lab.wait(30);
    assert_eq!(states(&mut lab), ["InService"]);
    let lattice = map([("Identifier", "arn:x".into()), ("Type", "vpc-lattice".into())]);
    let lattice = map([("TrafficSources", Value::List(vec![lattice]))]);
    assert_eq!(lab.refused("AttachTrafficSources", "news", lattice).0, "ValidationError");
}

#[test]
fn tags_are_limited_and_filtered() {
    let mut lab = Lab::one_group(&[]);
    let tags = |from: usize, to: usize| {
        let tag = |n: usize| {
            map([
                ("ResourceId", "news".into()),
                ("ResourceType", "auto-scaling-group".into()),
                ("Key", format!("key-{n}").into()),
                ("Value", "v".into()),
                ("PropagateAtLaunch", (n == 1).into()),
            ])
        };
        map([("Tags", (from..to).map(tag).collect::<Vec<_>>().into())])
    };
    let code =
        |lab: &mut Lab, input: Value| lab.call("CreateOrUpdateTags", input).unwrap_err().code;
    assert_eq!(code(&mut lab, tags(0, 26)), "ValidationError");
    lab.call("CreateOrUpdateTags", tags(0, 25)).unwrap();
    lab.call("CreateOrUpdateTags", tags(25, 50)).unwrap();
    assert_eq!(code(&mut lab, tags(50, 51)), "LimitExceeded");
    lab.call("CreateOrUpdateTags", tags(10, 20)).unwrap();
    let filtered = |lab: &mut Lab, name: &str, value: &str| {
        let filter = map([("Name", name.into()), ("Values", Value::List(vec![value.into()]))]);
        let input = map([("Filters", Value::List(vec![filter]))]);
        lab.call("DescribeTags", input).map(|answer| answer.list("Tags").len())
    };
    assert_eq!(filtered(&mut lab, "key", "key-7").unwrap(), 1);
    assert_eq!(filtered(&mut lab, "propagate-at-launch", "true").unwrap(), 1);
    assert_eq!(filtered(&mut lab, "auto-scaling-group", "other").unwrap(), 0);
    assert!(filtered(&mut lab, "color", "x").is_err());
}

#[test]
fn a_new_group_has_at_most_fifty_tags() {
    let mut lab = Lab::one_group(&[]);
    let mut create = |name: &str, number: usize| {
        let tag = |n: usize| map([("Key", format!("k{n}").into()), ("Value", "v".into())]);
        let template = map([("LaunchTemplateName", "news".into()), ("Version", "1".into())]);
        let input = map([
            ("AutoScalingGroupName", name.into()),
            ("MinSize", "0".into()),
            ("MaxSize", "0".into()),
            ("LaunchTemplate", template),
            ("AvailabilityZones", Value::List(vec!["ap-northeast-2a".into()])),
            ("Tags", Value::List((0..number).map(tag).collect())),
        ]);
        lab.call("CreateAutoScalingGroup", input).map(drop).map_err(|error| error.code)
    };
    assert_eq!(create("one", 51), Err("LimitExceeded".into()));
    assert_eq!(create("two", 50), Ok(()));
}

#[test]
fn metrics_are_collected_once_they_are_enabled() {
    let mut lab = Lab::one_group(&[]);
    let metrics = map([
        ("Granularity", "1Minute".into()),
        ("Metrics", Value::List(vec!["GroupInServiceInstances".into()])),
    ]);
    lab.ok("EnableMetricsCollection", "news", metrics.clone());
    lab.ok("EnableMetricsCollection", "news", metrics);
    lab.wait(300);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", 5_i64.into())]));
    lab.wait(300);
    let dimension = map([("Name", "AutoScalingGroupName".into()), ("Value", "news".into())]);
    let input = map([
        ("Namespace", "AWS/AutoScaling".into()),
        ("MetricName", "GroupInServiceInstances".into()),
        ("Dimensions", Value::List(vec![dimension])),
        ("Statistics", Value::List(vec!["Average".into()])),
        ("StartTime", "2026-01-05T09:00:00Z".into()),
        ("EndTime", "2026-01-05T10:00:00Z".into()),
        ("Period", "60".into()),
    ]);
    let call = Call {
        service: Service::Cloudwatch,
        operation: "GetMetricStatistics".to_owned(),
        input,
        caller: Principal::anonymous(),
        region: lab.world.region.clone(),
    };
    let answer = cloudwatch::call(&mut lab.world, &call).unwrap();
    let values: Vec<String> = answer
        .list("Datapoints")
        .iter()
        .map(|point| format!("{:?}", point.get("Average")))
        .collect();
    assert_eq!(values.len(), 8, "from 09:01 to 09:08: {values:?}");
    assert_eq!((values[0].as_str(), values[7].as_str()), ("Float(4.0)", "Float(5.0)"));
    let described = lab.call("DescribeAutoScalingGroups", map([])).unwrap();
    let enabled = described.list("AutoScalingGroups")[0].list("EnabledMetrics");
    assert_eq!(enabled[0].str("Granularity"), Some("1Minute"));
    lab.ok("DisableMetricsCollection", "news", map([]));
    lab.wait(120);
    assert!(lab.group("news").metrics.is_empty() && !lab.group("news").sampled);
}

#[test]
fn a_group_is_deleted_when_empty_or_by_force() {
    let mut lab = Lab::one_group(&[]);
    let delete = |lab: &mut Lab| lab.refused("DeleteAutoScalingGroup", "news", map([])).0;
    assert_eq!(delete(&mut lab), "ResourceInUse");
    let sizes = map([("MinSize", "0".into()), ("DesiredCapacity", "0".into())]);
    lab.ok("UpdateAutoScalingGroup", "news", sizes);
    lab.wait(12);
    assert_eq!(delete(&mut lab), "ScalingActivityInProgress", "its last instances are leaving");
    lab.wait(120);
    lab.ok("DeleteAutoScalingGroup", "news", map([]));
    assert!(lab.world.autoscaling.groups.is_empty());

    let mut lab = Lab::one_group(&[]);
    let suspend = map([("ScalingProcesses", Value::List(vec!["Terminate".into()]))]);
    lab.ok("SuspendProcesses", "news", suspend);
    let hook = map([
        ("LifecycleHookName", "logs".into()),
        ("LifecycleTransition", "autoscaling:EC2_INSTANCE_TERMINATING".into()),
    ]);
    lab.ok("PutLifecycleHook", "news", hook);
    lab.ok("DeleteAutoScalingGroup", "news", map([("ForceDelete", true.into())]));
    let described = lab.call("DescribeAutoScalingGroups", map([])).unwrap();
    let status = described.list("AutoScalingGroups")[0].str("Status");
    assert_eq!(status, Some("Delete in progress"));
    let size = map([("DesiredCapacity", 4_i64.into())]);
    for operation in ["SetDesiredCapacity", "UpdateAutoScalingGroup", "StartInstanceRefresh"] {
        let (_, message) = lab.refused(operation, "news", size.clone());
        assert!(message.ends_with("is pending delete"), "{operation}: {message}");
    }
    lab.wait(120);
    assert!(
        lab.world.autoscaling.groups.is_empty(),
        "hooks and suspended processes don't delay it"
    );
    let activities = |lab: &mut Lab, deleted: bool| {
        let input = map([("IncludeDeletedGroups", deleted.into())]);
        lab.call("DescribeScalingActivities", input).unwrap().list("Activities").len()
    };
    assert_eq!((activities(&mut lab, false), activities(&mut lab, true)), (0, 8));
    let (_, message) = lab.refused("DeleteAutoScalingGroup", "news", map([]));
    assert!(message.starts_with("AutoScalingGroup name not found"), "{message}");
}

#[test]
fn a_group_that_is_deleted_ends_its_refresh() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", map([]));
    lab.wait(30);
    lab.ok("DeleteAutoScalingGroup", "news", map([("ForceDelete", true.into())]));
    let reported = lab.ok("DescribeInstanceRefreshes", "news", map([]));
    let refresh = &reported.list("InstanceRefreshes")[0];
    assert_eq!(refresh.str("Status"), Some("Cancelled"));
    assert_eq!(refresh.time("EndTime"), Some(lab.world.now));
    assert!(refresh.str("StatusReason").unwrap().contains("deleted"));
}

#[test]
fn a_group_of_the_same_name_is_another() {
    let mut lab = Lab::one_group(&[]);
    let group = lab.group("news").clone();
    lab.ok("DeleteAutoScalingGroup", "news", map([("ForceDelete", true.into())]));
    lab.wait(120);
    let template = map([("LaunchTemplateName", "news".into()), ("Version", "1".into())]);
    let create = map([
        ("LaunchTemplate", template),
        ("MinSize", 1_i64.into()),
        ("MaxSize", 2_i64.into()),
        ("VPCZoneIdentifier", group.subnets.join(",").into()),
    ]);
    lab.ok("CreateAutoScalingGroup", "news", create);
    lab.wait(600);
    let checks = (0..).scan(lab.world.queue.clone(), |queue, _| {
        queue.pop_due(jiff::Timestamp::MAX).map(|(_, event)| format!("{event:?}"))
    });
    let checks = checks.filter(|event| event.contains("CheckHealth")).count();
    assert_eq!(checks, 1, "the earlier group's checks have ended");
}

#[test]
fn warm_pools_are_data() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("PutWarmPool", "news", map([("MinSize", "2".into())]));
    let pool = lab.ok("DescribeWarmPool", "news", map([]));
    assert_eq!(pool.get("WarmPoolConfiguration").str("PoolState"), Some("Stopped"));
    lab.ok("DeleteWarmPool", "news", map([]));
    lab.refused("DeleteWarmPool", "news", map([]));
}

#[test]
fn listings_come_in_pages_and_bad_tokens_are_refused() {
    let mut lab = Lab::one_group(&[]);
    let mut seen = 0;
    let mut token = None;
    loop {
        let input = map([("MaxRecords", 3_i64.into()), ("NextToken", token.clone().into())]);
        let answer = lab.ok("DescribeScalingActivities", "news", input);
        seen += answer.list("Activities").len();
        token = answer.str("NextToken").map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, 4);
    let filtered = |lab: &mut Lab, name: &str, value: &str| {
        let filter = map([("Name", name.into()), ("Values", Value::List(vec![value.into()]))]);
        let input = map([("Filters", Value::List(vec![filter]))]);
        lab.ok("DescribeScalingActivities", "news", input).list("Activities").len()
    };
    assert_eq!(filtered(&mut lab, "Status", "Successful"), 4);
    assert_eq!(filtered(&mut lab, "Status", "Failed"), 0);
    assert_eq!(filtered(&mut lab, "StartTimeLowerBound", "2026-01-05T09:00:00Z"), 0);
    for operation in [
        "DescribeAutoScalingGroups",
        "DescribeAutoScalingInstances",
        "DescribeInstanceRefreshes",
        "DescribeLoadBalancerTargetGroups",
        "DescribePolicies",
        "DescribeScalingActivities",
        "DescribeScheduledActions",
        "DescribeTags",
        "DescribeTrafficSources",
        "DescribeWarmPool",
    ] {
        let bad = map([("NextToken", "nonsense".into())]);
        assert_eq!(lab.refused(operation, "news", bad).0, "InvalidNextToken", "{operation}");
        let many = map([("MaxRecords", "101".into())]);
        assert_eq!(lab.refused(operation, "news", many).0, "ValidationError", "{operation}");
    }
    let error = lab.call("GetPredictiveScalingForecast", map([])).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("InvalidAction", 400));
}

#[test]
fn settings_that_are_not_simulated_are_stored_and_described() {
    let mut lab = Lab::one_group(&[]);
    let kept = map([
        ("CapacityRebalance", "true".into()),
        ("MaxInstanceLifetime", "604800".into()),
        ("Context", "blue".into()),
    ]);
    lab.ok("UpdateAutoScalingGroup", "news", kept);
    let described = lab.call("DescribeAutoScalingGroups", map([])).unwrap();
    let group = &described.list("AutoScalingGroups")[0];
    assert_eq!(group.get("CapacityRebalance"), &Value::Bool(true));
    assert_eq!(group.get("MaxInstanceLifetime"), &Value::Int(604_800));
    assert_eq!(group.str("Context"), Some("blue"));
    let launch_configuration = map([("LaunchConfigurationName", "old".into())]);
    let (_, message) = lab.refused("UpdateAutoScalingGroup", "news", launch_configuration);
    assert!(message.starts_with("Launch configuration name not found"), "{message}");
    let protection = map([("DeletionProtection", "prevent-force-deletion".into())]);
    lab.ok("UpdateAutoScalingGroup", "news", protection);
    let force = map([("ForceDelete", true.into())]);
    assert_eq!(lab.refused("DeleteAutoScalingGroup", "news", force).0, "ResourceInUse");
}
