//! Kill it anywhere: after `kill -9` traffic is served, and the next run finishes the rollout or
//! rolls it back. Real processes of cutover, over sockets, against `cutover lab serve`.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod truth;
    pub(crate) mod venv;
}

use serde_json::{Value, json};
use support::lab::Lab;
use support::project::{Project, Run};
use support::{truth, venv};

const SPEED: u32 = 60;

fn phase(name: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == "phase" && event["phase"] == name
}

fn kind(name: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == name
}

fn weights(green: u8, verified: bool) -> impl Fn(&Value) -> bool {
    move |event| {
        event["event"] == "traffic"
            && event["shares"]["green"] == green
            && event["verified"] == verified
    }
}

/// Kills a deployment after this event, then runs another to the end.
fn killed_at(seen: impl Fn(&Value) -> bool) {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    kill_once(project.start(&lab, &["deploy"]), seen);
    finishes(&lab, &project);
}

fn kill_once(mut run: Run, seen: impl Fn(&Value) -> bool) {
    run.until(seen);
    run.kill();
}

/// Deploys again: green has all traffic, on the version that the first run created or would have
/// created.
fn finishes(lab: &Lab, project: &Project) {
    let ended = project.run(lab, &["deploy"]);
    let outcome = ended.exited(0);
    assert_eq!(outcome["outcome"], "succeeded", "{}", ended.text());
    assert_eq!(outcome["shares"], json!({ "blue": 0, "green": 100 }), "{}", ended.text());
    assert_eq!(outcome["launch_template_version"], 2, "{}", ended.text());
    let truth = truth::of(lab);
    assert_eq!(truth["versions"], json!([2, 1]), "a version is created once: {}", ended.text());
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn killed_after_the_claim() {
    killed_at(kind("started"));
}

#[test]
fn killed_after_the_version_was_created() {
    killed_at(kind("version"));
}

#[test]
fn killed_before_the_refresh_was_known() {
    killed_at(phase("refresh"));
}

#[test]
fn killed_while_the_group_is_refreshed() {
    killed_at(kind("refresh"));
}

#[test]
fn killed_while_the_group_grows() {
    killed_at(phase("add-to-rules"));
}

#[test]
fn killed_in_the_middle_of_a_shift() {
    killed_at(weights(50, false));
}

#[test]
fn killed_with_traffic_split() {
    killed_at(phase("bake"));
}

#[test]
fn killed_with_all_traffic_moved() {
    killed_at(weights(100, false));
}

#[test]
fn killed_while_it_settles() {
    killed_at(phase("settle"));
}

#[test]
fn killed_before_the_scale_in_is_scheduled() {
    killed_at(phase("schedule-scale-in"));
}

#[test]
fn killed_again_and_again() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let deploy = || project.start(&lab, &["deploy"]);
    kill_once(deploy(), kind("refresh"));
    kill_once(deploy(), weights(50, false));
    kill_once(deploy(), kind("started"));
    kill_once(deploy(), phase("bake"));
    finishes(&lab, &project);
}

#[test]
fn killed_with_traffic_split_and_then_rolled_back() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    kill_once(project.start(&lab, &["deploy"]), weights(50, true));
    let ended = project.run(&lab, &["rollback"]);
    let outcome = ended.exited(0);
    assert_eq!(outcome["outcome"], "rolled_back", "{}", ended.text());
    assert_eq!(outcome["shares"], json!({ "blue": 100, "green": 0 }), "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}");
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn of_two_runs_the_newer_one_wins() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut older = project.start(&lab, &["deploy"]);
    older.until(phase("healthy"));
    let newer = project.start(&lab, &["deploy"]);
    let older = older.ended();
    assert_eq!(older.exited(5)["outcome"], "superseded", "{}", older.text());
    let newer = newer.ended();
    assert_eq!(newer.exited(0)["outcome"], "succeeded", "{}", newer.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["versions"], json!([2, 1]), "a version is created once: {}", newer.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", newer.text());
}

#[test]
fn of_two_editions_the_newer_one_wins_even_when_traffic_was_split() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut older = project.start(&lab, &["deploy"]);
    older.until(weights(50, true));
    project.edition("the newer one");
    let newer = project.run(&lab, &["deploy"]);
    assert_eq!(newer.exited(0)["outcome"], "succeeded", "{}", newer.text());
    assert_eq!(newer.last()["launch_template_version"], 3, "{}", newer.text());
    let older = older.ended();
    assert_eq!(older.exited(5)["outcome"], "superseded", "{}", older.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", newer.text());
}

/// Kills a rollout at every event, each time followed by another deployment or by a rollback. Takes
/// a quarter of an hour: `cargo test --test kill_resume -- --ignored`.
#[test]
#[ignore = "takes a quarter of an hour; the tests above are a selection"]
fn killed_at_every_event() {
    if venv::program("python").is_none() {
        return;
    }
    let whole = Project::quick().run(&Lab::serve(SPEED), &["deploy"]);
    whole.exited(0);
    let moments = whole.events.len() - 1;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let (moment, back) = (n / 2, n % 2 == 1);
                    if moment >= moments {
                        return;
                    }
                    let attempt = || kill_at_event(moment, back);
                    if std::panic::catch_unwind(attempt).is_err() {
                        let event = &whole.events[moment];
                        failed.lock().unwrap().push(format!("{moment}, back: {back}: {event}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Kills a deployment at its event number `moment`, and then deploys again, or rolls back if
/// `back`.
fn kill_at_event(moment: usize, back: bool) {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let seen = std::cell::Cell::new(0);
    let count = |_: &Value| seen.replace(seen.get() + 1) == moment;
    let mut run = project.start(&lab, &["deploy"]);
    if !run.reaches(count) {
        return; // This run reported fewer events than the one that was counted.
    }
    run.kill();
    if !back {
        return finishes(&lab, &project);
    }
    let ended = project.run(&lab, &["rollback"]);
    ended.exited(0);
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth} {}", ended.text());
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "{}", ended.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}
