//! What is wrong at the end: things left behind, and users who got nothing.

use std::time::Duration;

use super::stage::{BLUE, GREEN, Stage, begun, split, told};
use crate::model::Ending;

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

/// Green, which a hand had made large enough, has everything; a run may have written its minimum.
fn green_of_a_hands_size(rewritten: bool) -> Vec<String> {
    let mut stage = Stage::pair();
    stage.update("hand", GREEN, &[("MinSize", "4")]);
    stage.wait(120);
    stage.checkers.began(stage.world.now, "run-2");
    stage.claim("run-2", 1);
    stage.look("run-2");
    stage.weights("run-2", 100, 0);
    stage.wait(60);
    stage.look("run-2");
    if rewritten {
        stage.update("run-2", GREEN, &[("MinSize", "4")]);
        stage.look("run-2");
    }
    stage.weights("run-2", 0, 100);
    stage.record("run-2", 1, Some(Ending::Succeeded));
    stage.finish()
}

#[test]
fn a_minimum_that_no_run_wrote_is_nobodys_to_hand_over() {
    let told =
        |found: &[String]| found.iter().any(|f| f.contains("the minimum of news-green is 4"));
    let found = green_of_a_hands_size(false);
    assert!(!told(&found), "{found:?}");
    let found = green_of_a_hands_size(true);
    assert!(told(&found), "{found:?}");
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
    stage.update("run-1", BLUE, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
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
