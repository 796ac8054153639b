//! Every preference: what it allows, what it refuses, and what it does.

use super::{bounds, saved};
use crate::services::autoscaling::Status;
use crate::services::autoscaling::fixture::{Lab, to_version};
use crate::services::autoscaling::template_spec::Version;
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{Value, map};

fn first(lab: &Lab) -> String {
    lab.group("news").members.keys().next().unwrap().clone()
}

fn standby(lab: &mut Lab) -> String {
    let id = first(lab);
    let input = map([
        ("InstanceIds", Value::List(vec![id.as_str().into()])),
        ("ShouldDecrementDesiredCapacity", true.into()),
    ]);
    lab.ok("EnterStandby", "news", input);
    lab.wait(60);
    id
}

#[test]
fn instances_in_standby_are_waited_for_ignored_or_terminated() {
    let end = |choice: &'static str| {
        let mut lab = Lab::one_group(&[]);
        let id = standby(&mut lab);
        lab.start("news", bounds("0", "100").with("StandbyInstances", choice));
        lab.wait(4500);
        let stays = lab.group("news").members.contains_key(&id);
        (lab.refresh("news").status, stays, lab.in_service("news", 2))
    };
    assert_eq!(end("Wait"), (Status::Failed, true, 3), "after an hour");
    assert_eq!(end("Ignore"), (Status::Successful, true, 3));
    assert_eq!(end("Terminate"), (Status::Successful, false, 3));
}

#[test]
fn a_protected_instance_may_be_released_within_the_hour() {
    let mut lab = Lab::one_group(&[]);
    let protect = |lab: &mut Lab, id: &str, protected: bool| {
        let ids = Value::List(vec![id.into()]);
        let input = map([("InstanceIds", ids), ("ProtectedFromScaleIn", protected.into())]);
        lab.ok("SetInstanceProtection", "news", input);
    };
    let id = first(&lab);
    protect(&mut lab, &id, true);
    lab.start("news", bounds("0", "100"));
    lab.wait(3000);
    let refresh = lab.refresh("news");
    assert_eq!(refresh.status, Status::InProgress);
    let reason = refresh.reason.as_ref().unwrap();
    assert!(reason.contains("protected from scale in or in standby"), "{reason}");
    protect(&mut lab, &id, false);
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 2), 4);
}

#[test]
fn an_explicit_maximum_launches_first_and_an_omitted_one_does_not() {
    let run = |preferences: Value| {
        let mut lab = Lab::one_group(&[]);
        lab.start("news", preferences);
        lab.extremes("news", 900)
    };
    let min = || map([("MinHealthyPercentage", "100".into()), ("InstanceWarmup", "0".into())]);
    assert_eq!(run(min()), (3, 4), "terminates and launches together");
    assert_eq!(run(min().with("MaxHealthyPercentage", "100")), (4, 5), "launches first");
}

#[test]
fn the_maintenance_policy_is_the_default_and_preferences_come_before_it() {
    let mut lab = Lab::one_group(&[]);
    let policy = |min: i64, max: i64| {
        let policy =
            map([("MinHealthyPercentage", min.into()), ("MaxHealthyPercentage", max.into())]);
        map([("InstanceMaintenancePolicy", policy)])
    };
    lab.ok("UpdateAutoScalingGroup", "news", policy(100, 150));
    lab.start("news", map([("InstanceWarmup", "0".into())]));
    assert_eq!(lab.extremes("news", 900), (4, 6));
    lab.start("news", map([("InstanceWarmup", "0".into()), ("MinHealthyPercentage", "50".into())]));
    assert_eq!(lab.refresh("news").preferences.min_healthy, 50);
    assert_eq!(lab.refresh("news").preferences.max_healthy, Some(150), "the policy's");
    lab.wait_for("news", Status::Successful);
    // −1 and −1 remove the policy.
    lab.ok("UpdateAutoScalingGroup", "news", policy(-1, -1));
    lab.start("news", map([]));
    let preferences = &lab.refresh("news").preferences;
    assert_eq!((preferences.min_healthy, preferences.max_healthy), (90, None));
    for (min, max) in [(100, -1), (50, 151), (101, 150), (90, 99), (90, 201)] {
        let (code, _) = lab.refused("UpdateAutoScalingGroup", "news", policy(min, max));
        assert_eq!(code, "ValidationError", "{min} {max}");
    }
}

#[test]
fn the_warmup_comes_from_the_group_or_its_grace_period() {
    let mut lab = Lab::one_group(&[]);
    let mut warmup = |group: Value, preferences: Value| {
        lab.ok("UpdateAutoScalingGroup", "news", group);
        lab.start("news", preferences);
        let seconds = lab.refresh("news").preferences.warmup.as_secs();
        lab.ok("CancelInstanceRefresh", "news", map([]));
        seconds
    };
    assert_eq!(warmup(map([]), map([])), 120, "the grace period");
    let group = map([("DefaultInstanceWarmup", 45_i64.into())]);
    assert_eq!(warmup(group.clone(), map([])), 45);
    assert_eq!(warmup(group, map([("InstanceWarmup", 7_i64.into())])), 7);
    assert_eq!(warmup(map([("DefaultInstanceWarmup", (-1_i64).into())]), map([])), 120);
}

#[test]
fn a_checkpoint_between_two_instance_counts_is_skipped() {
    let mut lab = Lab::one_group(&[]);
    let two = map([("MinSize", "1".into()), ("DesiredCapacity", "2".into())]);
    lab.ok("UpdateAutoScalingGroup", "news", two);
    lab.wait(120);
    let points = Value::List(vec!["10".into(), "40".into(), "100".into()]);
    let preferences = bounds("100", "200").with("CheckpointPercentages", points);
    lab.start("news", preferences);
    lab.wait(3000);
    assert_eq!((lab.in_service("news", 1), lab.in_service("news", 2)), (1, 1));
    lab.wait(1500);
    assert_eq!(lab.refresh("news").status, Status::Successful, "one wait of an hour, not two");
}

#[test]
fn alarms_without_data_pause_it_and_do_not_count_as_a_stall() {
    let mut lab = Lab::one_group(&[]);
    cloudwatch::pin_alarm(&mut lab.world, "p99", AlarmState::Ok);
    let alarms = map([("Alarms", Value::List(vec!["p99".into()]))]);
    lab.start("news", bounds("100", "150").with("AlarmSpecification", alarms));
    lab.wait(20);
    cloudwatch::pin_alarm(&mut lab.world, "p99", AlarmState::InsufficientData);
    lab.wait(2 * 3600);
    let refresh = lab.refresh("news");
    assert_eq!(refresh.status, Status::InProgress);
    assert!(refresh.reason.as_ref().unwrap().contains("insufficient data"));
    assert_eq!(lab.in_service("news", 1), 4, "nothing was terminated meanwhile");
    cloudwatch::pin_alarm(&mut lab.world, "p99", AlarmState::Ok);
    lab.wait_for("news", Status::Successful);
}

#[test]
fn an_alarm_while_baking_rolls_back() {
    let run = |auto: bool| {
        let mut lab = Lab::one_group(&[]);
        cloudwatch::pin_alarm(&mut lab.world, "p99", AlarmState::Ok);
        let alarms = map([("Alarms", Value::List(vec!["p99".into()]))]);
        let preferences = bounds("100", "150")
            .with("AlarmSpecification", alarms)
            .with("BakeTime", "600")
            .with("AutoRollback", auto);
        lab.start("news", preferences);
        lab.wait_for("news", Status::Baking);
        lab.wait(60);
        cloudwatch::pin_alarm(&mut lab.world, "p99", AlarmState::Alarm);
        lab.wait(1800);
        (lab.refresh("news").status, lab.in_service("news", 1), saved(&lab, "news"))
    };
    assert_eq!(run(true), (Status::RollbackSuccessful, 4, Version::Number(1)));
    assert_eq!(run(false), (Status::Failed, 0, Version::Number(1)));
}

#[test]
fn every_range_is_kept() {
    let mut lab = Lab::one_group(&[]);
    let list = |items: &[&str]| Value::List(items.iter().map(|i| (*i).into()).collect());
    let eleven = list(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
    let bad: Vec<(&'static str, Value)> = vec![
        ("MinHealthyPercentage", "101".into()),
        ("MinHealthyPercentage", "-1".into()),
        ("MaxHealthyPercentage", "150".into()),
        ("InstanceWarmup", "-1".into()),
        ("CheckpointPercentages", list(&["0", "50"])),
        ("CheckpointPercentages", list(&["50", "101"])),
        ("CheckpointPercentages", list(&["50", "50"])),
        ("CheckpointDelay", "60".into()),
        ("BakeTime", "172801".into()),
        ("ScaleInProtectedInstances", "Terminate".into()),
        ("StandbyInstances", "Refresh".into()),
        ("AlarmSpecification", map([("Alarms", eleven)])),
        ("AlarmSpecification", map([("Alarms", list(&["unheard-of"]))])),
    ];
    for (key, value) in bad {
        let preferences = map([(key, value.clone())]);
        let (code, message) =
            lab.refused("StartInstanceRefresh", "news", to_version("2", preferences));
        assert_eq!(code, "ValidationError", "{key} {value:?}: {message}");
    }
    for (min, max) in [("90", "99"), ("100", "201"), ("99", "200")] {
        let preferences = bounds(min, max);
        let (code, _) = lab.refused("StartInstanceRefresh", "news", to_version("2", preferences));
        assert_eq!(code, "ValidationError", "{min} {max}");
    }
    assert!(lab.group("news").refreshes.is_empty());
}
