//! An operator changes the ledger.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{LabOperator, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::Status;

async fn forgets(operator: LabOperator) {
    // The record of the phase is saved first.
    operator.waits(10).await;
    operator.delete_records().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_during_a_run_is_reported_and_rewritten() {
    for moment in ["cancel-scale-in", "bake", "settle"] {
        let mut case = TestCase::canary().when(phase(moment), forgets);
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::Succeeded).assert_says("record of this run was deleted");
        assert_eq!(case.operator().ledger().await.len(), 1, "{reported}");
    }
    let mut case = TestCase::rolling().when(phase("refresh"), forgets);
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Succeeded).assert_says("record of this run was deleted");
}

#[tokio::test(start_paused = true)]
async fn a_record_corrupted_during_a_run_is_reported_and_rewritten() {
    let mut case = TestCase::canary().when(phase("bake"), |operator| async move {
        operator.waits(10).await;
        operator.writes(1, "no record").await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Succeeded).assert_says("record of this run was overwritten");
    assert!(case.operator().ledger().await[0].1.contains("succeeded"), "{reported}");
}

/// Whatever the record contains, its number is higher: another run claims to have taken over.
#[tokio::test(start_paused = true)]
async fn an_unreadable_newer_record_supersedes_the_run() {
    for number in [2, 9] {
        let mut case = TestCase::canary().when(weights(10, true), move |operator| async move {
            operator.writes(number, r#"{"from":"a later version of cutover"}"#).await;
        });
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::Superseded).assert_says(&format!("rollout {number} has taken over"));
        assert_eq!(case.truth().users(), [(BLUE, 90), (GREEN, 10)], "it touched nothing");
        // The next run reports it, and changes nothing either.
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::Failed).assert_says("cannot be read");
        assert_eq!(case.truth().users(), [(BLUE, 90), (GREEN, 10)]);
    }
}

/// Another run's record, as if that run had claimed.
#[tokio::test(start_paused = true)]
async fn a_newer_record_supersedes_the_run() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        let own = operator.ledger().await.remove(0).1;
        operator.writes(2, &own.replacen(r#""number":1"#, r#""number":2"#, 1)).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Superseded).assert_says("rollout 2 has taken over");
    assert_eq!(case.truth().users(), [(BLUE, 90), (GREEN, 10)], "it touched nothing: {reported}");
}

/// Such parameters are not records, and their numbers don't count.
#[tokio::test(start_paused = true)]
async fn parameters_that_are_not_records_are_ignored() {
    let mut case = TestCase::canary();
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    let record = case.operator().ledger().await.remove(0).1;
    for name in ["18446744073709551615", "5", "notes"] {
        case.operator().names(name, &record).await;
    }
    case.run(TestCommand::Deploy("v3")).await.ended(Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_old_record_is_skipped() {
    let mut case = TestCase::canary();
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    let record = case.operator().ledger().await.remove(0).1;
    case.operator().writes(1, "no record").await;
    case.operator().writes(2, &record.replacen(r#""number":1"#, r#""number":2"#, 1)).await;
    case.run(TestCommand::Deploy("v3")).await.ended(Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_emptied_between_runs_starts_over() {
    let mut case = TestCase::canary();
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    case.operator().delete_records().await;
    let reported = case.run(TestCommand::Rollback).await;
    reported
        .ended(Status::Refused)
        .assert_says("the ledger has no rollout that could be rolled back");
    case.run(TestCommand::Deploy("v3")).await.ended(Status::Succeeded);
    assert_eq!(case.truth().users(), [(BLUE, 100)]);
}

/// Then a person must decide which side is live; cutover never guesses.
#[tokio::test(start_paused = true)]
async fn a_ledger_emptied_while_traffic_is_split_refuses_every_run() {
    let mut case = TestCase::canary();
    case.run_until_killed(TestCommand::Deploy("v2"), weights(10, true)).await;
    // The last record that the killed run sent may still arrive.
    case.operator().waits(60).await;
    case.operator().delete_records().await;
    for verb in [TestCommand::Deploy("v2"), TestCommand::Deploy("v3"), TestCommand::Rollback] {
        let reported = case.run(verb).await;
        assert_eq!(reported.ending(), Some(Status::Refused), "{reported}");
        assert_eq!(case.truth().users(), [(BLUE, 90), (GREEN, 10)], "{reported}");
    }
}
