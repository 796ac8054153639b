//! Somebody changes how large the groups are or may be.

use super::{BLUE, GREEN};
use crate::model::{Ending, Event};
use crate::rehearse::story::{Person, Story, Told, Verb, phase, weights};

/// A group's bounds, as the console writes them.
async fn bounds(hand: Person, group: &str, bounds: &[(&str, &str)]) {
    hand.group("UpdateAutoScalingGroup", group, bounds).await;
}

/// These bounds from the first step on; gives what was told and the story at its end.
async fn with_bounds(group: &'static str, of: &'static [(&str, &str)]) -> (Told, Story) {
    let mut story = Story::canary()
        .when(phase("bake"), move |hand| async move { bounds(hand, group, of).await });
    (story.run(Verb::Deploy("v2")).await, story)
}

#[tokio::test(start_paused = true)]
async fn a_minimum_lowered_below_ours_is_raised_again_for_the_next_step() {
    let (told, story) = with_bounds(GREEN, &[("MinSize", "1")]).await;
    told.ended(Ending::Succeeded);
    let raised =
        |event: &Event| matches!(event, Event::Minimum { group, min: 4, .. } if group == GREEN);
    let raises = told.events.iter().filter(|told| raised(&told.event)).count();
    assert!(raises > 1, "{raises}: {told}");
    assert_eq!(story.truth().group(GREEN), (2, 4, "2"), "{told}");
    let (told, story) = with_bounds(BLUE, &[("MinSize", "1"), ("DesiredCapacity", "3")]).await;
    told.ended(Ending::Succeeded);
    assert_eq!(story.truth().users(), [(GREEN, 100)]);
}

#[tokio::test(start_paused = true)]
async fn a_minimum_that_is_not_ours_stays() {
    let (told, story) = with_bounds(GREEN, &[("MinSize", "5")]).await;
    told.ended(Ending::Succeeded).says("which is not ours: left alone");
    assert_eq!(story.truth().group(GREEN), (5, 5, "2"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_minimum_that_is_not_ours_stays_on_the_way_back_too() {
    let mut story = Story::canary().when(phase("bake"), |hand| async move {
        bounds(hand.clone(), GREEN, &[("MinSize", "5")]).await;
        bounds(hand, BLUE, &[("MinSize", "3")]).await;
    });
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::RolledBack).says("which is not ours: left alone");
    assert_eq!(story.truth().users(), [(BLUE, 100)]);
    assert_eq!(story.truth().group(BLUE), (3, 4, "1"), "{told}");
    assert_eq!(story.truth().group(GREEN), (5, 5, "1"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_maximum_below_what_the_next_step_needs_takes_back() {
    let smaller: &[(&str, &str)] = &[("MinSize", "0"), ("MaxSize", "2"), ("DesiredCapacity", "2")];
    let (told, story) = with_bounds(GREEN, smaller).await;
    told.ended(Ending::RolledBack).says("the gate to 100 % did not open: 2 of 4 targets are ready");
    assert_eq!(story.truth().group(GREEN), (0, 0, "1"), "{told}");
    assert_eq!(story.truth().groups[GREEN].max, 2, "never ours to write");
}

#[tokio::test(start_paused = true)]
async fn a_maximum_below_the_live_groups_size_refuses_the_rollout() {
    let mut story = Story::canary().when(phase("free"), |hand| async move {
        bounds(hand, GREEN, &[("MaxSize", "3")]).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Failed).says("its MaxSize is 3");
    assert_eq!(story.truth().group(GREEN), (0, 0, "1"), "{told}");
}

/// A scaling policy follows the load.
#[tokio::test(start_paused = true)]
async fn a_live_group_that_grows_takes_the_new_one_with_it() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        hand.group("SetDesiredCapacity", BLUE, &[("DesiredCapacity", "6")]).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded);
    assert_eq!(story.truth().group(GREEN), (2, 6, "2"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_new_group_that_grows_by_itself_is_no_matter() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        hand.group("SetDesiredCapacity", GREEN, &[("DesiredCapacity", "6")]).await;
    });
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    assert_eq!(story.truth().group(GREEN), (2, 6, "2"));
}

/// Another person's scheduled action empties the new group a minute into the second step.
#[tokio::test(start_paused = true)]
async fn a_scheduled_action_that_takes_the_new_groups_targets_takes_back() {
    let mut story = Story::canary().when(weights(50, true), |hand| async move {
        let at = hand.moment(60);
        let action = [
            ("ScheduledActionName", "night"),
            ("StartTime", at.as_str()),
            ("MinSize", "0"),
            ("DesiredCapacity", "1"),
        ];
        hand.group("PutScheduledUpdateGroupAction", GREEN, &action).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("needed targets of the new version are healthy");
    assert_eq!(story.truth().users(), [(BLUE, 100)]);
}

/// One that is due before the next gate holds the step, and the rollout goes on after it.
#[tokio::test(start_paused = true)]
async fn a_scheduled_action_that_is_due_holds_the_step() {
    let mut story = Story::canary().when(phase("smoke"), |hand| async move {
        let at = hand.moment(100);
        let action =
            [("ScheduledActionName", "noon"), ("StartTime", at.as_str()), ("MaxSize", "8")];
        hand.group("PutScheduledUpdateGroupAction", GREEN, &action).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded).says("the scheduled action `noon` is due before the next gate");
}

#[tokio::test(start_paused = true)]
async fn one_group_that_grows_meanwhile_is_brought_over_whole() {
    let mut story = Story::rolling().when(phase("refresh"), |hand| async move {
        hand.waits(60).await;
        hand.group("SetDesiredCapacity", "news", &[("DesiredCapacity", "6")]).await;
    });
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    assert_eq!(story.truth().group("news"), (2, 6, "2"));
}
