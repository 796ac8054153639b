//! Somebody moves weights, or changes rules.

use super::{BLUE, GREEN};
use crate::model::{Ending, Event};
use crate::rehearse::story::{Moment, Person, Story, Verb, phase, weights};

const ALL: u32 = 100;

/// The users' rule forwards like this from a phase on; gives the story at its end, taken back.
async fn taken_back_from(moment: &'static str, forward: &'static [(&str, u16)]) -> Story {
    let mut story = Story::canary()
        .when(phase(moment), move |hand| async move { hand.forwards(forward).await });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("another hand");
    story
}

#[tokio::test(start_paused = true)]
async fn weight_before_the_new_side_is_ready_is_taken_off() {
    for moment in ["free", "size", "healthy"] {
        taken_back_from(moment, &[(BLUE, 50), (GREEN, 50)]).await.is_as_before();
    }
}

#[tokio::test(start_paused = true)]
async fn weight_moved_to_the_old_side_takes_back() {
    taken_back_from("bake", &[(BLUE, 100), (GREEN, 0)]).await.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn weight_moved_to_the_new_side_takes_back() {
    taken_back_from("bake", &[(BLUE, 0), (GREEN, 100)]).await.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn weight_moved_after_the_last_step_takes_back() {
    taken_back_from("settle", &[(BLUE, 100), (GREEN, 0)]).await.is_as_before();
    taken_back_from("verify", &[(BLUE, 60), (GREEN, 40)]).await.is_as_before();
    taken_back_from("retire", &[(BLUE, 60), (GREEN, 40)]).await.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn the_weight_of_a_third_group_is_not_touched() {
    for (moment, green) in [("bake", 10), ("settle", 100)] {
        let mut story = Story::canary().when(phase(moment), move |hand| async move {
            hand.makes_target_group("third").await;
            hand.forwards(&[(BLUE, 100 - green), (GREEN, green), ("third", 5)]).await;
        });
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::RolledBack).says("another hand changed the weights");
        told.says("not ours");
        assert_eq!(story.truth().users(), [(BLUE, ALL), ("third", 5)], "{told}");
        assert_eq!(story.truth().group(GREEN), (0, 0, "1"), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_forwards_to_somebody_elses_group_alone_is_left_to_them() {
    for moment in ["healthy", "bake", "settle"] {
        let mut story = Story::canary().when(phase(moment), |hand| async move {
            hand.makes_target_group("maintenance").await;
            hand.forwards(&[("maintenance", 1)]).await;
        });
        let told = story.run(Verb::Deploy("v2")).await;
        told.says("not ours").never_says("all traffic is back");
        assert!(matches!(told.ending(), Some(Ending::RolledBack | Ending::Failed)), "{told}");
        assert_eq!(story.truth().users(), [("maintenance", ALL)], "{told}");
        assert_eq!(story.truth().group(GREEN), (0, 0, "1"), "{told}");
    }
}

async fn answers_itself(hand: Person) {
    let rule = hand.rule(10);
    let fixed = "Actions.member.1.FixedResponseConfig.StatusCode";
    let parameters =
        [("RuleArn", rule.as_str()), ("Actions.member.1.Type", "fixed-response"), (fixed, "503")];
    hand.balancing("ModifyRule", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn without_its_rule_a_rollout_is_a_persons_question() {
    let mut deleted = Story::canary().when(weights(10, true), |hand| async move {
        let rule = hand.rule(10);
        hand.balancing("DeleteRule", &[("RuleArn", &rule)]).await;
    });
    let told = deleted.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Stuck).says("does not exist any more, or forwards no more");
    let mut edited = Story::canary().when(weights(10, true), answers_itself);
    let told = edited.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Stuck).says("does not exist any more, or forwards no more");
    // Nothing was written over it.
    assert!(edited.truth().users().is_empty());
}

/// Somebody keeps giving the new side traffic while it is undone.
#[tokio::test(start_paused = true)]
async fn who_fights_the_way_back_is_a_persons_question() {
    let mut story = Story::canary().when(phase("undo"), |hand| async move {
        for _ in 0..40 {
            hand.waits(15).await;
            hand.forwards(&[(BLUE, 50), (GREEN, 50)]).await;
        }
    });
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::Stuck).says("another hand keeps taking traffic");
}

#[tokio::test(start_paused = true)]
async fn weight_that_returns_once_while_the_rest_is_undone_is_given_back() {
    let mut story = Story::canary().when(phase("undo"), |hand| async move {
        hand.forwards(&[(BLUE, 50), (GREEN, 50)]).await;
    });
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::RolledBack).says("lost traffic again");
    story.is_as_before();
}

/// A rule that names the pair and that this rollout does not move.
async fn another_rule(hand: &Person, group: &str) {
    let (listener, forward) =
        (hand.listener(), hand.weighted("Actions.member.1.ForwardConfig", &[(group, 1)]));
    let mut parameters = vec![
        ("ListenerArn", listener.as_str()),
        ("Priority", "5"),
        ("Conditions.member.1.Field", "path-pattern"),
        ("Conditions.member.1.PathPatternConfig.Values.member.1", "/beta/*"),
        ("Actions.member.1.Type", "forward"),
    ];
    parameters.extend(forward.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    hand.balancing("CreateRule", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_new_rule_gives_traffic_to_is_not_replaced() {
    let mut story =
        Story::canary().when(phase("free"), |hand| async move { another_rule(&hand, GREEN).await });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Failed).says("which this rollout does not move");
    assert_eq!(story.truth().users(), [(BLUE, ALL)], "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_new_rule_gives_traffic_to_is_not_emptied() {
    let mut story =
        Story::canary().when(phase("bake"), |hand| async move { another_rule(&hand, GREEN).await });
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::Stuck).says("which this rollout does not move");
    assert_eq!(story.truth().users(), [(BLUE, ALL)], "{told}");
    assert_eq!(story.truth().groups[GREEN].desired, 4, "{told}");
}

#[tokio::test(start_paused = true)]
async fn an_old_group_that_a_new_rule_gives_traffic_to_is_not_retired() {
    let settling: Moment = Box::new(phase("settle"));
    let retiring: Moment = Box::new(|event| matches!(event, Event::Retirement { .. }));
    for moment in [settling, retiring] {
        let mut story =
            Story::canary().when(moment, |hand| async move { another_rule(&hand, BLUE).await });
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::Succeeded).says("has to be retired by hand");
        assert_eq!(story.truth().groups[BLUE].scheduled, [""; 0], "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_test_rule_that_it_began_with_a_rollout_is_taken_back() {
    let mut story = Story::canary().when(phase("bake"), |hand| async move {
        let rule = hand.rule(1);
        hand.balancing("DeleteRule", &[("RuleArn", &rule)]).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("does not exist any more");
    assert_eq!(story.truth().users(), [(BLUE, ALL)], "{told}");
    assert_eq!(story.truth().group(GREEN), (0, 0, "1"), "{told}");
}
