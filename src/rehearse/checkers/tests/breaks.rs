//! Promises 4 and 6, and the fence, broken by hand: each is told, and by the checker that it belongs to.

use std::time::Duration;

use super::stage::{BLUE, GREEN, Stage, begun, split, told};
use crate::model::Ending;

#[test]
fn success_that_is_none() {
    let mut stage = begun();
    stage.ended("run-1", Ending::Succeeded, 2);
    let found = stage.found();
    let told = "at no time when it looked was all traffic on healthy instances of version 2";
    assert!(found[0].contains(told), "{found:?}");
}

#[test]
fn success_of_one_who_was_superseded() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.look("run-1");
    stage.wait(10);
    stage.look("run-1");
    let describe = [("LaunchTemplateVersion.1", "1"), ("LaunchTemplateName", "news")];
    stage.call("run-1", "ec2", "DescribeLaunchTemplateVersions", &describe);
    stage.ended("run-1", Ending::Succeeded, 1);
    let found = stage.found();
    assert!(found[1].contains("a number above its own had been claimed"), "{found:?}");
}

#[test]
fn capacity_that_is_nobodys() {
    for (input, what) in [
        (&[("DesiredCapacity", "4")][..], "a remembered capacity of 4"),
        (&[("MaxSize", "8")], "MaxSize is nobody's here"),
        (&[("MinSize", "1")], "it lowers a minimum of 2, which no run wrote, to 1"),
        (&[("MinSize", "6")], "it raises the minimum to 6, where no group wants more than 4"),
    ] {
        let mut stage = begun();
        stage.update("run-1", BLUE, input);
        told(&stage, what);
    }
    let mut stage = begun();
    let input = [("AutoScalingGroupName", BLUE), ("DesiredCapacity", "4")];
    stage.call("run-1", "autoscaling", "SetDesiredCapacity", &input);
    told(&stage, "no rollout needs that");
}

#[test]
fn what_is_raised_may_be_lowered_and_a_hands_may_not() {
    let mut stage = begun();
    stage.update("run-1", BLUE, &[("MinSize", "4")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "2")]);
    assert_eq!(stage.found(), [""; 0]);
    stage.update("hand", BLUE, &[("MinSize", "3")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "2")]);
    told(&stage, "it lowers a minimum of 3, which no run wrote, to 2");
}

#[test]
fn somebody_elses_refresh_and_action() {
    let mut stage = begun();
    stage.refresh("hand", GREEN, "1");
    stage.look("run-1");
    let group = [("AutoScalingGroupName", GREEN)];
    stage.call("run-1", "autoscaling", "CancelInstanceRefresh", &group);
    told(&stage, "is not a refresh of ours");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "cutover-retire", 300);
    told(&stage, "within the 600 s that it was to stay warm");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "nightly", 600);
    told(&stage, "`nightly` is not a scheduled action of ours");
}

#[test]
fn a_fight_over_weights() {
    let mut stage = split();
    for _ in 0..5 {
        stage.look("run-1");
        stage.weights("run-1", 100, 0);
        assert_eq!(stage.found(), [""; 0]);
        stage.weights("hand", 90, 10);
    }
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "keeps writing over another hand's weights");
}

#[test]
fn a_change_without_a_claim() {
    let mut stage = Stage::pair();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "sent ModifyRule without a claim");
}

#[test]
fn a_change_on_an_old_claim() {
    let mut stage = begun();
    stage.wait(10);
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    told(&stage, "having looked at the claim 10 s ago");
}

#[test]
fn a_refused_look_at_the_claim_is_none() {
    let mut stage = begun();
    stage.wait(10);
    stage.refused("run-1", "ssm", "GetParameter", &[("Name", "/cutover/news/rollouts/00000099")]);
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    told(&stage, "having looked at the claim 10 s ago");
}

#[test]
fn success_of_no_image() {
    let mut stage = begun();
    let describe = [("LaunchTemplateVersion.1", "1"), ("LaunchTemplateName", "news")];
    stage.call("run-1", "ec2", "DescribeLaunchTemplateVersions", &describe);
    stage.ended("run-1", Ending::Succeeded, 1);
    told(&stage, "it does not say of which image");
}

#[test]
fn a_change_on_old_weights() {
    let mut stage = begun();
    stage.wait(10);
    stage.look_at_the_claim("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "having looked at the rules 1");
}

#[test]
fn a_look_after_a_change_was_sent_is_not_what_it_was_sent_on() {
    let mut stage = begun();
    stage.wait(10);
    let sent = stage.world.now;
    stage.look("run-1");
    let input = [("AutoScalingGroupName", GREEN), ("MinSize", "1")];
    let soon = Duration::from_millis(50);
    stage.arrives(sent, "run-1", "autoscaling", "UpdateAutoScalingGroup", &input, soon);
    told(&stage, "having looked at the claim 10 s ago");
}

#[test]
fn a_change_on_a_look_from_before_another_claim_comes_within_five_seconds() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.wait(5);
    stage.look_at_the_claim("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    told(&stage, "sent UpdateAutoScalingGroup 5 s after a number above its own had been claimed");
}

#[test]
fn a_change_by_the_superseded() {
    let mut stage = begun();
    stage.record("run-2", 2, None);
    stage.wait(10);
    stage.look("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    told(&stage, "after a number above its own had been claimed");
    // One that was on its way is not held against it.
    let mut stage = begun();
    stage.record("run-2", 2, None);
    let input = [("AutoScalingGroupName", GREEN), ("MinSize", "1")];
    let late = Duration::from_secs(20);
    stage.call_of_age("run-1", "autoscaling", "UpdateAutoScalingGroup", &input, late);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn a_change_right_after_taking_over() {
    let mut stage = begun();
    stage.checkers.died(stage.world.now, "run-1");
    stage.claim("run-2", 2);
    stage.wait(20);
    stage.look("run-2");
    stage.update("run-2", GREEN, &[("MinSize", "1")]);
    told(&stage, "after it took over from a run that did not finish");
}

#[test]
fn anothers_record() {
    let mut stage = begun();
    stage.record("run-2", 1, Some(Ending::Failed));
    told(&stage, "run-2 wrote record 1, which is not its own");
}

#[test]
fn a_refresh_to_whatever_is_newest() {
    let mut stage = begun();
    stage.refresh("run-1", GREEN, "$Latest");
    told(&stage, "`$Latest` is not the number of a version");
}

#[test]
fn a_minimum_without_a_look() {
    let mut stage = Stage::pair();
    stage.claim("run-1", 1);
    stage.look_at_the_claim("run-1");
    stage.update("run-1", GREEN, &[("MinSize", "4")]);
    told(&stage, "it never looked at the groups");
}

#[test]
fn traffic_taken_from_a_third_group() {
    let mut stage = Stage::pair();
    stage.third("hand", 90);
    stage.wait(10);
    stage.claim("run-1", 1);
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "took a rule's traffic from another target group");
}
