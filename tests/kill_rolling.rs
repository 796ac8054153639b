//! The same promise with one group: AWS continues an instance refresh while no run watches it, and
//! the next run resumes from there.

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
use support::project::{Ended, Project};
use support::{truth, venv};

fn refresh(status: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == "refresh" && event["status"] == status
}

/// Kills a rolling deployment after this event and runs `verb`; returns how that ended and the
/// account's state.
fn killed_at(seen: impl Fn(&Value) -> bool, verb: &str) -> Option<(Ended, Value)> {
    venv::program("python")?;
    let (lab, project) = (Lab::serve_with(60, &["--fleet", "one-group"]), Project::rolling());
    let mut run = project.start(&lab, &["deploy"]);
    run.until(seen);
    run.kill();
    let ended = project.run(&lab, &[verb]);
    let truth = truth::of(&lab);
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
    Some((ended, truth))
}

fn resumes_from(seen: impl Fn(&Value) -> bool) {
    let Some((ended, truth)) = killed_at(seen, "deploy") else { return };
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    assert_eq!(truth["versions"], json!([2, 1]), "a version is created once: {}", ended.text());
    assert_eq!(truth["groups"]["news"], json!([2, 4, "2"]), "{}", ended.text());
    assert_eq!(truth["refreshes"].as_array().unwrap().len(), 1, "one refresh: {}", ended.text());
}

fn rolls_back_from(seen: impl Fn(&Value) -> bool) {
    let Some((ended, truth)) = killed_at(seen, "rollback") else { return };
    assert_eq!(ended.exited(0)["outcome"], "rolled_back", "{}", ended.text());
    assert_eq!(truth["groups"]["news"], json!([2, 4, "1"]), "{}", ended.text());
}

#[test]
fn killed_before_the_refresh_was_known() {
    resumes_from(|event| event["event"] == "phase" && event["phase"] == "refresh");
}

#[test]
fn killed_while_instances_are_replaced() {
    resumes_from(refresh("InProgress"));
}

#[test]
fn killed_while_it_bakes() {
    resumes_from(refresh("Baking"));
}

#[test]
fn killed_once_the_refresh_was_done() {
    resumes_from(refresh("Successful"));
}

#[test]
fn killed_while_instances_are_replaced_and_then_rolled_back() {
    rolls_back_from(refresh("InProgress"));
}

#[test]
fn killed_while_it_bakes_and_then_rolled_back() {
    rolls_back_from(refresh("Baking"));
}
