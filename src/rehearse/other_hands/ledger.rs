//! Somebody changes the ledger.

use super::{BLUE, GREEN};
use crate::model::Ending;
use crate::rehearse::story::{Person, Story, Verb, phase, weights};

async fn forgets(hand: Person) {
    // The phase's own record is saved first.
    hand.waits(10).await;
    hand.forgets().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_in_mid_run_is_told_and_written_again() {
    for moment in ["free", "bake", "settle"] {
        let mut story = Story::canary().when(phase(moment), forgets);
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::Succeeded).says("record of this run was deleted");
        assert_eq!(story.person().ledger().await.len(), 1, "{told}");
    }
    let mut story = Story::rolling().when(phase("refresh"), forgets);
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded).says("record of this run was deleted");
}

#[tokio::test(start_paused = true)]
async fn a_record_spoilt_in_mid_run_is_told_and_written_again() {
    let mut story = Story::canary().when(phase("bake"), |hand| async move {
        hand.waits(10).await;
        hand.writes(1, "no record").await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded).says("record of this run was overwritten");
    assert!(story.person().ledger().await[0].1.contains("succeeded"), "{told}");
}

/// Whatever it is, its number is higher: somebody means to have taken over.
#[tokio::test(start_paused = true)]
async fn a_higher_number_that_cannot_be_read_ends_the_run() {
    for number in [2, 9] {
        let mut story = Story::canary().when(weights(10, true), move |hand| async move {
            hand.writes(number, r#"{"from":"a later version of cutover"}"#).await;
        });
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::Superseded).says(&format!("rollout {number} has taken over"));
        assert_eq!(story.truth().users(), [(BLUE, 90), (GREEN, 10)], "it touched nothing");
        // And who comes next is told, and changes nothing either.
        let told = story.run(Verb::Deploy("v2")).await;
        told.ended(Ending::Failed).says("cannot be read");
        assert_eq!(story.truth().users(), [(BLUE, 90), (GREEN, 10)]);
    }
}

/// Another run's record, as if it had claimed.
#[tokio::test(start_paused = true)]
async fn a_higher_number_with_a_record_ends_the_run() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        let own = hand.ledger().await.remove(0).1;
        hand.writes(2, &own.replacen(r#""number":1"#, r#""number":2"#, 1)).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Superseded).says("rollout 2 has taken over");
    assert_eq!(story.truth().users(), [(BLUE, 90), (GREEN, 10)], "it touched nothing: {told}");
}

/// They are not ours, and nothing is counted from them.
#[tokio::test(start_paused = true)]
async fn names_that_no_run_writes_are_not_looked_at() {
    let mut story = Story::canary();
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    let record = story.person().ledger().await.remove(0).1;
    for name in ["18446744073709551615", "5", "notes"] {
        story.person().names(name, &record).await;
    }
    story.run(Verb::Deploy("v3")).await.ended(Ending::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_old_record_that_cannot_be_read_is_passed_over() {
    let mut story = Story::canary();
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    let record = story.person().ledger().await.remove(0).1;
    story.person().writes(1, "no record").await;
    story.person().writes(2, &record.replacen(r#""number":1"#, r#""number":2"#, 1)).await;
    story.run(Verb::Deploy("v3")).await.ended(Ending::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_emptied_between_runs_begins_anew() {
    let mut story = Story::canary();
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    story.person().forgets().await;
    let told = story.run(Verb::Rollback).await;
    told.ended(Ending::Refused).says("the ledger has no rollout to go back from");
    story.run(Verb::Deploy("v3")).await.ended(Ending::Succeeded);
    assert_eq!(story.truth().users(), [(BLUE, 100)]);
}

/// Which side is live is a question for a person then, never a guess.
#[tokio::test(start_paused = true)]
async fn a_ledger_emptied_while_traffic_is_split_refuses_every_run() {
    let mut story = Story::canary();
    story.dies(Verb::Deploy("v2"), weights(10, true)).await;
    story.person().forgets().await;
    for verb in [Verb::Deploy("v2"), Verb::Deploy("v3"), Verb::Rollback] {
        let told = story.run(verb).await;
        assert_eq!(told.ending(), Some(Ending::Refused), "{told}");
        assert_eq!(story.truth().users(), [(BLUE, 90), (GREEN, 10)], "{told}");
    }
}
