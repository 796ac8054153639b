//! Somebody starts, cancels or rolls back an instance refresh.

use super::{BLUE, GREEN};
use crate::model::{Ending, Event, RefreshStatus};
use crate::rehearse::story::{Story, Verb, phase, weights};

/// The refresh is in this state.
fn refresh(wanted: RefreshStatus) -> impl Fn(&Event) -> bool + Send + 'static {
    move |event| matches!(event, Event::Refresh { status, .. } if *status == wanted)
}

/// One that replaces everything, with the configuration that the group has.
const EVERYTHING: &[(&str, &str)] = &[("Preferences.MinHealthyPercentage", "50")];

#[tokio::test(start_paused = true)]
async fn a_refresh_of_the_group_that_bears_traffic_takes_back() {
    let mut story = Story::canary().when(weights(50, true), |hand| async move {
        hand.group("StartInstanceRefresh", GREEN, EVERYTHING).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("another hand refreshes the group that bears traffic");
    story.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_the_old_group_holds_the_step() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        hand.group("StartInstanceRefresh", BLUE, EVERYTHING).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.says("an instance refresh of news-blue is active").ended(Ending::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_refresh_of_the_idle_group_is_waited_for() {
    let story = Story::canary();
    // An idle group with instances, so that a refresh takes its time.
    let capacity = [("MinSize", "2"), ("DesiredCapacity", "2")];
    story.person().group("UpdateAutoScalingGroup", GREEN, &capacity).await;
    story.person().waits(300).await;
    let mut story = story.when(phase("free"), |hand| async move {
        hand.group("StartInstanceRefresh", GREEN, EVERYTHING).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.says("somebody else's instance refresh of news-green is active");
    told.ended(Ending::Succeeded);
}

/// A rollout whose idle group has instances, and whose refresh meets this call.
async fn two_groups_meet(operation: &'static str) -> Story {
    let mut story = Story::canary();
    let capacity = [("MinSize", "2"), ("DesiredCapacity", "2")];
    story.person().group("UpdateAutoScalingGroup", GREEN, &capacity).await;
    story.person().waits(300).await;
    story.before = story.truth();
    let mut story = story.when(refresh(RefreshStatus::InProgress), move |hand| async move {
        hand.group(operation, GREEN, &[]).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Failed).says("the instance refresh of news-green ended");
    story
}

#[tokio::test(start_paused = true)]
async fn our_refresh_cancelled_by_another_hand_takes_back() {
    two_groups_meet("CancelInstanceRefresh").await.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn our_refresh_rolled_back_by_another_hand_takes_back() {
    two_groups_meet("RollbackInstanceRefresh").await.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn one_groups_refresh_stopped_by_another_hand_takes_back() {
    for operation in ["CancelInstanceRefresh", "RollbackInstanceRefresh"] {
        let mut story = Story::rolling();
        story = story.when(refresh(RefreshStatus::InProgress), move |hand| async move {
            hand.waits(90).await;
            hand.group(operation, "news", &[]).await;
        });
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::RolledBack).says("the instance refresh ended");
        story.is_as_before();
    }
}
