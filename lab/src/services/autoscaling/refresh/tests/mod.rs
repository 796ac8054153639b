//! Refreshes from start to end, through the API and over time.

mod endings;
mod preferences;

use super::super::template_spec::Version;
use super::bounds::Bounds;
use super::instance_refresh::Status;
use crate::scenario::Scenario;
use crate::services::autoscaling::fixture::{Lab, to_version};
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{Value, map};

fn bounds(min: &str, max: &str) -> Value {
    map([
        ("MinHealthyPercentage", min.into()),
        ("MaxHealthyPercentage", max.into()),
        ("InstanceWarmup", "10".into()),
    ])
}

fn saved(lab: &Lab, name: &str) -> Version {
    lab.group(name).template.version
}

#[test]
fn it_replaces_within_its_bounds_and_commits_at_the_end() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150"));
    assert_eq!(lab.refresh("news").status, Status::Pending);
    assert_eq!(lab.refresh("news").started, None);
    lab.wait(10);
    assert_eq!(lab.refresh("news").status, Status::InProgress);
    assert_eq!(lab.refresh("news").to_update, Some(4));
    let (fewest, most) = lab.extremes("news", 120);
    assert_eq!((fewest, most), (4, 6));
    assert_eq!(saved(&lab, "news"), Version::Number(1), "not before the end");
    lab.wait_for("news", Status::Successful);
    assert_eq!(saved(&lab, "news"), Version::Number(2));
    assert_eq!(lab.in_service("news", 2), 4);
    assert_eq!(lab.group("news").members.len(), 4);
    assert_eq!(lab.refresh("news").percent, Some(100));
    let failed: u64 = lab.world.traffic.totals().values().map(|t| t.failed).sum();
    assert_eq!(failed, 0, "{:?}", lab.world.traffic.totals());
}

#[test]
fn every_refresh_ends_and_keeps_its_bounds() {
    let choices: [(i64, Option<i64>); 7] = [
        (0, None),
        (0, Some(100)),
        (50, Some(150)),
        (90, None),
        (100, None),
        (100, Some(100)),
        (100, Some(200)),
    ];
    for desired in 1..=6_i64 {
        for (min, max) in choices {
            let mut lab = Lab::one_group(&[]);
            let sizes = map([("MinSize", 0_i64.into()), ("DesiredCapacity", desired.into())]);
            lab.ok("UpdateAutoScalingGroup", "news", sizes);
            lab.wait(200);
            let preferences = map([
                ("MinHealthyPercentage", min.into()),
                ("MaxHealthyPercentage", max.into()),
                ("InstanceWarmup", 0_i64.into()),
            ]);
            lab.start("news", preferences);
            let bounds = Bounds::of(desired as usize, min as u64, max.map(|max| max as u64), false);
            while lab.refresh("news").status.is_active() {
                let (fewest, most) = lab.extremes("news", 5);
                let case = format!("{desired} instances, {min} to {max:?} percent");
                assert!(
                    fewest >= bounds.floor && most <= bounds.ceiling,
                    "{case}: {fewest}, {most}"
                );
            }
            assert_eq!(lab.refresh("news").status, Status::Successful);
            assert_eq!(lab.in_service("news", 2), desired as usize);
        }
    }
}

#[test]
fn an_empty_group_commits_in_seconds() {
    let mut lab = Lab::of(&Scenario::default(), &[]);
    lab.start("news-green", map([("MinHealthyPercentage", "0".into())]));
    lab.wait(5);
    let refresh = lab.refresh("news-green");
    assert_eq!((refresh.status, refresh.percent), (Status::Successful, Some(100)));
    assert_eq!(refresh.started, refresh.ended);
    assert_eq!(saved(&lab, "news-green"), Version::Number(2));
}

#[test]
fn defaults_terminate_the_only_instance_before_its_replacement_is_in_service() {
    let mut lab = Lab::one_group(&[]);
    let one = map([("MinSize", "1".into()), ("DesiredCapacity", "1".into())]);
    lab.ok("UpdateAutoScalingGroup", "news", one);
    lab.wait(120);
    lab.start("news", map([]));
    assert_eq!(lab.extremes("news", 60), (0, 1));
}

#[test]
fn skip_matching_replaces_nothing_where_all_match() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("StartInstanceRefresh", "news", to_version("1", map([("SkipMatching", "true".into())])));
    lab.wait(10);
    assert_eq!(lab.refresh("news").status, Status::Successful);
    assert_eq!(lab.group("news").activities.len(), 4, "only the initial launches");
    // Without it, matching instances are replaced too.
    lab.ok("StartInstanceRefresh", "news", to_version("1", bounds("50", "150")));
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.group("news").activities.len(), 12);
}

#[test]
fn it_stops_at_checkpoints_and_bakes() {
    let mut lab = Lab::one_group(&[]);
    let checkpoints = Value::List(vec!["10".into(), "50".into(), "100".into()]);
    let preferences = bounds("100", "200")
        .with("CheckpointPercentages", checkpoints)
        .with("CheckpointDelay", "300")
        .with("BakeTime", "200");
    lab.start("news", preferences);
    lab.wait(250);
    assert_eq!((lab.in_service("news", 1), lab.in_service("news", 2)), (3, 1));
    assert!(lab.refresh("news").reason.as_ref().unwrap().contains("checkpoint"));
    lab.wait(350);
    assert_eq!((lab.in_service("news", 1), lab.in_service("news", 2)), (2, 2));
    lab.wait_for("news", Status::Baking);
    assert_eq!(saved(&lab, "news"), Version::Number(1));
    lab.wait(195);
    assert_eq!(lab.refresh("news").status, Status::Baking);
    lab.wait(6);
    assert_eq!(lab.refresh("news").status, Status::Successful);
}

#[test]
fn a_last_checkpoint_below_100_percent_ends_the_refresh() {
    let mut lab = Lab::one_group(&[]);
    let preferences =
        bounds("100", "200").with("CheckpointPercentages", Value::List(vec!["50".into()]));
    lab.start("news", preferences);
    lab.wait_for("news", Status::Successful);
    assert_eq!((lab.in_service("news", 1), lab.in_service("news", 2)), (2, 2));
}

#[test]
fn a_rollback_goes_back_under_the_same_id() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150").with("BakeTime", "3600"));
    let id = lab.refresh("news").id.clone();
    lab.wait_for("news", Status::Baking);
    lab.ok("RollbackInstanceRefresh", "news", map([]));
    assert_eq!(lab.refresh("news").status, Status::RollbackInProgress);
    assert_eq!(lab.refresh("news").percent, Some(100), "recorded: it falls only later");
    let describe = |lab: &mut Lab| {
        let answer = lab.ok("DescribeInstanceRefreshes", "news", map([]));
        answer.list("InstanceRefreshes")[0].clone()
    };
    assert!(describe(&mut lab).get("RollbackDetails").is_null(), "seconds after the status");
    lab.wait(5);
    assert_eq!(
        describe(&mut lab).get("RollbackDetails").int("PercentageCompleteOnRollback"),
        Some(100)
    );
    lab.wait_for("news", Status::RollbackSuccessful);
    let refresh = lab.refresh("news");
    assert_eq!((refresh.id.as_str(), refresh.percent), (id.as_str(), Some(0)));
    assert_eq!(lab.in_service("news", 1), 4);
    assert_eq!(saved(&lab, "news"), Version::Number(1));
}

#[test]
fn what_cannot_be_rolled_back_is_refused() {
    let mut lab = Lab::one_group(&[]);
    let (code, message) = lab.refused("RollbackInstanceRefresh", "news", map([]));
    assert_eq!(code, "ActiveInstanceRefreshNotFound");
    assert_eq!(
        message,
        "No in progress or baking Instance Refresh found for Auto Scaling group news."
    );
    lab.ok("StartInstanceRefresh", "news", map([]));
    lab.wait(20);
    let (code, _) = lab.refused("RollbackInstanceRefresh", "news", map([]));
    assert_eq!(code, "IrreversibleInstanceRefresh", "no desired configuration");
}

#[test]
fn canceling_leaves_mixed_instances_and_the_saved_template() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150"));
    lab.wait(14);
    lab.ok("CancelInstanceRefresh", "news", map([]));
    assert_eq!(lab.refresh("news").status, Status::Cancelling);
    let (code, _) = lab.refused("CancelInstanceRefresh", "news", map([]));
    assert_eq!(code, "ActiveInstanceRefreshNotFound");
    lab.wait_for("news", Status::Cancelled);
    lab.wait(120);
    assert_eq!(lab.group("news").members.len(), 4, "instances launched in advance are surplus");
    assert_eq!(saved(&lab, "news"), Version::Number(1));
}

#[test]
fn unhealthy_instances_fail_it_after_an_hour_and_auto_rollback_restores_the_old_version() {
    let mut lab = Lab::one_group(&[("lab.health", "fail")]);
    lab.start("news", bounds("75", "125").with("AutoRollback", "true"));
    lab.wait(3600);
    assert!(lab.in_service("news", 1) >= 2, "the floor holds");
    lab.wait_for("news", Status::RollbackSuccessful);
    assert_eq!(lab.in_service("news", 1), 4);
}

#[test]
fn an_alarm_blocks_the_start_and_fails_a_running_refresh() {
    let mut lab = Lab::one_group(&[]);
    cloudwatch::pin_alarm(&mut lab.world, "news-p99", AlarmState::InsufficientData);
    let alarms = map([("Alarms", Value::List(vec!["news-p99".into()]))]);
    let preferences = bounds("100", "150").with("AlarmSpecification", alarms);
    let start = |preferences: &Value| to_version("2", preferences.clone());
    let (code, _) = lab.refused("StartInstanceRefresh", "news", start(&preferences));
    assert_eq!(code, "ValidationError");
    cloudwatch::pin_alarm(&mut lab.world, "news-p99", AlarmState::Ok);
    lab.ok("StartInstanceRefresh", "news", start(&preferences));
    lab.wait(60);
    cloudwatch::pin_alarm(&mut lab.world, "news-p99", AlarmState::Alarm);
    lab.wait(6);
    assert_eq!(lab.refresh("news").status, Status::Failed);
}

#[test]
fn starts_that_aws_refuses() {
    let mut lab = Lab::one_group(&[]);
    let mut refused = |preferences: Value| {
        let (code, message) =
            lab.refused("StartInstanceRefresh", "news", map([("Preferences", preferences)]));
        assert_eq!(code, "ValidationError");
        message
    };
    assert!(
        refused(map([("AutoRollback", "true".into())])).contains("DesiredConfiguration is empty")
    );
    let unsorted = Value::List(vec!["50".into(), "20".into()]);
    assert_eq!(
        refused(map([("CheckpointPercentages", unsorted)])),
        "Checkpoint percentages must be sorted in ascending order with no duplicates."
    );
    assert_eq!(
        refused(bounds("50", "200")),
        "The difference between MaxHealthyPercentage and MinHealthyPercentage must be less than or equal to 100."
    );
    lab.start("news", map([]));
    let (code, message) = lab.refused("StartInstanceRefresh", "news", map([]));
    assert_eq!(code, "InstanceRefreshInProgress");
    assert_eq!(
        message,
        "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
    );
    let (code, _) = lab.refused("StartInstanceRefresh", "nobody", map([]));
    assert_eq!(code, "ValidationError");
}

#[test]
fn another_template_is_refused_while_a_desired_configuration_is_active() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150"));
    let template = |version: &str| {
        let spec = map([("LaunchTemplateName", "news".into()), ("Version", version.into())]);
        map([("LaunchTemplate", spec)])
    };
    lab.wait(20);
    let (code, message) = lab.refused("UpdateAutoScalingGroup", "news", template("2"));
    assert_eq!(code, "ValidationError");
    assert!(message.starts_with("An active instance refresh with a desired configuration exists"));
    lab.ok("UpdateAutoScalingGroup", "news", map([("MinSize", "3".into())]));
}

#[test]
fn scale_out_in_mid_refresh_launches_the_desired_configuration() {
    let mut lab = Lab::one_group(&[]);
    lab.start("news", bounds("100", "150"));
    lab.wait(12);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", "6".into())]));
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 2), 6);
}

#[test]
fn a_version_created_in_mid_refresh_replaces_what_latest_has_replaced() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("StartInstanceRefresh", "news", to_version("$Latest", bounds("0", "100")));
    lab.wait(60);
    assert_eq!(lab.in_service("news", 2), 4);
    lab.new_version(&[]);
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 3), 4);
}

#[test]
fn protected_instances_are_waited_for_ignored_or_replaced() {
    let protect = |lab: &mut Lab| {
        let id = lab.group("news").members.keys().next().unwrap().clone();
        let ids = Value::List(vec![id.into()]);
        let input = map([("InstanceIds", ids), ("ProtectedFromScaleIn", "true".into())]);
        lab.ok("SetInstanceProtection", "news", input);
    };
    let end = |choice: &'static str| {
        let mut lab = Lab::one_group(&[]);
        protect(&mut lab);
        lab.start("news", bounds("0", "100").with("ScaleInProtectedInstances", choice));
        lab.wait(4500);
        (lab.refresh("news").status, lab.in_service("news", 1))
    };
    assert_eq!(end("Wait"), (Status::Failed, 1), "after an hour");
    assert_eq!(end("Ignore"), (Status::Successful, 1));
    assert_eq!(end("Refresh"), (Status::Successful, 0));
}

#[test]
fn a_suspended_process_pauses_it() {
    let mut lab = Lab::one_group(&[]);
    let process = || map([("ScalingProcesses", Value::List(vec!["InstanceRefresh".into()]))]);
    lab.ok("SuspendProcesses", "news", process());
    lab.start("news", bounds("0", "100"));
    lab.wait(7200);
    assert_eq!(lab.refresh("news").status, Status::Pending);
    lab.ok("ResumeProcesses", "news", process());
    lab.wait_for("news", Status::Successful);
}

#[test]
fn without_launch_it_stalls_and_takes_nothing_out() {
    let mut lab = Lab::one_group(&[]);
    let process = map([("ScalingProcesses", Value::List(vec!["Launch".into()]))]);
    lab.ok("SuspendProcesses", "news", process);
    lab.start("news", bounds("0", "100"));
    lab.wait(3500);
    assert_eq!(lab.in_service("news", 1), 4);
    lab.wait(200);
    assert_eq!(lab.refresh("news").status, Status::Failed);
}

#[test]
fn a_rollback_in_the_middle_counts_down_from_where_it_was() {
    let mut lab = Lab::one_group(&[]);
    let half = Value::List(vec!["50".into(), "100".into()]);
    lab.start("news", bounds("100", "150").with("CheckpointPercentages", half));
    lab.wait(300);
    assert_eq!(lab.refresh("news").percent, Some(50));
    lab.ok("RollbackInstanceRefresh", "news", map([]));
    lab.wait(6);
    assert_eq!(lab.refresh("news").percent, Some(50));
    lab.wait_for("news", Status::RollbackSuccessful);
    assert_eq!(lab.refresh("news").percent, Some(0));
    assert_eq!(lab.in_service("news", 1), 4);
}
