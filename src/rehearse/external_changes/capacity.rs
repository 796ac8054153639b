//! An operator changes how large the groups are or may be.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{LabOperator, RunReport, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::{Event, Status};

/// Sets a group's bounds, as the console does.
async fn bounds(operator: LabOperator, group: &str, bounds: &[(&str, &str)]) {
    operator.group("UpdateAutoScalingGroup", group, bounds).await;
}

/// Runs a deployment in which these bounds are set at the first bake; returns its report and the
/// test case at its end.
async fn with_bounds(group: &'static str, of: &'static [(&str, &str)]) -> (RunReport, TestCase) {
    let mut case = TestCase::canary()
        .when(phase("bake"), move |operator| async move { bounds(operator, group, of).await });
    (case.run(TestCommand::Deploy("v2")).await, case)
}

#[tokio::test(start_paused = true)]
async fn a_lowered_min_size_is_raised_for_the_next_step() {
    let (reported, case) = with_bounds(GREEN, &[("MinSize", "1")]).await;
    reported.ended(Status::Succeeded);
    let raised =
        |event: &Event| matches!(event, Event::MinSize { group, min: 4, .. } if group == GREEN);
    let raises = reported.events.iter().filter(|reported| raised(&reported.event)).count();
    assert!(raises > 1, "{raises}: {reported}");
    assert_eq!(case.truth().group(GREEN), (2, 4, "2"), "{reported}");
    let (reported, case) = with_bounds(BLUE, &[("MinSize", "1"), ("DesiredCapacity", "3")]).await;
    reported.ended(Status::Succeeded);
    assert_eq!(case.truth().users(), [(GREEN, 100)]);
}

#[tokio::test(start_paused = true)]
async fn a_min_size_set_by_others_is_kept() {
    let (reported, case) = with_bounds(GREEN, &[("MinSize", "5")]).await;
    reported.ended(Status::Succeeded).assert_says("which this rollout did not set: left as it is");
    assert_eq!(case.truth().group(GREEN), (5, 5, "2"), "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_min_size_set_by_others_is_kept_in_a_rollback() {
    let mut case = TestCase::canary().when(phase("bake"), |operator| async move {
        bounds(operator.clone(), GREEN, &[("MinSize", "5")]).await;
        bounds(operator, BLUE, &[("MinSize", "3")]).await;
    });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::RolledBack).assert_says("which this rollout did not set: left as it is");
    assert_eq!(case.truth().users(), [(BLUE, 100)]);
    assert_eq!(case.truth().group(BLUE), (3, 4, "1"), "{reported}");
    assert_eq!(case.truth().group(GREEN), (5, 5, "1"), "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_max_size_below_the_next_steps_need_rolls_back() {
    let smaller: &[(&str, &str)] = &[("MinSize", "0"), ("MaxSize", "2"), ("DesiredCapacity", "2")];
    let (reported, case) = with_bounds(GREEN, smaller).await;
    reported
        .ended(Status::RolledBack)
        .assert_says("the gate for 100% did not open in time: 2 of 4 targets are ready");
    assert_eq!(case.truth().group(GREEN), (0, 0, "1"), "{reported}");
    assert_eq!(case.truth().groups[GREEN].max, 2, "cutover never writes MaxSize");
}

#[tokio::test(start_paused = true)]
async fn a_max_size_below_the_live_groups_size_fails_the_rollout() {
    let mut case = TestCase::canary().when(phase("cancel-scale-in"), |operator| async move {
        bounds(operator, GREEN, &[("MaxSize", "3")]).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Failed).assert_says("its MaxSize is 3");
    assert_eq!(case.truth().group(GREEN), (0, 0, "1"), "{reported}");
}

/// A scaling policy follows the load.
#[tokio::test(start_paused = true)]
async fn the_new_group_grows_with_the_live_one() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        operator.group("SetDesiredCapacity", BLUE, &[("DesiredCapacity", "6")]).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Succeeded);
    assert_eq!(case.truth().group(GREEN), (2, 6, "2"), "{reported}");
}

#[tokio::test(start_paused = true)]
async fn growth_of_the_new_group_is_ignored() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        operator.group("SetDesiredCapacity", GREEN, &[("DesiredCapacity", "6")]).await;
    });
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    assert_eq!(case.truth().group(GREEN), (2, 6, "2"));
}

/// Somebody's scheduled action empties the new group a minute into the second step.
#[tokio::test(start_paused = true)]
async fn a_scheduled_action_that_shrinks_the_new_group_rolls_back() {
    let mut case = TestCase::canary().when(weights(50, true), |operator| async move {
        let at = operator.moment(60);
        let action = [
            ("ScheduledActionName", "night"),
            ("StartTime", at.as_str()),
            ("MinSize", "0"),
            ("DesiredCapacity", "1"),
        ];
        operator.group("PutScheduledUpdateGroupAction", GREEN, &action).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says("needed targets of the new version are healthy");
    assert_eq!(case.truth().users(), [(BLUE, 100)]);
}

/// A scheduled action that is due before the next gate holds the step, and the rollout continues
/// after it.
#[tokio::test(start_paused = true)]
async fn a_scheduled_action_that_is_due_holds_the_step() {
    let mut case = TestCase::canary().when(phase("smoke-test"), |operator| async move {
        let at = operator.moment(100);
        let action =
            [("ScheduledActionName", "noon"), ("StartTime", at.as_str()), ("MaxSize", "8")];
        operator.group("PutScheduledUpdateGroupAction", GREEN, &action).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Succeeded)
        .assert_says("the scheduled action `noon` is due before the next gate");
}

#[tokio::test(start_paused = true)]
async fn one_group_that_grows_during_its_refresh_is_replaced_completely() {
    let mut case = TestCase::rolling().when(phase("refresh"), |operator| async move {
        operator.waits(60).await;
        operator.group("SetDesiredCapacity", "news", &[("DesiredCapacity", "6")]).await;
    });
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    assert_eq!(case.truth().group("news"), (2, 6, "2"));
}
