//! Stories with a hand in the wire. Each states what should hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use super::story::{Does, Story, Verb, phase, weights};
use crate::model::{Ending, PerColour};

/// Longer than any rollout: what takes longer hangs.
const DAY: Duration = Duration::from_secs(24 * 3600);

const RULE_NOT_FOUND: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>RuleNotFound</Code><Message>One or more rules not found</Message></Error><RequestId>r</RequestId></ErrorResponse>";
const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>";
const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

/// A canary's story in which a hand is in the wire from the moment when the canary bears weight.
fn once_split(hand: impl Fn(&str, &str) -> Does + Send + Sync + 'static) -> Story {
    let split = Arc::new(AtomicBool::new(false));
    let seen = split.clone();
    Story::canary()
        .with_hand(move |operation, body| match split.load(Ordering::SeqCst) {
            true => hand(operation, body),
            false => Does::Pass,
        })
        .when(weights(10, true), async move |_| seen.store(true, Ordering::SeqCst))
}

/// The one write of the last record fails once.
#[tokio::test(start_paused = true)]
async fn one_failed_write_of_the_last_record_does_not_hang_the_run() {
    let failed = AtomicBool::new(false);
    let mut story = Story::canary().with_hand(move |operation, body| {
        let last = operation.ends_with("PutParameter") && body.contains(r#"\"phase\":\"done\""#);
        match last && !failed.swap(true, Ordering::SeqCst) {
            true => Does::Answer(400, THROTTLED),
            false => Does::Pass,
        }
    });
    let told = tokio::time::timeout(DAY, story.run(Verb::Deploy("v2"))).await;
    told.expect("no end within a day").ended(Ending::Succeeded);
}

/// Somebody deletes the test rule while a broken canary bears weight.
#[tokio::test(start_paused = true)]
async fn a_deleted_test_rule_does_not_blind_the_watch_over_a_broken_canary() {
    let mut story = once_split(|operation, body| {
        match operation == "DescribeRules" && body.contains("f5e04a60fdbfc0f9") {
            true => Does::Answer(400, RULE_NOT_FOUND),
            false => Does::Pass,
        }
    });
    story.run(Verb::DeployBad("v2")).await.ended(Ending::RolledBack);
}

/// Every answer takes 1.3 s from the moment when a broken canary bears weight.
#[tokio::test(start_paused = true)]
async fn slow_reads_do_not_keep_a_broken_canary_in_traffic() {
    let mut story = once_split(|_, _| Does::Delay(Duration::from_millis(1300)));
    story.run(Verb::DeployBad("v2")).await.ended(Ending::RolledBack);
}

/// Claim and rules are read again before a change, and now and then that takes longer than both may
/// be old.
#[tokio::test(start_paused = true)]
async fn a_slow_second_look_is_too_old_as_well() {
    let story = Story::canary();
    let (clock, looks, oldest) = (story.clock(), AtomicUsize::new(0), Arc::new(AtomicI64::new(0)));
    let (claim, seen) = (AtomicI64::new(0), oldest.clone());
    let shift = Arc::new(AtomicBool::new(false));
    let (shifting, now) = (shift.clone(), shift);
    let story = story.when(phase("shift"), async move |_| now.store(true, Ordering::SeqCst));
    let mut story = story.with_hand(move |operation, body| {
        let now = clock.now().as_millisecond();
        if operation.ends_with("GetParameters") {
            claim.store(now, Ordering::SeqCst);
        } else if operation == "ModifyRule" {
            seen.fetch_max(now - claim.load(Ordering::SeqCst), Ordering::SeqCst);
        } else if operation == "DescribeRules" && body.contains("RuleArns") {
            let turn = looks.fetch_add(1, Ordering::SeqCst);
            // No answer in time, and another attempt.
            let slow = turn % 2 == 0 && shifting.load(Ordering::SeqCst) && turn < 60;
            return if slow { Does::Delay(Duration::from_secs(9)) } else { Does::Pass };
        }
        Does::Pass
    });
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    let oldest = oldest.load(Ordering::SeqCst);
    assert!(oldest <= 5000, "changed on a claim of {oldest} ms ago");
}

/// The change that takes traffic back is refused: the outcome must tell where traffic is.
#[tokio::test(start_paused = true)]
async fn the_outcome_tells_weights_that_were_seen() {
    let mut story = once_split(|operation, _| match operation.starts_with("Modify") {
        true => Does::Answer(403, DENIED),
        false => Does::Pass,
    });
    let told = story.run(Verb::DeployBad("v2")).await;
    let seen = told.ended(Ending::Stuck).outcome.as_ref().unwrap().weights;
    assert_eq!(seen, Some(PerColour { blue: 90, green: 10 }), "{told}");
}

/// B reads the account while A is finishing, and claims when A has finished.
#[tokio::test(start_paused = true)]
async fn a_deploy_that_checked_during_anothers_end_does_not_revert_it() {
    let (settling, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let now = settling.clone();
    let mut first =
        Story::canary().when(phase("verify"), async move |_| now.store(true, Ordering::SeqCst));
    let (looks, finished) = (AtomicUsize::new(0), done.clone());
    let mut second = first.beside().with_hand(move |operation, _| {
        // The ledger is read first; what is read after it takes some seconds.
        if operation.ends_with("GetParametersByPath") {
            looks.fetch_add(1, Ordering::SeqCst);
        } else if looks.load(Ordering::SeqCst) == 1 && !finished.load(Ordering::SeqCst) {
            return Does::Delay(Duration::from_secs(2));
        }
        Does::Pass
    });
    let first = async {
        let told = first.run(Verb::Deploy("v2")).await;
        done.store(true, Ordering::SeqCst);
        told
    };
    let second = async {
        while !settling.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        second.run(Verb::Deploy("v3")).await
    };
    let both = Box::pin(async { tokio::join!(first, second) });
    let (first, second) = tokio::time::timeout(DAY, both).await.expect("no end within a day");
    first.ended(Ending::Succeeded);
    second.ended(Ending::Succeeded);
}
