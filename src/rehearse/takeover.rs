//! Runs that die or are superseded, and the runs that follow them.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::testcase::{
    EventFilter, Interception, RunReport, TestCase, TestCommand, phase, weights,
};
use cutover_rollout::model::{Event, Status};

const BLUE: &str = "news-blue";
const GREEN: &str = "news-green";

/// Returns the moments of a canary at which its run may end: one in each phase, and between a
/// change and the read that confirms it.
fn moments() -> Vec<(&'static str, EventFilter)> {
    let kind = |name: &'static str| -> EventFilter {
        Box::new(move |event| match event {
            Event::Started { .. } => name == "started",
            Event::Version { .. } => name == "version",
            Event::Refresh { .. } => name == "refresh",
            Event::MinSize { .. } => name == "min_size",
            Event::ScaleInScheduled { .. } => name == "scale_in_scheduled",
            _ => false,
        })
    };
    let mut moments: Vec<(&'static str, EventFilter)> = Vec::new();
    for name in ["started", "version", "refresh", "min_size", "scale_in_scheduled"] {
        moments.push((name, kind(name)));
    }
    for name in [
        "cancel-scale-in",
        "refresh",
        "scale-out",
        "add-to-rules",
        "healthy",
        "smoke-test",
        "shift",
        "bake",
        "settle",
        "verify",
        "schedule-scale-in",
    ] {
        moments.push((name, Box::new(phase(name))));
    }
    moments.push(("10% sent", Box::new(weights(10, false))));
    moments.push(("50% sent", Box::new(weights(50, false))));
    moments.push(("100% sent", Box::new(weights(100, false))));
    moments
}

/// Kills a run at each of the moments, runs `next` after it, and calls `judge`.
async fn after_each_kill(next: TestCommand, judge: impl Fn(&str, &TestCase, &RunReport)) {
    for (name, moment) in moments() {
        let mut case = TestCase::canary().with_checkers();
        let died = case.run_until_killed(TestCommand::Deploy("v2"), moment).await;
        let reported = case.run(next).await;
        let (failed, before) = (case.truth().failed, case.before.failed);
        assert_eq!(failed, before, "users received errors, killed at {name}: {died}\n{reported}");
        assert_eq!(case.violations(), [], "killed at {name}: {died}\n{reported}");
        judge(name, &case, &reported);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_deploy_resumes_after_a_killed_run() {
    after_each_kill(TestCommand::Deploy("v2"), |name, case, reported| {
        assert_eq!(reported.ending(), Some(Status::Succeeded), "killed at {name}: {reported}");
        assert_eq!(case.truth().users(), [(GREEN, 100)], "killed at {name}: {reported}");
        assert_eq!(case.truth().group(GREEN), (2, 4, "2"), "killed at {name}: {reported}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_deploy_takes_over_from_a_killed_run() {
    after_each_kill(TestCommand::Deploy("v3"), |name, case, reported| {
        assert_eq!(reported.ending(), Some(Status::Succeeded), "killed at {name}: {reported}");
        // If the dead run had moved all traffic, its side is now the old side.
        let users =
            case.truth().users().iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(users.len(), 1, "killed at {name}: {reported}");
        let live = &case.truth().groups[&users[0]];
        assert!(
            live.version != "1" && live.min == 2 && live.desired == 4,
            "{live:?} {name}: {reported}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_undoes_a_killed_run() {
    after_each_kill(TestCommand::Rollback, |name, case, reported| {
        assert_eq!(reported.ending(), Some(Status::RolledBack), "killed at {name}: {reported}");
        let now = case.truth();
        assert_eq!(now.weights, case.before.weights, "killed at {name}: {reported}");
        assert_eq!(now.groups, case.before.groups, "killed at {name}: {reported}");
    })
    .await;
}

/// The changes that a run sends, and when.
type Sent = Arc<Mutex<Vec<(Timestamp, String)>>>;

fn is_change(operation: &str) -> bool {
    let name = operation.rsplit('.').next().unwrap_or(operation);
    let reads = ["Describe", "Get", "List", "Batch", "/"];
    !reads.iter().any(|read| name.starts_with(read))
}

/// Starts a second run at each of the moments of the first, which must send nothing more.
async fn superseded_in_each_moment(second: TestCommand) {
    let some =
        ["version", "refresh", "add-to-rules", "10% sent", "bake", "settle", "schedule-scale-in"];
    for (name, moment) in moments().into_iter().filter(|(name, _)| some.contains(name)) {
        let sent = Sent::default();
        let case = TestCase::canary().with_checkers();
        let (log, clock) = (sent.clone(), case.clock());
        let began = Arc::new(tokio::sync::Notify::new());
        let now = began.clone();
        let mut older = case
            .with_interceptor(move |operation, _| {
                if is_change(operation) {
                    log.lock().unwrap().push((clock.now(), operation.to_owned()));
                }
                Interception::Pass
            })
            .when(moment, async move |_| now.notify_one());
        let mut second_story = older.second_deployer();
        let (older, newer) = tokio::join!(Box::pin(older.run(TestCommand::Deploy("v2"))), async {
            began.notified().await;
            Box::pin(second_story.run(second)).await
        });
        if newer.events.is_empty() || older.ending() == Some(Status::Succeeded) {
            continue; // The second run came too late.
        }
        assert_eq!(older.ending(), Some(Status::Superseded), "{name}: {older}");
        let claimed = newer.events.iter().find_map(|reported| {
            matches!(reported.event, Event::Started { .. }).then_some(reported.time)
        });
        let claimed = claimed.unwrap_or_else(|| panic!("{name}: no claim: {newer}"));
        // A change based on an observation from before the claim is sent within 5 s of it, and
        // takes at most a second to arrive.
        let late = claimed.checked_add(std::time::Duration::from_secs(6)).unwrap();
        let sent = sent.lock().unwrap();
        let late: Vec<_> = sent.iter().filter(|(at, _)| *at > late).collect();
        assert!(late.is_empty(), "{name}, claimed at {claimed}: {late:?}\n{older}");
        assert!(
            matches!(newer.ending(), Some(Status::Succeeded | Status::RolledBack)),
            "{name}: {newer}"
        );
        second_story.assert_promises_hold();
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_the_same_deploy_changes_nothing_more() {
    superseded_in_each_moment(TestCommand::Deploy("v2")).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_another_deploy_changes_nothing_more() {
    superseded_in_each_moment(TestCommand::Deploy("v3")).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_a_rollback_changes_nothing_more() {
    superseded_in_each_moment(TestCommand::Rollback).await;
}

/// A rollback of a finished rollout dies, and so does a deployment that took it over. The next
/// rollback goes to the version that the first one was going to, not to the one that it was
/// leaving.
#[tokio::test(start_paused = true)]
async fn a_rollback_resumes_after_a_deploy_was_killed_taking_it_over() {
    for (dead, taking_over) in [
        ("shift", "take-over"),
        ("refresh", "take-over"),
        ("settle", "take-over"),
        ("settle", "restore-traffic"),
    ] {
        let mut case = TestCase::canary();
        case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
        // The old group scales in, so that the rollback is a rollout of its own.
        case.operator().waits(1200).await;
        case.run_until_killed(TestCommand::Rollback, phase(dead)).await;
        match taking_over {
            "take-over" => {
                case.run_until_killed(TestCommand::Deploy("v3"), |event| {
                    matches!(event, Event::Waiting { .. })
                })
                .await;
            }
            _ => {
                let back = |event: &Event| matches!(event, Event::RollingBack { .. });
                let version = |event: &Event| matches!(event, Event::Version { .. });
                case.run_until_killed(TestCommand::Deploy("v3"), move |event| {
                    back(event) || version(event)
                })
                .await;
            }
        }
        let reported = case.run(TestCommand::Rollback).await;
        reported.ended(Status::RolledBack);
        let truth = case.truth();
        let [(live, 100)] = truth.users()[..] else { panic!("{dead}, {taking_over}: {reported}") };
        assert_eq!(truth.groups[live].version, "1", "{dead}, {taking_over}: {reported}");
    }
}

/// The same deployment resumes where it was, after another one died taking it over.
#[tokio::test(start_paused = true)]
async fn a_deploy_resumes_after_another_was_killed_taking_it_over() {
    let mut case = TestCase::canary();
    case.run_until_killed(TestCommand::Deploy("v2"), weights(50, true)).await;
    case.run_until_killed(TestCommand::Deploy("v3"), |event| {
        matches!(event, Event::Waiting { .. })
    })
    .await;
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Succeeded)
        .assert_says("resuming in phase `bake`")
        .assert_never_says("rolling_back");
    assert_eq!(case.truth().users(), [(GREEN, 100)]);
    assert_eq!(case.truth().groups[BLUE].version, "1");
}

/// A rollback claims while the run before it is recording that it is about to pin the old side's
/// MinSize: the record that it inherits doesn't say so yet. It restores the MinSize all the same.
#[tokio::test(start_paused = true)]
async fn a_rollback_restores_a_min_size_recorded_after_its_claim() {
    let saving = Arc::new(tokio::sync::Notify::new());
    let now = saving.clone();
    let held = std::sync::atomic::AtomicBool::new(false);
    let mut older = TestCase::canary().with_checkers().with_interceptor(move |operation, body| {
        let first = operation.ends_with("PutParameter")
            && body.contains(r#"\"min_sizes_set\":["#)
            && !held.swap(true, std::sync::atomic::Ordering::Relaxed);
        if !first {
            return Interception::Pass;
        }
        now.notify_one();
        Interception::Delay(std::time::Duration::from_secs(3))
    });
    let mut newer = older.second_deployer();
    let (deployed, back) = tokio::join!(Box::pin(older.run(TestCommand::Deploy("v2"))), async {
        saving.notified().await;
        Box::pin(newer.run(TestCommand::Rollback)).await
    });
    assert_eq!(deployed.ending(), Some(Status::Superseded), "{deployed}");
    back.ended(Status::RolledBack);
    newer.assert_promises_hold();
    newer.assert_unchanged();
}
