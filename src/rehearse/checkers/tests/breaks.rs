//! Promises broken by hand: each is told, and by the checker that it belongs to.

use std::time::Duration;

use super::stage::{BLUE, GREEN, Stage};
use crate::model::Ending;

/// Two groups, a claim, and a first look.
fn begun() -> Stage {
    let mut stage = Stage::pair();
    stage.claim("run-1", 1);
    stage.look("run-1");
    assert_eq!(stage.found(), [""; 0]);
    stage
}

/// Green is warm and bears 10 %, all by the book.
fn split() -> Stage {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.weights("run-1", 90, 10);
    assert_eq!(stage.found(), [""; 0]);
    stage
}

/// The one thing told contains `what`.
fn told(stage: &Stage, what: &str) {
    let found = stage.found();
    assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
}

#[test]
fn weight_without_health() {
    let mut stage = begun();
    stage.weights("run-1", 90, 10);
    told(&stage, "needs 1 ready targets of version 1, and has 0");
}

#[test]
fn weight_without_a_look() {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.wait(60);
    stage.weights("run-1", 90, 10);
    let found = stage.found();
    assert!(found.iter().any(|f| f.contains("on a look of 60 s ago")), "{found:?}");
}

#[test]
fn weight_that_is_no_longer_borne() {
    let mut stage = split();
    for _ in 0..8 {
        stage.look("run-1");
        stage.wait(10);
    }
    assert_eq!(stage.found(), [""; 0]);
    // Somebody ends every instance of green, and the run just looks on.
    stage.update("hand", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    stage.wait(60);
    told(&stage, "has borne 10 % with 0 of 1 ready targets for more than 30 s");
}

#[test]
fn trouble_is_no_excuse_for_ever() {
    let mut stage = split();
    stage.update("hand", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    for _ in 0..8 {
        stage.wait(10);
        stage.cut("run-1");
    }
    assert_eq!(stage.found(), [""; 0]);
    for _ in 0..4 {
        stage.wait(10);
        stage.cut("run-1");
    }
    told(&stage, "has borne 10 % with 0 of 1 ready targets");
}

#[test]
fn a_refresh_under_traffic() {
    let mut stage = begun();
    stage.refresh("run-1", BLUE, "1");
    told(&stage, "started an instance refresh of news-blue, which bears 100 %");
}

#[test]
fn a_refresh_under_traffic_of_a_rule_that_is_not_ours() {
    let mut stage = begun();
    let listener = stage.world.elbv2.listeners.values().next().unwrap().arn.clone();
    let target_group = stage.names.sides[1].target_group.clone().unwrap();
    let input = [
        ("ListenerArn", listener.as_str()),
        ("Priority", "77"),
        ("Conditions.member.1.Field", "path-pattern"),
        ("Conditions.member.1.Values.member.1", "/beta/*"),
        ("Actions.member.1.Type", "forward"),
        ("Actions.member.1.TargetGroupArn", &target_group),
    ];
    stage.call("hand", "elasticloadbalancing", "CreateRule", &input);
    stage.wait(300);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    let found = stage.found();
    assert!(
        found[0].contains("started an instance refresh of news-green, which bears"),
        "{found:?}"
    );
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

#[test]
fn a_refresh_too_soon() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.wait(30);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    told(&stage, "without weight for only 3");
}

#[test]
fn weight_under_a_refresh() {
    let mut stage = split();
    stage.refresh("hand", GREEN, "1");
    stage.wait(45);
    told(&stage, "has borne 10 % under a refresh");
}

#[test]
fn a_retirement_under_traffic() {
    let mut stage = begun();
    stage.retire("run-1", BLUE, "cutover-retire", 600);
    told(&stage, "scheduled the retirement of news-blue, which bears 100 %");
    stage.wait(800);
    assert!(stage.found()[1].contains("news-blue was retired while it bore 100 %"));
}

#[test]
fn weight_with_a_retirement_to_come() {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.retire("run-1", GREEN, "cutover-retire", 1200);
    stage.look("run-1");
    stage.weights("run-1", 90, 10);
    told(&stage, "with its retirement still to come");
}

#[test]
fn something_written_before_traffic_is_back() {
    let mut stage = split();
    stage.look("run-1");
    stage.record("run-1", 1, Some(Ending::Failed));
    stage.weights("run-1", 100, 0);
    told(&stage, "sent PutParameter before it took traffic back");
}

#[test]
fn traffic_taken_back_late() {
    let mut stage = split();
    stage.look("run-1");
    stage.wait(2);
    stage.weights("run-1", 100, 0);
    told(&stage, "took traffic back 20");
}

#[test]
fn a_decision_that_is_put_on_record_first() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.record("run-1", 1, Some(Ending::Failed));
    told(&stage, "sent PutParameter before it took traffic back, as it had decided");
}

#[test]
fn a_decision_that_is_not_acted_on() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.wait(10);
    told(&stage, "decided to take traffic back, and did not");
}

#[test]
fn a_decision_that_is_acted_on_late_or_by_half() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.wait(2);
    stage.look_at_the_claim("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "took traffic back 2110 ms after it had decided to");
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.weights("run-1", 95, 5);
    told(&stage, "took back only a part of a rule's traffic");
}

#[test]
fn traffic_taken_back_twice() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "wrote again what it knew to be written");
}

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
fn an_instance_of_another_version_that_is_not_healthy() {
    let mut stage = begun();
    stage.warm_green();
    let target_group = stage.names.sides[1].target_group.clone().unwrap();
    for member in stage.world.autoscaling.groups.get_mut(GREEN).unwrap().members.values_mut() {
        member.template.2 = 7;
    }
    stage.world.elbv2.target_groups.get_mut(&target_group).unwrap().targets.clear();
    stage.look("run-1");
    stage.record("run-1", 1, Some(Ending::Failed));
    let found = stage.finish();
    let told = "news-green has instances of other versions than Some(1)";
    assert!(found.iter().any(|found| found.contains(told)), "{found:?}");
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
fn things_left_behind() {
    let left = |stage: Stage, what: &str| {
        let found = stage.finish();
        assert!(found.iter().any(|found| found.contains(what)), "{what}: {found:?}");
    };
    left(begun(), "the rollout of record 1 has not ended");
    let mut stage = begun();
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    stage.record("run-1", 1, Some(Ending::Failed));
    left(stage, "the minimum of news-green is 1, it was 0");
    let mut stage = begun();
    stage.refresh("run-1", GREEN, "1");
    stage.record("run-1", 1, Some(Ending::Failed));
    left(stage, "an instance refresh of news-green is still active");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "cutover-retire", 600);
    stage.record("run-1", 1, Some(Ending::Failed));
    left(stage, "news-green is to be retired, which it was not before");
    let mut stage = split();
    stage.record("run-1", 1, Some(Ending::RolledBack));
    left(stage, "is not as before");
    let mut stage = split();
    stage.record("run-1", 1, Some(Ending::Succeeded));
    left(stage, "no side has all of the traffic");
}

#[test]
fn what_a_hand_did_before_a_rollout_is_what_that_one_found() {
    let mut stage = Stage::pair();
    stage.update("hand", GREEN, &[("MinSize", "1")]);
    stage.wait(60);
    stage.checkers.began(stage.world.now, "run-2");
    stage.claim("run-2", 1);
    stage.look("run-2");
    stage.update("run-2", GREEN, &[("MinSize", "4")]);
    stage.record("run-2", 1, Some(Ending::Failed));
    let found = stage.finish();
    let told = "the minimum of news-green is 4, it was 1";
    assert!(found.iter().any(|found| found.contains(told)), "{found:?}");
}

#[test]
fn a_retirement_that_retires_nothing() {
    let mut stage = begun();
    let at = "2026-01-05T02:00:00Z";
    let input = [
        ("AutoScalingGroupName", GREEN),
        ("ScheduledActionName", "cutover-retire"),
        ("StartTime", at),
        ("MinSize", "0"),
    ];
    stage.call("run-1", "autoscaling", "PutScheduledUpdateGroupAction", &input);
    told(&stage, "it retires to a minimum of Some(0), but to None");
}

#[test]
fn an_old_group_whose_minimum_alone_is_given_back() {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.weights("run-1", 0, 100);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "4")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "0")]);
    stage.record("run-1", 1, Some(Ending::Succeeded));
    let found = stage.finish();
    assert!(found.iter().any(|found| found.contains("news-blue is not retired")), "{found:?}");
}

#[test]
fn a_version_for_every_attempt() {
    let mut stage = begun();
    stage.version("run-1", "first");
    stage.version("run-1", "second");
    stage.record("run-1", 1, Some(Ending::Failed));
    let found = stage.finish();
    assert!(found[0].contains("1 rollouts made 2 launch template versions"), "{found:?}");
}

#[test]
fn a_hands_version_is_not_ours_by_a_retry() {
    let mut stage = begun();
    stage.version("run-1", "first");
    stage.version("hand", "theirs");
    stage.version("run-1", "first");
    assert_eq!(stage.found(), [""; 0]);
    let template = stage.names.template.clone();
    let gone = [("LaunchTemplateId", template.as_str()), ("LaunchTemplateVersion.1", "3")];
    stage.call("run-1", "ec2", "DeleteLaunchTemplateVersions", &gone);
    told(&stage, "version 3 is no orphan of ours");
}

#[test]
fn nothing_is_left_behind_by_one_that_did_nothing() {
    let mut stage = begun();
    stage.record("run-1", 1, Some(Ending::Failed));
    stage.wait(60);
    assert_eq!(stage.finish(), [""; 0]);
    let mut stage = Stage::one_group();
    stage.claim("run-1", 1);
    stage.record("run-1", 1, Some(Ending::Failed));
    assert_eq!(stage.finish(), [""; 0]);
}

#[test]
fn a_program_that_ends_by_itself_excuses_only_where_it_is_in_traffic() {
    let mut stage = begun();
    stage.warm_green();
    let green: Vec<String> =
        stage.world.autoscaling.groups[GREEN].members.keys().cloned().collect();
    for id in green {
        let instance = stage.world.ec2.instances.get_mut(&id).unwrap();
        instance.program.crash = Some(Duration::from_secs(9000));
    }
    stage.update("hand", BLUE, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    stage.wait(300);
    let found = stage.finish();
    assert!(found.iter().any(|found| found.contains("requests were lost")), "{found:?}");
}

#[test]
fn users_who_got_nothing() {
    let mut stage = begun();
    stage.weights("run-1", 0, 100);
    stage.wait(60);
    stage.weights("run-1", 100, 0);
    stage.record("run-1", 1, Some(Ending::Failed));
    stage.wait(60);
    let found = stage.finish();
    assert!(found.iter().any(|found| found.contains("requests were lost")), "{found:?}");
}
