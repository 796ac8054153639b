//! An operator removes instances or targets, or suspends a group's processes.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{LabOperator, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::{Event, Status};

async fn terminates(operator: &LabOperator, group: &str) {
    let instance = operator.instance(group);
    let parameters =
        [("InstanceId", instance.as_str()), ("ShouldDecrementDesiredCapacity", "false")];
    operator.autoscaling("TerminateInstanceInAutoScalingGroup", &parameters).await;
}

async fn deregisters(operator: &LabOperator, group: &str) {
    let (arn, instance) = (operator.target_group(group), operator.instance(group));
    let parameters = [("TargetGroupArn", arn.as_str()), ("Targets.member.1.Id", instance.as_str())];
    operator.balancing("DeregisterTargets", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_replaced_in_time_is_ignored() {
    for group in [BLUE, GREEN] {
        let mut case = TestCase::canary().when(weights(10, true), move |operator| async move {
            terminates(&operator, group).await;
        });
        case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_side_that_loses_needed_targets_rolls_back() {
    let mut case = TestCase::canary()
        .when(weights(100, true), |operator| async move { terminates(&operator, GREEN).await });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::RolledBack)
        .assert_says("only 3 of 4 needed targets of the new version are healthy");
    case.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn a_missing_target_keeps_the_gate_closed_and_rolls_back() {
    let mut case = TestCase::canary()
        .when(weights(50, true), |operator| async move { deregisters(&operator, GREEN).await });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::RolledBack)
        .assert_says("the gate for 100% did not open in time: 3 of 4 targets are ready");
    case.assert_unchanged();
}

/// A rollback waits for a side that can serve the traffic: moving weights creates no capacity.
#[tokio::test(start_paused = true)]
async fn a_rollback_waits_for_an_old_side_that_lost_a_target() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        // So late that it is not replaced before the judgment.
        operator.waits(130).await;
        terminates(&operator, BLUE).await;
    });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::RolledBack).assert_says("the weights stay");
    case.assert_unchanged();
}

/// A group replaces an instance, or rebalances its zones, whenever it wants: a live version stays
/// live.
#[tokio::test(start_paused = true)]
async fn a_live_version_is_proven_once_its_new_instance_is_healthy() {
    for mut case in [TestCase::canary(), TestCase::rolling()] {
        case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
        let live = case.truth().users()[0].0.to_owned();
        terminates(&case.operator(), &live).await;
        // In service before it is healthy.
        case.operator().waits(20).await;
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::Succeeded).assert_says("already live as version 2: nothing to do");
        assert!(
            reported.events.iter().any(|e| matches!(e.event, Event::Waiting { .. })),
            "{reported}"
        );
    }
}

/// A target that stays away is reported after as long as a rollout would have waited for it.
#[tokio::test(start_paused = true)]
async fn a_live_version_with_a_missing_target_is_not_proven() {
    let mut case = TestCase::canary();
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    deregisters(&case.operator(), GREEN).await;
    let began = case.clock().now();
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Failed)
        .assert_says("could not be proven: 3 targets are registered, but 4");
    assert!(case.clock().now().duration_since(began).as_secs() >= 600, "{reported}");
}

/// Its proof is still waited for when the group is deleted: what does not exist proves nothing.
#[tokio::test(start_paused = true)]
async fn a_live_group_that_is_deleted_is_not_proven() {
    let mut case = TestCase::canary();
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    deregisters(&case.operator(), GREEN).await;
    let unproven = |event: &Event| match event {
        Event::Waiting { message, .. } => message.contains("targets are registered, but"),
        _ => false,
    };
    let mut case = case.when(unproven, |operator| async move {
        operator.group("DeleteAutoScalingGroup", GREEN, &[("ForceDelete", "true")]).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Failed).assert_says("`news-green` does not exist");
    assert!(reported.outcome.as_ref().is_some_and(|o| o.proof.is_none()), "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_group_with_suspended_launch_is_reported_and_undone() {
    let mut case = TestCase::canary().when(phase("refresh"), |operator| async move {
        let launch = [("ScalingProcesses.member.1", "Launch")];
        operator.group("SuspendProcesses", GREEN, &launch).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Failed).assert_says("has suspended processes: Launch");
    case.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn one_group_with_suspended_launch_is_rolled_back() {
    let mut case = TestCase::rolling().when(phase("refresh"), |operator| async move {
        operator.waits(60).await;
        let launch = [("ScalingProcesses.member.1", "Launch")];
        operator.group("SuspendProcesses", "news", &launch).await;
        operator.waits(1800).await;
        operator.group("ResumeProcesses", "news", &launch).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says("has suspended processes: Launch");
    case.assert_unchanged();
}
