//! Violations found at the end: things left behind, and users whose requests were lost.

use std::time::Duration;

use super::stage::{BLUE, CheckerBench, GREEN, assert_only_violation, begun, split};
use cutover_rollout::model::Status;

#[test]
fn leftovers_are_reported() {
    let left = |stage: CheckerBench, what: &str| {
        let found = stage.finish();
        assert!(found.iter().any(|found| found.contains(what)), "{what}: {found:?}");
    };
    left(begun(), "the rollout of record 1 has not ended");
    let mut stage = begun();
    stage.update("run-1", GREEN, &[("MinSize", "1")]);
    stage.record("run-1", 1, Some(Status::Failed));
    left(stage, "the MinSize of news-green is 1, it was 0");
    let mut stage = begun();
    stage.refresh("run-1", GREEN, "1");
    stage.record("run-1", 1, Some(Status::Failed));
    left(stage, "an instance refresh of news-green is still active");
    let mut stage = begun();
    stage.retire("run-1", GREEN, "cutover-scale-in", 600);
    stage.record("run-1", 1, Some(Status::Failed));
    left(stage, "news-green is scheduled to scale in, which it was not before");
    let mut stage = split();
    stage.record("run-1", 1, Some(Status::RolledBack));
    left(stage, "is not as before");
    let mut stage = split();
    stage.record("run-1", 1, Some(Status::Succeeded));
    left(stage, "no side has all of the traffic");
}

#[test]
fn an_operators_earlier_change_belongs_to_the_initial_state() {
    let mut stage = CheckerBench::pair();
    stage.update("operator", GREEN, &[("MinSize", "1")]);
    stage.wait(60);
    stage.checkers.began(stage.world.now, "run-2");
    stage.claim("run-2", 1);
    stage.look("run-2");
    stage.update("run-2", GREEN, &[("MinSize", "4")]);
    stage.record("run-2", 1, Some(Status::Failed));
    let found = stage.finish();
    let reported = "the MinSize of news-green is 4, it was 1";
    assert!(found.iter().any(|found| found.contains(reported)), "{found:?}");
}

/// Runs a rollout to green, which an operator had made large enough, and returns what the checkers
/// find. The run writes green's MinSize if `rewritten`.
fn green_scaled_by_an_operator(rewritten: bool) -> Vec<String> {
    let mut stage = CheckerBench::pair();
    stage.update("operator", GREEN, &[("MinSize", "4")]);
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
    stage.record("run-2", 1, Some(Status::Succeeded));
    stage.finish()
}

#[test]
fn a_min_size_that_no_run_wrote_stays() {
    let reported =
        |found: &[String]| found.iter().any(|f| f.contains("the MinSize of news-green is 4"));
    let found = green_scaled_by_an_operator(false);
    assert!(!reported(&found), "{found:?}");
    let found = green_scaled_by_an_operator(true);
    assert!(reported(&found), "{found:?}");
}

#[test]
fn a_scale_in_without_desired_capacity_is_reported() {
    let mut stage = begun();
    let at = "2026-01-05T02:00:00Z";
    let input = [
        ("AutoScalingGroupName", GREEN),
        ("ScheduledActionName", "cutover-scale-in"),
        ("StartTime", at),
        ("MinSize", "0"),
    ];
    stage.call("run-1", "autoscaling", "PutScheduledUpdateGroupAction", &input);
    assert_only_violation(&stage, "it scales in to MinSize Some(0) but DesiredCapacity None");
}

#[test]
fn an_old_group_that_is_not_scaled_in_is_reported() {
    let mut stage = begun();
    stage.make_green_healthy();
    stage.look("run-1");
    stage.weights("run-1", 0, 100);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "4")]);
    stage.look("run-1");
    stage.update("run-1", BLUE, &[("MinSize", "0")]);
    stage.record("run-1", 1, Some(Status::Succeeded));
    let found = stage.finish();
    let reported = "news-blue is not scheduled to scale in";
    assert!(found.iter().any(|found| found.contains(reported)), "{found:?}");
}

#[test]
fn a_version_for_every_attempt_is_reported() {
    let mut stage = begun();
    stage.version("run-1", "first");
    stage.version("run-1", "second");
    stage.record("run-1", 1, Some(Status::Failed));
    let found = stage.finish();
    assert!(found[0].contains("1 rollouts created 2 launch template versions"), "{found:?}");
}

#[test]
fn a_retry_does_not_adopt_an_operators_version() {
    let mut stage = begun();
    stage.version("run-1", "first");
    stage.version("operator", "theirs");
    stage.version("run-1", "first");
    assert_eq!(stage.found(), [""; 0]);
    let template = stage.names.template.clone();
    let gone = [("LaunchTemplateId", template.as_str()), ("LaunchTemplateVersion.1", "3")];
    stage.call("run-1", "ec2", "DeleteLaunchTemplateVersions", &gone);
    assert_only_violation(&stage, "version 3 is in use or not cutover's");
}

#[test]
fn a_run_that_did_nothing_leaves_nothing_behind() {
    let mut stage = begun();
    stage.record("run-1", 1, Some(Status::Failed));
    stage.wait(60);
    assert_eq!(stage.finish(), [""; 0]);
    let mut stage = CheckerBench::one_group();
    stage.claim("run-1", 1);
    stage.record("run-1", 1, Some(Status::Failed));
    assert_eq!(stage.finish(), [""; 0]);
}

#[test]
fn a_crashing_program_excuses_losses_only_while_it_has_traffic() {
    let mut stage = begun();
    stage.make_green_healthy();
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
fn lost_requests_are_reported() {
    let mut stage = begun();
    stage.weights("run-1", 0, 100);
    stage.wait(60);
    stage.weights("run-1", 100, 0);
    stage.record("run-1", 1, Some(Status::Failed));
    stage.wait(60);
    let found = stage.finish();
    assert!(found.iter().any(|found| found.contains("requests were lost")), "{found:?}");
}

#[test]
fn an_unhealthy_instance_of_another_version_is_reported() {
    let mut stage = begun();
    stage.make_green_healthy();
    let target_group = stage.names.sides[1].target_group.clone().unwrap();
    for member in stage.world.autoscaling.groups.get_mut(GREEN).unwrap().members.values_mut() {
        member.template.2 = 7;
    }
    stage.world.elbv2.target_groups.get_mut(&target_group).unwrap().targets.clear();
    stage.look("run-1");
    stage.record("run-1", 1, Some(Status::Failed));
    let found = stage.finish();
    let reported = "news-green has instances of versions other than Some(1)";
    assert!(found.iter().any(|found| found.contains(reported)), "{found:?}");
}
