//! Somebody takes instances or targets away, or suspends what a group does by itself.

use super::{BLUE, GREEN};
use crate::model::{Ending, Event};
use crate::rehearse::story::{Person, Story, Verb, phase, weights};

async fn terminates(hand: &Person, group: &str) {
    let instance = hand.instance(group);
    let parameters =
        [("InstanceId", instance.as_str()), ("ShouldDecrementDesiredCapacity", "false")];
    hand.autoscaling("TerminateInstanceInAutoScalingGroup", &parameters).await;
}

async fn deregisters(hand: &Person, group: &str) {
    let (arn, instance) = (hand.target_group(group), hand.instance(group));
    let parameters = [("TargetGroupArn", arn.as_str()), ("Targets.member.1.Id", instance.as_str())];
    hand.balancing("DeregisterTargets", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_replaced_in_time_is_no_matter() {
    for group in [BLUE, GREEN] {
        let mut story = Story::canary()
            .when(weights(10, true), move |hand| async move { terminates(&hand, group).await });
        story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_side_that_loses_what_its_weight_needs_takes_back() {
    let mut story = Story::canary()
        .when(weights(100, true), |hand| async move { terminates(&hand, GREEN).await });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack)
        .says("only 3 of 4 needed targets of the new version are healthy");
    story.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stays_away_keeps_the_gate_shut_and_takes_back() {
    let mut story = Story::canary()
        .when(weights(50, true), |hand| async move { deregisters(&hand, GREEN).await });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("the gate to 100 % did not open: 3 of 4 targets are ready");
    story.is_as_before();
}

/// The way back waits for a side that can bear the traffic: moving weight makes no capacity.
#[tokio::test(start_paused = true)]
async fn an_old_side_that_lost_a_target_is_waited_for_on_the_way_back() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        // So late that nobody replaces it before the judgement.
        hand.waits(130).await;
        terminates(&hand, BLUE).await;
    });
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::RolledBack).says("weights stay");
    story.is_as_before();
}

/// A group replaces an instance, or balances its zones, whenever it wants: what is live is no less so.
#[tokio::test(start_paused = true)]
async fn what_is_live_already_is_proven_once_its_newcomer_is_healthy() {
    for mut story in [Story::canary(), Story::rolling()] {
        story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
        let live = story.truth().users()[0].0.to_owned();
        terminates(&story.person(), &live).await;
        // In service before it is healthy.
        story.person().waits(20).await;
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::Succeeded).says("live already, as version 2: nothing to do");
        assert!(told.events.iter().any(|e| matches!(e.event, Event::Waiting { .. })), "{told}");
    }
}

/// One that stays away is told, after as long as a rollout would have waited for it.
#[tokio::test(start_paused = true)]
async fn what_is_live_already_but_not_whole_is_told() {
    let mut story = Story::canary();
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    deregisters(&story.person(), GREEN).await;
    let began = story.clock().now();
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Failed).says("not proven: 3 targets are registered for 4");
    assert!(story.clock().now().duration_since(began).as_secs() >= 600, "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_may_not_launch_is_told_and_taken_back() {
    let mut story = Story::canary().when(phase("refresh"), |hand| async move {
        let launch = [("ScalingProcesses.member.1", "Launch")];
        hand.group("SuspendProcesses", GREEN, &launch).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Failed).says("has suspended Launch");
    story.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn one_group_that_may_not_launch_is_told_and_taken_back() {
    let mut story = Story::rolling().when(phase("refresh"), |hand| async move {
        hand.waits(60).await;
        let launch = [("ScalingProcesses.member.1", "Launch")];
        hand.group("SuspendProcesses", "news", &launch).await;
        hand.waits(1800).await;
        hand.group("ResumeProcesses", "news", &launch).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("has suspended Launch");
    story.is_as_before();
}
