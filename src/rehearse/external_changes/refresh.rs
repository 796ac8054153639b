//! An operator starts, cancels or rolls back an instance refresh.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{TestCase, TestCommand, phase, weights};
use cutover_rollout::model::{Event, RefreshStatus, Status};

/// Matches an event of a refresh with this status.
fn refresh(wanted: RefreshStatus) -> impl Fn(&Event) -> bool + Send + 'static {
    move |event| matches!(event, Event::Refresh { status, .. } if *status == wanted)
}

/// Preferences of a refresh that replaces all instances with the group's own configuration.
const EVERYTHING: &[(&str, &str)] = &[("Preferences.MinHealthyPercentage", "50")];

#[tokio::test(start_paused = true)]
async fn a_refresh_of_a_group_with_traffic_rolls_back() {
    let mut case = TestCase::canary().when(weights(50, true), |operator| async move {
        operator.group("StartInstanceRefresh", GREEN, EVERYTHING).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says(
        "an external change started an instance refresh of the group that receives traffic",
    );
    case.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_the_old_group_holds_the_step() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        operator.group("StartInstanceRefresh", BLUE, EVERYTHING).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.assert_says("an instance refresh of news-blue is active").ended(Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn another_refresh_of_the_idle_group_is_waited_for() {
    let case = TestCase::canary();
    // The idle group has instances, so that a refresh takes time.
    let capacity = [("MinSize", "2"), ("DesiredCapacity", "2")];
    case.operator().group("UpdateAutoScalingGroup", GREEN, &capacity).await;
    case.operator().waits(300).await;
    let mut case = case.when(phase("cancel-scale-in"), |operator| async move {
        operator.group("StartInstanceRefresh", GREEN, EVERYTHING).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .assert_says("an instance refresh of news-green that this rollout did not start is active");
    reported.ended(Status::Succeeded);
}

/// Runs a deployment whose idle group has instances, and whose refresh is stopped by this call.
async fn two_groups_meet(operation: &'static str) -> TestCase {
    let mut case = TestCase::canary();
    let capacity = [("MinSize", "2"), ("DesiredCapacity", "2")];
    case.operator().group("UpdateAutoScalingGroup", GREEN, &capacity).await;
    case.operator().waits(300).await;
    case.before = case.truth();
    let mut case = case.when(refresh(RefreshStatus::InProgress), move |operator| async move {
        operator.group(operation, GREEN, &[]).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Failed)
        .assert_says("the instance refresh of news-green ended with status");
    case
}

#[tokio::test(start_paused = true)]
async fn a_refresh_canceled_by_others_fails_the_rollout() {
    two_groups_meet("CancelInstanceRefresh").await.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_rolled_back_by_others_fails_the_rollout() {
    two_groups_meet("RollbackInstanceRefresh").await.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn one_groups_refresh_stopped_by_others_rolls_back() {
    for operation in ["CancelInstanceRefresh", "RollbackInstanceRefresh"] {
        let mut case = TestCase::rolling();
        case = case.when(refresh(RefreshStatus::InProgress), move |operator| async move {
            operator.waits(90).await;
            operator.group(operation, "news", &[]).await;
        });
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::RolledBack).assert_says("the instance refresh ended with status");
        case.assert_unchanged();
    }
}
