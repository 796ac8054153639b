//! Interrupted at any moment, by Ctrl-C or by a runner whose job is canceled, a run ends within the
//! ten seconds that it has: exit code 130, the current state, how to resume; and the next run
//! resumes.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
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
use support::wire::CuttableProxy;
use support::{truth, venv};

const SPEED: u32 = 60;

type Moment = Box<dyn Fn(&Value) -> bool>;

fn phase(name: &'static str) -> Moment {
    Box::new(move |event| event["event"] == "phase" && event["phase"] == name)
}

fn kind(name: &'static str) -> Moment {
    Box::new(move |event| event["event"] == name)
}

/// Matches weights that were sent and not read back yet.
fn sent(green: u8) -> Moment {
    Box::new(move |event| {
        event["event"] == "traffic"
            && event["shares"]["green"] == green
            && event["verified"] == false
    })
}

/// Asserts that the run reported an interruption, with `way` in the hint.
fn stopped(ended: &Ended, way: &str) {
    let outcome = ended.exited(130);
    assert_eq!(outcome["event"], "outcome", "{}", ended.text());
    assert_eq!(outcome["outcome"], "interrupted", "{}", ended.text());
    let hint = outcome["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(way), "{hint}\n{}", ended.text());
}

/// Asserts that the newest record is in the phase that the outcome names.
fn recorded(lab: &Lab, project: &Project, ended: &Ended) {
    let status = project.run(lab, &["status"]);
    let phase = status.last()["record"]["phase"].as_str().unwrap().to_owned();
    let message = ended.last()["message"].as_str().unwrap();
    let named = match phase.as_str() {
        "take-over" => message.contains("before it"),
        "prepare" => message.contains("preparing the image and the launch template version"),
        other => message.contains(&format!("`{other}`")),
    };
    assert!(named, "the record's phase is {phase}: {message}");
}

/// Deploys to the end: green has all traffic, on the only version that was ever created.
fn finishes(lab: &Lab, project: &Project) {
    let ended = project.run(lab, &["deploy"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let truth = truth::of(lab);
    assert_eq!(truth["versions"], json!([2, 1]), "a version is created once: {}", ended.text());
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
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
        phase("cancel-scale-in"),
        kind("refresh"),
        phase("add-to-rules"),
        phase("healthy"),
        phase("smoke-test"),
        sent(50),
        phase("bake"),
        sent(100),
        phase("settle"),
        phase("verify"),
        phase("schedule-scale-in"),
    ];
    let mut stops = 0;
    for moment in moments {
        let mut run = project.start(&lab, &["deploy"]);
        // A run that resumes need not report every phase again.
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
    assert!(stops >= 11, "interrupted only {stops} times");
    finishes(&lab, &project);
}

#[test]
fn stopped_while_traffic_is_split_and_then_rolled_back() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(phase("bake"));
    run.signal("INT");
    let ended = run.ended();
    stopped(&ended, "`cutover rollback` to roll back");
    let message = ended.last()["message"].as_str().unwrap();
    assert!(message.contains("blue keeps 50% of the traffic and green 50%,"), "{message}");
    // Interrupts the rollback, too.
    let mut back = project.start(&lab, &["rollback"]);
    back.until(phase("undo"));
    back.signal("TERM");
    stopped(&back.ended(), "`cutover rollback` to resume");
    let back = project.run(&lab, &["rollback"]);
    assert_eq!(back.exited(0)["outcome"], "rolled_back", "{}", back.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}");
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "{truth}");
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", back.text());
}

#[test]
fn stopped_in_the_middle_of_a_push() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::visible(SPEED), Project::quick());
    project.add_incompressible_file(48 << 20);
    let run = project.start(&lab, &["deploy"]);
    while lab.world(|world| world.registry.open_uploads()) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    run.signal("INT");
    let ended = run.ended();
    stopped(&ended, "run the same command again");
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
    stopped(&ended, "`cutover deploy` to resume");
    assert!(
        ended.text().contains("an active instance refresh continues by itself"),
        "{}",
        ended.text()
    );
    let ended = project.run(&lab, &["deploy"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["refreshes"].as_array().unwrap().len(), 1, "one refresh: {}", ended.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

/// As GitHub Actions cancels a job: SIGINT, SIGTERM after 7.5 s, SIGKILL 2.5 s later.
const ACTIONS: [(&str, Duration); 3] = [
    ("INT", Duration::from_millis(7500)),
    ("TERM", Duration::from_millis(2500)),
    ("KILL", Duration::ZERO),
];

#[test]
fn a_canceled_run_ends_in_time_even_if_nothing_answers() {
    if venv::program("python").is_none() {
        return;
    }
    for moment in [sent(50), phase("bake"), kind("refresh"), kind("started")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let wire = CuttableProxy::to(&lab);
        let mut run = project.start_with(&lab, &["deploy"], &wire.environment());
        run.until(moment);
        wire.cut();
        wire.wait_for_lost_request();
        stopped(&run.canceled(&ACTIONS), "`cutover deploy`");
        finishes(&lab, &project);
    }
}

#[test]
fn stopped_before_the_claim_if_nothing_answers() {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let wire = CuttableProxy::to(&lab);
    wire.cut();
    for verb in ["deploy", "rollback", "verify", "plan", "status"] {
        let run = project.start_with(&lab, &[verb], &wire.environment());
        wire.wait_for_lost_request();
        let ended = run.canceled(&ACTIONS);
        assert_eq!(ended.exited(130)["outcome"], "interrupted", "{}", ended.text());
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_next_run_resumes() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let wire = CuttableProxy::to(&lab);
    let mut run = project.start_with(&lab, &["deploy"], &wire.environment());
    run.until(sent(50));
    wire.cut();
    wire.wait_for_lost_request();
    let at_once = [
        ("INT", Duration::from_millis(300)),
        ("INT", Duration::from_secs(2)),
        ("KILL", Duration::ZERO),
    ];
    let ended = run.canceled(&at_once);
    assert_eq!(ended.code, 130, "{}", ended.text());
    finishes(&lab, &project);
}

#[test]
fn a_closed_terminal_stops_nothing() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(phase("bake"));
    run.signal("HUP");
    assert_eq!(run.exit_code_without_stdout(), 0);
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0);
}
