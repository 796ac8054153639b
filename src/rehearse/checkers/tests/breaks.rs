//! Breaks promises 4 and 6 and the fence with calls made by hand: the right checker must report
//! each.

use std::time::Duration;

use super::stage::{BLUE, CheckerBench, GREEN, assert_only_violation, begun, split};
use cutover_rollout::model::Status;

#[test]
fn false_success_is_reported() {
    let mut stage = begun();
    stage.ended("run-1", Status::Succeeded, 2);
    let found = stage.found();
    let reported =
        "at no time when it read the account was all traffic on healthy instances of version 2";
    assert!(found[0].contains(reported), "{found:?}");
}

#[test]
fn success_of_a_superseded_run_is_reported() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.look("run-1");
    stage.wait(10);
    stage.look("run-1");
    let describe = [("LaunchTemplateVersion.1", "1"), ("LaunchTemplateName", "news")];
    stage.call("run-1", "ec2", "DescribeLaunchTemplateVersions", &describe);
    stage.ended("run-1", Status::Succeeded, 1);
    let found = stage.found();
    assert!(found[1].contains("a newer run had claimed"), "{found:?}");
}

#[test]
fn writing_unmanaged_capacity_is_reported() {
    for (input, what) in [
        (&[("DesiredCapacity", "4")][..], "it writes a remembered DesiredCapacity of 4"),
        (&[("MaxSize", "8")], "it sets MaxSize, which cutover never writes"),
        (&[("MinSize", "1")], "it lowers a MinSize of 2, which no run wrote, to 1"),
        (&[("MinSize", "6")], "it raises MinSize to 6, although no DesiredCapacity exceeds 4"),
    ] {
        let mut stage = begun();
        stage.update("run-1", BLUE, input);
        assert_only_violation(&stage, what);
    }
    let mut stage = begun();
    let input = [("AutoScalingGroupName", BLUE), ("DesiredCapacity", "4")];
    stage.call("run-1", "autoscaling", "SetDesiredCapacity", &input);
    assert_only_violation(&stage, "no rollout needs this operation");
}

#[test]
fn only_a_min_size_written_by_a_run_may_be_lowered() {
    let mut stage = begun();
    stage.update("run-1", BLUE, &[("MinSize", "4")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "2")]);
    assert_eq!(stage.found(), [""; 0]);
    stage.update("operator", BLUE, &[("MinSize", "3")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "2")]);
    assert_only_violation(&stage, "it lowers a MinSize of 3, which no run wrote, to 2");
}

#[test]
fn touching_another_refresh_or_scheduled_action_is_reported() {
    let mut stage = begun();
    stage.refresh("operator", GREEN, "1");
    stage.look("run-1");
    let group = [("AutoScalingGroupName", GREEN)];
    stage.call("run-1", "autoscaling", "CancelInstanceRefresh", &group);
    assert_only_violation(&stage, "was not started by cutover");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "cutover-scale-in", 300);
    assert_only_violation(&stage, "within the rollback window of 600 s");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "nightly", 600);
    assert_only_violation(&stage, "`nightly` is not a scheduled action of cutover's");
}

#[test]
fn a_fight_over_weights_is_reported() {
    let mut stage = split();
    for _ in 0..5 {
        stage.look("run-1");
        stage.weights("run-1", 100, 0);
        assert_eq!(stage.found(), [""; 0]);
        stage.weights("operator", 90, 10);
    }
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "keeps overwriting an operator's weights");
}

#[test]
fn a_change_without_a_claim_is_reported() {
    let mut stage = CheckerBench::pair();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "sent ModifyRule without a claim");
}

#[test]
fn a_change_on_a_stale_claim_is_reported() {
    let mut stage = begun();
    stage.wait(10);
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    assert_only_violation(&stage, "with the claim last read 10 s ago");
}

#[test]
fn a_denied_read_of_the_claim_does_not_count() {
    let mut stage = begun();
    stage.wait(10);
    stage.refused("run-1", "ssm", "GetParameter", &[("Name", "/cutover/news/rollouts/00000099")]);
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    assert_only_violation(&stage, "with the claim last read 10 s ago");
}

#[test]
fn success_without_an_image_is_reported() {
    let mut stage = begun();
    let describe = [("LaunchTemplateVersion.1", "1"), ("LaunchTemplateName", "news")];
    stage.call("run-1", "ec2", "DescribeLaunchTemplateVersions", &describe);
    stage.ended("run-1", Status::Succeeded, 1);
    assert_only_violation(&stage, "the outcome names no image");
}

#[test]
fn a_change_on_stale_weights_is_reported() {
    let mut stage = begun();
    stage.wait(10);
    stage.read_claim("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "with the rules last read 1");
}

#[test]
fn a_read_after_a_change_was_sent_does_not_count() {
    let mut stage = begun();
    stage.wait(10);
    let sent = stage.world.now;
    stage.look("run-1");
    let input = [("AutoScalingGroupName", GREEN), ("MinSize", "1")];
    let soon = Duration::from_millis(50);
    stage.arrives(sent, "run-1", "autoscaling", "UpdateAutoScalingGroup", &input, soon);
    assert_only_violation(&stage, "with the claim last read 10 s ago");
}

#[test]
fn a_change_five_seconds_after_a_newer_claim_is_reported() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.wait(5);
    stage.read_claim("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    assert_only_violation(&stage, "sent UpdateAutoScalingGroup 5 s after a newer run had claimed");
}

#[test]
fn a_change_by_a_superseded_run_is_reported() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.wait(10);
    stage.look("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    assert_only_violation(&stage, "after a newer run had claimed");
    // A change that was already on its way is not held against the run.
    let mut stage = begun();
    stage.record("run-2", 2, None);
    let input = [("AutoScalingGroupName", GREEN), ("MinSize", "1")];
    let late = Duration::from_secs(20);
    stage.call_with_latency("run-1", "autoscaling", "UpdateAutoScalingGroup", &input, late);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn a_change_right_after_taking_over_is_reported() {
    let mut stage = begun();
    stage.checkers.died(stage.world.now, "run-1");
    stage.claim("run-2", 2);
    stage.wait(20);
    stage.look("run-2");
    stage.update("run-2", GREEN, &[("MinSize", "1")]);
    assert_only_violation(&stage, "after taking over an unfinished rollout");
}

#[test]
fn writing_another_runs_record_is_reported() {
    let mut stage = begun();
    stage.record("run-2", 1, Some(Status::Failed));
    assert_only_violation(&stage, "run-2 wrote record 1, which belongs to another run");
}

#[test]
fn a_refresh_to_latest_is_reported() {
    let mut stage = begun();
    stage.refresh("run-1", GREEN, "$Latest");
    assert_only_violation(&stage, "`$Latest` is not a version number");
}

#[test]
fn a_min_size_written_without_a_read_is_reported() {
    let mut stage = CheckerBench::pair();
    stage.claim("run-1", 1);
    stage.read_claim("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "4")]);
    assert_only_violation(&stage, "it never read the groups");
}

#[test]
fn taking_traffic_from_a_third_group_is_reported() {
    let mut stage = CheckerBench::pair();
    stage.third("operator", 90);
    stage.wait(10);
    stage.claim("run-1", 1);
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "took traffic away from a target group outside the pair");
}
