//! Runs that die or are superseded, and those that come after them.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::story::{Does, Moment, Story, Told, Verb, phase, weights};
use crate::model::{Ending, Event};

const BLUE: &str = "news-blue";
const GREEN: &str = "news-green";

/// Moments of a canary in which its run may end: one in each phase, and between a change and its
/// being seen.
fn moments() -> Vec<(&'static str, Moment)> {
    let kind = |name: &'static str| -> Moment {
        Box::new(move |event| match event {
            Event::Started { .. } => name == "started",
            Event::Version { .. } => name == "version",
            Event::Refresh { .. } => name == "refresh",
            Event::Minimum { .. } => name == "minimum",
            Event::Retirement { .. } => name == "retirement",
            _ => false,
        })
    };
    let mut moments: Vec<(&'static str, Moment)> = Vec::new();
    for name in ["started", "version", "refresh", "minimum", "retirement"] {
        moments.push((name, kind(name)));
    }
    for name in [
        "free", "refresh", "size", "join", "healthy", "smoke", "shift", "bake", "settle", "verify",
        "retire",
    ] {
        moments.push((name, Box::new(phase(name))));
    }
    moments.push(("10 % sent", Box::new(weights(10, false))));
    moments.push(("50 % sent", Box::new(weights(50, false))));
    moments.push(("100 % sent", Box::new(weights(100, false))));
    moments
}

/// Each of the moments of a run that dies; `next` is run after it, and judged.
async fn after_each_death(next: Verb, judge: impl Fn(&str, &Story, &Told)) {
    for (name, moment) in moments() {
        let mut story = Story::canary().checked();
        let died = story.dies(Verb::Deploy("v2"), moment).await;
        let told = story.run(next).await;
        let (failed, before) = (story.truth().failed, story.before.failed);
        assert_eq!(failed, before, "users saw errors, dead at {name}: {died}\n{told}");
        assert_eq!(story.violations(), [], "dead at {name}: {died}\n{told}");
        judge(name, &story, &told);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_deploy_finishes_what_a_dead_run_began() {
    after_each_death(Verb::Deploy("v2"), |name, story, told| {
        assert_eq!(told.ending(), Some(Ending::Succeeded), "dead at {name}: {told}");
        assert_eq!(story.truth().users(), [(GREEN, 100)], "dead at {name}: {told}");
        assert_eq!(story.truth().group(GREEN), (2, 4, "2"), "dead at {name}: {told}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_deploy_replaces_what_a_dead_run_began() {
    after_each_death(Verb::Deploy("v3"), |name, story, told| {
        assert_eq!(told.ending(), Some(Ending::Succeeded), "dead at {name}: {told}");
        // Where the dead one had brought everything over, its side is the one to leave.
        let users =
            story.truth().users().iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(users.len(), 1, "dead at {name}: {told}");
        let live = &story.truth().groups[&users[0]];
        assert!(
            live.version != "1" && live.min == 2 && live.desired == 4,
            "{live:?} {name}: {told}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_undoes_what_a_dead_run_began() {
    after_each_death(Verb::Rollback, |name, story, told| {
        assert_eq!(told.ending(), Some(Ending::RolledBack), "dead at {name}: {told}");
        let now = story.truth();
        assert_eq!(now.weights, story.before.weights, "dead at {name}: {told}");
        assert_eq!(now.groups, story.before.groups, "dead at {name}: {told}");
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

/// A second run begins in each of the moments of the first: the first one sends nothing more.
async fn superseded_in_each_moment(second: Verb) {
    let some = ["version", "refresh", "join", "10 % sent", "bake", "settle", "retire"];
    for (name, moment) in moments().into_iter().filter(|(name, _)| some.contains(name)) {
        let sent = Sent::default();
        let story = Story::canary().checked();
        let (log, clock) = (sent.clone(), story.clock());
        let began = Arc::new(tokio::sync::Notify::new());
        let now = began.clone();
        let mut older = story
            .with_hand(move |operation, _| {
                if is_change(operation) {
                    log.lock().unwrap().push((clock.now(), operation.to_owned()));
                }
                Does::Pass
            })
            .when(moment, async move |_| now.notify_one());
        let mut second_story = older.beside();
        let (older, newer) = tokio::join!(Box::pin(older.run(Verb::Deploy("v2"))), async {
            began.notified().await;
            Box::pin(second_story.run(second)).await
        });
        if newer.events.is_empty() || older.ending() == Some(Ending::Succeeded) {
            continue; // It came too late.
        }
        assert_eq!(older.ending(), Some(Ending::Superseded), "{name}: {older}");
        let claimed = newer
            .events
            .iter()
            .find_map(|told| matches!(told.event, Event::Started { .. }).then_some(told.time));
        let claimed = claimed.unwrap_or_else(|| panic!("{name}: no claim: {newer}"));
        // What was decided on a look from before the claim is sent within 5 s of that look, and takes
        // at most a second to be on its way.
        let late = claimed.checked_add(std::time::Duration::from_secs(6)).unwrap();
        let sent = sent.lock().unwrap();
        let late: Vec<_> = sent.iter().filter(|(at, _)| *at > late).collect();
        assert!(late.is_empty(), "{name}, claimed at {claimed}: {late:?}\n{older}");
        assert!(
            matches!(newer.ending(), Some(Ending::Succeeded | Ending::RolledBack)),
            "{name}: {newer}"
        );
        second_story.keeps_its_promises();
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_the_same_deploy_touches_nothing_more() {
    superseded_in_each_moment(Verb::Deploy("v2")).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_another_deploy_touches_nothing_more() {
    superseded_in_each_moment(Verb::Deploy("v3")).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_superseded_by_a_rollback_touches_nothing_more() {
    superseded_in_each_moment(Verb::Rollback).await;
}

/// A rollback of a finished rollout that died, a deployment that died taking it over, and a rollback
/// again: it goes where the first one was to go, not back to what that one was leaving.
#[tokio::test(start_paused = true)]
async fn a_rollback_goes_on_after_a_deploy_that_died_taking_it_over() {
    for (dead, taking_over) in [
        ("shift", "take-over"),
        ("refresh", "take-over"),
        ("settle", "take-over"),
        ("settle", "take-back"),
    ] {
        let mut story = Story::canary();
        story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
        // The old group retires, so that the way back is a rollout of its own.
        story.person().waits(1200).await;
        story.dies(Verb::Rollback, phase(dead)).await;
        match taking_over {
            "take-over" => {
                story
                    .dies(Verb::Deploy("v3"), |event| matches!(event, Event::Waiting { .. }))
                    .await;
            }
            _ => {
                let back = |event: &Event| matches!(event, Event::TakingBack { .. });
                let version = |event: &Event| matches!(event, Event::Version { .. });
                story.dies(Verb::Deploy("v3"), move |event| back(event) || version(event)).await;
            }
        }
        let told = story.run(Verb::Rollback).await;
        told.ended(Ending::RolledBack);
        let truth = story.truth();
        let [(live, 100)] = truth.users()[..] else { panic!("{dead}, {taking_over}: {told}") };
        assert_eq!(truth.groups[live].version, "1", "{dead}, {taking_over}: {told}");
    }
}

/// The same deployment goes on where it was, after another one died taking it over.
#[tokio::test(start_paused = true)]
async fn a_deploy_goes_on_after_another_one_that_died_taking_it_over() {
    let mut story = Story::canary();
    story.dies(Verb::Deploy("v2"), weights(50, true)).await;
    story.dies(Verb::Deploy("v3"), |event| matches!(event, Event::Waiting { .. })).await;
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded).says("going on from `bake`").never_says("taking_back");
    assert_eq!(story.truth().users(), [(GREEN, 100)]);
    assert_eq!(story.truth().groups[BLUE].version, "1");
}

/// A rollback claims while the run before it is saving that it is going to pin the old side's
/// minimum: what it inherits at its claim does not tell so yet. It gives the minimum back all the same.
#[tokio::test(start_paused = true)]
async fn a_rollback_gives_back_what_its_predecessor_saved_after_the_claim() {
    let saving = Arc::new(tokio::sync::Notify::new());
    let now = saving.clone();
    let held = std::sync::atomic::AtomicBool::new(false);
    let mut older = Story::canary().checked().with_hand(move |operation, body| {
        let first = operation.ends_with("PutParameter")
            && body.contains(r#"\"pinned\":["#)
            && !held.swap(true, std::sync::atomic::Ordering::Relaxed);
        if !first {
            return Does::Pass;
        }
        now.notify_one();
        Does::Delay(std::time::Duration::from_secs(3))
    });
    let mut newer = older.beside();
    let (deployed, back) = tokio::join!(Box::pin(older.run(Verb::Deploy("v2"))), async {
        saving.notified().await;
        Box::pin(newer.run(Verb::Rollback)).await
    });
    assert_eq!(deployed.ending(), Some(Ending::Superseded), "{deployed}");
    back.ended(Ending::RolledBack);
    newer.keeps_its_promises();
    newer.is_as_before();
}
