//! Rollouts whose requests are intercepted, and what must hold in each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use super::testcase::{Interception, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::{PerColor, Status};

/// Longer than any rollout: a run that takes this long hangs.
const DAY: Duration = Duration::from_secs(24 * 3600);

const RULE_NOT_FOUND: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>RuleNotFound</Code><Message>One or more rules not found</Message></Error><RequestId>r</RequestId></ErrorResponse>";
const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>";
const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

/// Returns a canary whose requests are intercepted from the moment when the canary receives
/// traffic.
fn once_split(
    interceptor: impl Fn(&str, &str) -> Interception + Send + Sync + 'static,
) -> TestCase {
    let split = Arc::new(AtomicBool::new(false));
    let seen = split.clone();
    TestCase::canary()
        .with_interceptor(move |operation, body| match split.load(Ordering::SeqCst) {
            true => interceptor(operation, body),
            false => Interception::Pass,
        })
        .when(weights(10, true), async move |_| seen.store(true, Ordering::SeqCst))
}

/// The only write of the last record fails once.
#[tokio::test(start_paused = true)]
async fn one_failed_write_of_the_last_record_does_not_hang_the_run() {
    let failed = AtomicBool::new(false);
    let mut case = TestCase::canary().with_interceptor(move |operation, body| {
        let last = operation.ends_with("PutParameter") && body.contains(r#"\"phase\":\"done\""#);
        match last && !failed.swap(true, Ordering::SeqCst) {
            true => Interception::Answer(400, THROTTLED),
            false => Interception::Pass,
        }
    });
    let reported = tokio::time::timeout(DAY, case.run(TestCommand::Deploy("v2"))).await;
    reported.expect("the run did not end within a day").ended(Status::Succeeded);
}

/// The test rule is deleted while a broken canary receives traffic.
#[tokio::test(start_paused = true)]
async fn a_broken_canary_is_rolled_back_without_its_test_rule() {
    let mut case = once_split(|operation, body| {
        match operation == "DescribeRules" && body.contains("f5e04a60fdbfc0f9") {
            true => Interception::Answer(400, RULE_NOT_FOUND),
            false => Interception::Pass,
        }
    });
    case.run(TestCommand::DeployBad("v2")).await.ended(Status::RolledBack);
}

/// Every answer takes 1.3 s from the moment when a broken canary receives traffic.
#[tokio::test(start_paused = true)]
async fn slow_reads_do_not_keep_a_broken_canary_in_traffic() {
    let mut case = once_split(|_, _| Interception::Delay(Duration::from_millis(1300)));
    case.run(TestCommand::DeployBad("v2")).await.ended(Status::RolledBack);
}

/// The claim and the rules are read again before a change, and sometimes that takes longer than
/// either may be old.
#[tokio::test(start_paused = true)]
async fn no_change_is_based_on_a_claim_older_than_five_seconds() {
    let case = TestCase::canary();
    let (clock, looks, oldest) = (case.clock(), AtomicUsize::new(0), Arc::new(AtomicI64::new(0)));
    let (claim, seen) = (AtomicI64::new(0), oldest.clone());
    let shift = Arc::new(AtomicBool::new(false));
    let (shifting, now) = (shift.clone(), shift);
    let case = case.when(phase("shift"), async move |_| now.store(true, Ordering::SeqCst));
    let mut case = case.with_interceptor(move |operation, body| {
        let now = clock.now().as_millisecond();
        if operation.ends_with("GetParameters") {
            claim.store(now, Ordering::SeqCst);
        } else if operation == "ModifyRule" {
            seen.fetch_max(now - claim.load(Ordering::SeqCst), Ordering::SeqCst);
        } else if operation == "DescribeRules" && body.contains("RuleArns") {
            let turn = looks.fetch_add(1, Ordering::SeqCst);
            // Times out, and the read is repeated.
            let slow = turn % 2 == 0 && shifting.load(Ordering::SeqCst) && turn < 60;
            return if slow {
                Interception::Delay(Duration::from_secs(9))
            } else {
                Interception::Pass
            };
        }
        Interception::Pass
    });
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    let oldest = oldest.load(Ordering::SeqCst);
    assert!(oldest <= 5000, "changed on a claim read {oldest} ms earlier");
}

/// The change that restores traffic is denied: the outcome must say where traffic is.
#[tokio::test(start_paused = true)]
async fn the_outcome_reports_weights_that_were_read() {
    let mut case = once_split(|operation, _| match operation.starts_with("Modify") {
        true => Interception::Answer(403, DENIED),
        false => Interception::Pass,
    });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    let seen = reported.ended(Status::Stuck).outcome.as_ref().unwrap().shares;
    assert_eq!(seen, Some(PerColor { blue: 90, green: 10 }), "{reported}");
}

/// A second run reads the account while the first is finishing, and claims when the first has
/// finished.
#[tokio::test(start_paused = true)]
async fn a_deploy_that_starts_while_another_finishes_does_not_revert_it() {
    let (settling, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let now = settling.clone();
    let mut first =
        TestCase::canary().when(phase("verify"), async move |_| now.store(true, Ordering::SeqCst));
    let (looks, finished) = (AtomicUsize::new(0), done.clone());
    let mut second = first.second_deployer().with_interceptor(move |operation, _| {
        // The ledger is read first; later reads take some seconds.
        if operation.ends_with("GetParametersByPath") {
            looks.fetch_add(1, Ordering::SeqCst);
        } else if looks.load(Ordering::SeqCst) == 1 && !finished.load(Ordering::SeqCst) {
            return Interception::Delay(Duration::from_secs(2));
        }
        Interception::Pass
    });
    let first = async {
        let reported = first.run(TestCommand::Deploy("v2")).await;
        done.store(true, Ordering::SeqCst);
        reported
    };
    let second = async {
        while !settling.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        second.run(TestCommand::Deploy("v3")).await
    };
    let both = Box::pin(async { tokio::join!(first, second) });
    let (first, second) =
        tokio::time::timeout(DAY, both).await.expect("the run did not end within a day");
    first.ended(Status::Succeeded);
    second.ended(Status::Succeeded);
}
