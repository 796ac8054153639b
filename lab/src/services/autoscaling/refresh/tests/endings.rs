//! How a refresh ends, and when it may not begin.

use base64::Engine as _;

use super::{bounds, saved};
use crate::services::autoscaling::Status;
use crate::services::autoscaling::fixture::{Lab, to_version};
use crate::services::autoscaling::template_spec::Version;
use crate::wire::{Value, map};

fn suspend(lab: &mut Lab, process: &str) {
    let processes = Value::List(vec![process.into()]);
    lab.ok("SuspendProcesses", "news", map([("ScalingProcesses", processes)]));
}

fn template(version: &str) -> Value {
    let spec = map([("LaunchTemplateName", "news".into()), ("Version", version.into())]);
    map([("LaunchTemplate", spec)])
}

#[test]
fn a_rollback_without_progress_fails() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150").with("BakeTime", "3600"));
    lab.wait_for("news", Status::Baking);
    lab.ok("RollbackInstanceRefresh", "news", map([]));
    suspend(&mut lab, "Launch");
    lab.wait_for("news", Status::RollbackFailed);
    assert_eq!(saved(&lab, "news"), Version::Number(1));
    assert_eq!(lab.in_service("news", 2), 4, "the mix stays as it is");
}

#[test]
fn a_rollback_is_cancelled_like_a_refresh() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150").with("BakeTime", "3600"));
    lab.wait_for("news", Status::Baking);
    lab.ok("RollbackInstanceRefresh", "news", map([]));
    lab.wait(10);
    let (code, _) = lab.refused("RollbackInstanceRefresh", "news", map([]));
    assert_eq!(code, "ActiveInstanceRefreshNotFound", "it is rolling back already");
    lab.ok("CancelInstanceRefresh", "news", map([]));
    assert_eq!(lab.refresh("news").status, Status::Cancelling);
    lab.wait_for("news", Status::Cancelled);
    assert!(lab.refresh("news").rollback.is_some());
}

#[test]
fn canceling_without_waiting_ends_the_refresh_at_once() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("50", "150"));
    lab.wait(16);
    assert!(lab.group("news").members.values().any(|m| m.state.is_launching()));
    let input = map([("WaitForTransitioningInstances", false.into())]);
    lab.ok("CancelInstanceRefresh", "news", input);
    assert_eq!(lab.refresh("news").status, Status::Cancelled);
    // Another refresh may start at once.
    lab.start("news", bounds("0", "100"));
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 2), 4);
}

#[test]
fn a_pending_refresh_is_cancelled_at_once() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("50", "150"));
    lab.ok("CancelInstanceRefresh", "news", map([]));
    assert_eq!(lab.refresh("news").status, Status::Cancelled);
    lab.wait(60);
    assert_eq!(lab.in_service("news", 1), 4);
    let (code, message) = lab.refused("CancelInstanceRefresh", "news", map([]));
    assert_eq!(code, "ActiveInstanceRefreshNotFound");
    assert!(message.ends_with("Instance Refresh found for Auto Scaling group news."), "{message}");
}

#[test]
fn a_suspension_does_not_extend_the_two_week_limit() {
    let mut lab = Lab::one_group(&[]);
    assert_eq!(lab.world.params.refresh_limit.as_secs(), 14 * 86_400);
    lab.world.params.refresh_limit = std::time::Duration::from_secs(3 * 3600);
    lab.start("news", bounds("100", "150"));
    lab.wait(20);
    suspend(&mut lab, "InstanceRefresh");
    lab.wait(2 * 3600);
    assert_eq!(lab.refresh("news").status, Status::InProgress);
    lab.wait(3700);
    assert_eq!(lab.refresh("news").status, Status::Failed);
    assert!(lab.refresh("news").reason.as_ref().unwrap().contains("did not end within"));
}

#[test]
fn a_template_without_a_version_number_cannot_be_rolled_back_to() {
    for version in ["$Latest", "$Default"] {
        let mut lab = Lab::one_group(&[]);
        lab.ok("UpdateAutoScalingGroup", "news", template(version));
        let auto = to_version("2", map([("AutoRollback", "true".into())]));
        let (code, _) = lab.refused("StartInstanceRefresh", "news", auto);
        assert_eq!(code, "ValidationError");
        lab.start("news", bounds("100", "150"));
        lab.wait(20);
        let (code, _) = lab.refused("RollbackInstanceRefresh", "news", map([]));
        assert_eq!(code, "IrreversibleInstanceRefresh", "{version}");
    }
}

#[test]
fn a_refresh_without_desired_configuration_allows_template_updates() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("StartInstanceRefresh", "news", map([("Preferences", bounds("0", "100"))]));
    lab.wait(20);
    lab.ok("UpdateAutoScalingGroup", "news", template("2"));
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 2), 4, "it launches the saved template");
}

#[test]
fn only_the_same_version_may_be_saved_and_only_while_it_is_pending() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("0", "100"));
    lab.refused("UpdateAutoScalingGroup", "news", template("1"));
    lab.ok("UpdateAutoScalingGroup", "news", template("2"));
    lab.wait(11);
    lab.refused("UpdateAutoScalingGroup", "news", template("2"));
}

#[test]
fn it_blocks_changes_of_traffic_sources() {
    let mut lab = Lab::one_group(&[]);
    let arn = lab.group("news").target_groups[0].clone();
    lab.start("news", bounds("0", "100"));
    let arns = map([("TargetGroupARNs", Value::List(vec![arn.as_str().into()]))]);
    let (code, _) = lab.refused("AttachLoadBalancerTargetGroups", "news", arns);
    assert_eq!(code, "InstanceRefreshInProgress");
    let source = map([("Identifier", arn.into()), ("Type", "elbv2".into())]);
    let sources = map([("TrafficSources", Value::List(vec![source]))]);
    let (code, _) = lab.refused("AttachTrafficSources", "news", sources);
    assert_eq!(code, "InstanceRefreshInProgress");
    let (code, _) = lab.refused("PutWarmPool", "news", map([]));
    assert_eq!(code, "InstanceRefreshInProgress");
}

#[test]
fn scaling_in_meanwhile_ends_with_fewer() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150"));
    lab.wait(20);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", 2_i64.into())]));
    lab.wait_for("news", Status::Successful);
    lab.wait(60);
    assert_eq!((lab.in_service("news", 2), lab.group("news").members.len()), (2, 2));
}

#[test]
fn it_rolls_out_a_mixed_instances_policy() {
    let mut lab = Lab::one_group(&[]);
    let spec = map([("LaunchTemplateName", "news".into()), ("Version", "2".into())]);
    let types = ["m7i.large", "m7a.large"].map(|t| map([("InstanceType", t.into())])).to_vec();
    let policy = map([(
        "LaunchTemplate",
        map([("LaunchTemplateSpecification", spec), ("Overrides", types.into())]),
    )]);
    let desired = map([("MixedInstancesPolicy", policy)]);
    let input = map([("DesiredConfiguration", desired), ("Preferences", bounds("0", "100"))]);
    lab.ok("StartInstanceRefresh", "news", input);
    lab.wait_for("news", Status::Successful);
    let described = lab.call("DescribeAutoScalingGroups", map([])).unwrap();
    let group = &described.list("AutoScalingGroups")[0];
    assert!(group.get("LaunchTemplate").is_null());
    let saved = group.get("MixedInstancesPolicy").get("LaunchTemplate");
    assert_eq!(saved.get("LaunchTemplateSpecification").str("Version"), Some("2"));
    let types: Vec<_> =
        group.list("Instances").iter().map(|i| i.str("InstanceType").unwrap()).collect();
    assert_eq!(types, ["m7i.large"; 4], "the first override: the lab has no prices");
}

#[test]
fn a_deleted_template_fails_it() {
    let mut lab = Lab::one_group(&[]);
    let text = base64::engine::general_purpose::STANDARD.encode("echo nothing");
    lab.new_version_with(&text);
    lab.start("news", bounds("100", "150"));
    lab.wait(5);
    let id = lab.group("news").template.id.clone();
    lab.world.ec2.templates.get_mut(&id).unwrap().versions.remove(&2);
    lab.wait_for("news", Status::Failed);
    assert_eq!(lab.in_service("news", 1), 4);
}

#[test]
fn what_counts_as_no_progress_is_a_parameter() {
    for (has_warmup, end) in [(true, Status::Failed), (false, Status::Successful)] {
        let mut lab = Lab::one_group(&[]);
        lab.world.params.stall_counts_warmup = has_warmup;
        let preferences = [("MinHealthyPercentage", "0"), ("InstanceWarmup", "4000")];
        lab.start("news", map(preferences.map(|(key, value)| (key, value.into()))));
        lab.wait_for("news", end);
    }
}
