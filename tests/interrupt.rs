//! Asked to stop at any moment, by Ctrl-C or as a runner asks whose job is cancelled, a run ends within
//! the ten seconds that it has: exit 130, what holds now, how to go on; and the next run goes on.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod truth;
    pub(crate) mod venv;
    pub(crate) mod wire;
}

use std::time::Duration;

use serde_json::{Value, json};
use support::lab::Lab;
use support::project::{Ended, Project};
use support::wire::Wire;
use support::{truth, venv};

const SPEED: u32 = 60;

type Moment = Box<dyn Fn(&Value) -> bool>;

fn phase(name: &'static str) -> Moment {
    Box::new(move |event| event["event"] == "phase" && event["phase"] == name)
}

fn kind(name: &'static str) -> Moment {
    Box::new(move |event| event["event"] == name)
}

/// Weights were sent, and not read back yet.
fn sent(green: u8) -> Moment {
    Box::new(move |event| {
        event["event"] == "weights"
            && event["weights"]["green"] == green
            && event["verified"] == false
    })
}

/// That it said what a stopped run says, and that `way` is how to go on.
fn stopped(ended: &Ended, way: &str) {
    let outcome = ended.exited(130);
    assert_eq!(outcome["event"], "outcome", "{}", ended.text());
    assert_eq!(outcome["outcome"], "interrupted", "{}", ended.text());
    let hint = outcome["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(way), "{hint}\n{}", ended.text());
}

/// That the newest record is in the phase that the outcome names.
fn recorded(lab: &Lab, project: &Project, ended: &Ended) {
    let status = project.run(lab, &["status"]);
    let phase = status.last()["record"]["phase"].as_str().unwrap().to_owned();
    let message = ended.last()["message"].as_str().unwrap();
    let named = match phase.as_str() {
        "take-over" => message.contains("before it"),
        "prepare" => message.contains("the image and its version were made"),
        other => message.contains(&format!("`{other}`")),
    };
    assert!(named, "on record is {phase}: {message}");
}

/// Deploys to the end: green has everything, from the one version that was ever made.
fn finishes(lab: &Lab, project: &Project) {
    let ended = project.run(lab, &["deploy"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let truth = truth::of(lab);
    assert_eq!(truth["versions"], json!([2, 1]), "a version is made once: {}", ended.text());
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users saw errors: {}", ended.text());
}

#[test]
fn stopped_in_every_phase_of_one_rollout() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let moments = [
        kind("started"),
        kind("version"),
        phase("free"),
        kind("refresh"),
        phase("join"),
        phase("healthy"),
        phase("smoke"),
        sent(50),
        phase("bake"),
        sent(100),
        phase("settle"),
        phase("verify"),
        phase("retire"),
    ];
    let mut stops = 0;
    for moment in moments {
        let mut run = project.start(&lab, &["deploy"]);
        // Going on from where a run was stopped, a later one need not tell that phase.
        if !run.reaches(moment) {
            run.ended().exited(0);
            break;
        }
        stops += 1;
        run.signal(if stops % 2 == 0 { "INT" } else { "TERM" });
        let ended = run.ended();
        stopped(&ended, "`cutover deploy`");
        recorded(&lab, &project, &ended);
    }
    assert!(stops >= 11, "stopped only {stops} times");
    finishes(&lab, &project);
}

#[test]
fn stopped_while_traffic_is_split_and_then_taken_back() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(phase("bake"));
    run.signal("INT");
    let ended = run.ended();
    stopped(&ended, "`cutover rollback` takes it back");
    let message = ended.last()["message"].as_str().unwrap();
    assert!(message.contains("blue keeps 50 % of the traffic and green 50 %"), "{message}");
    // And stopped on the way back, too.
    let mut back = project.start(&lab, &["rollback"]);
    back.until(phase("undo"));
    back.signal("TERM");
    stopped(&back.ended(), "`cutover rollback` goes on");
    let back = project.run(&lab, &["rollback"]);
    assert_eq!(back.exited(0)["outcome"], "rolled_back", "{}", back.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}");
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "{truth}");
    assert_eq!(truth["errors"], 0.0, "users saw errors: {}", back.text());
}

#[test]
fn stopped_in_the_middle_of_a_push() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    project.ballast(48 << 20);
    let mut run = project.start(&lab, &["deploy"]);
    run.until(kind("started"));
    std::thread::sleep(Duration::from_millis(100));
    run.signal("INT");
    let ended = run.ended();
    stopped(&ended, "`cutover deploy`");
    assert!(!ended.text().contains(r#""event":"image""#), "pushed already: {}", ended.text());
    finishes(&lab, &project);
}

#[test]
fn stopped_while_instances_are_replaced() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve_with(SPEED, &["--fleet", "one-group"]), Project::rolling());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(|event| event["event"] == "refresh" && event["status"] == "InProgress");
    run.signal("INT");
    let ended = run.ended();
    stopped(&ended, "`cutover deploy` goes on");
    assert!(ended.text().contains("AWS goes on by itself"), "{}", ended.text());
    let ended = project.run(&lab, &["deploy"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["refreshes"].as_array().unwrap().len(), 1, "one refresh: {}", ended.text());
    assert_eq!(truth["errors"], 0.0, "users saw errors: {}", ended.text());
}

/// As GitHub Actions cancels a job: SIGINT, SIGTERM after 7.5 s, SIGKILL after 2.5 s more.
const ACTIONS: [(&str, Duration); 3] = [
    ("INT", Duration::from_millis(7500)),
    ("TERM", Duration::from_millis(2500)),
    ("KILL", Duration::ZERO),
];

#[test]
fn a_cancelled_workflow_leaves_time_enough_even_where_nothing_answers() {
    if venv::program("python").is_none() {
        return;
    }
    for moment in [sent(50), phase("bake"), kind("refresh"), kind("started")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let wire = Wire::to(&lab);
        let mut run = project.start_with(&lab, &["deploy"], &wire.environment());
        run.until(moment);
        wire.cut();
        wire.loses_something();
        stopped(&run.cancelled(&ACTIONS), "`cutover deploy`");
        finishes(&lab, &project);
    }
}

#[test]
fn stopped_before_the_claim_where_nothing_answers() {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let wire = Wire::to(&lab);
    wire.cut();
    for verb in ["deploy", "rollback", "verify", "plan", "status"] {
        let run = project.start_with(&lab, &[verb], &wire.environment());
        wire.loses_something();
        let ended = run.cancelled(&ACTIONS);
        assert_eq!(ended.exited(130)["outcome"], "interrupted", "{}", ended.text());
    }
}

#[test]
fn asked_twice_it_ends_at_once_and_the_next_run_goes_on() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let wire = Wire::to(&lab);
    let mut run = project.start_with(&lab, &["deploy"], &wire.environment());
    run.until(sent(50));
    wire.cut();
    wire.loses_something();
    let at_once = [
        ("INT", Duration::from_millis(300)),
        ("INT", Duration::from_secs(2)),
        ("KILL", Duration::ZERO),
    ];
    let ended = run.cancelled(&at_once);
    assert_eq!(ended.code, 130, "{}", ended.text());
    finishes(&lab, &project);
}

#[test]
fn a_terminal_that_goes_away_stops_nothing() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(phase("bake"));
    run.signal("HUP");
    assert_eq!(run.deafened(), 0);
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0);
}
