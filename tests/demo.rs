//! `cutover demo`: three strategies, with good and bad versions, in a process that has nothing: no
//! account, no configuration, no home directory, no Docker.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use serde_json::Value;

fn demo(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .arg("demo")
        .args(arguments)
        .current_dir(nowhere.path())
        .env_clear()
        .output()
        .unwrap()
}

/// Returns the events of a demo and its exit code.
fn events(arguments: &[&str]) -> (Vec<Value>, i32) {
    let output = demo(&[arguments, &["--format", "json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (events, output.status.code().unwrap())
}

fn outcome(events: &[Value]) -> &Value {
    let last = events.last().unwrap();
    assert_eq!(last["event"], "outcome");
    last
}

/// Returns every share that the new side was given, in order.
fn shares(events: &[Value]) -> Vec<u64> {
    events
        .iter()
        .filter(|event| event["event"] == "traffic" && event["verified"] == true)
        .map(|event| event["shares"]["green"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_canary_goes_from_v1_to_v2_without_a_failed_request() {
    let (events, code) = events(&["--strategy", "canary"]);
    let outcome = outcome(&events);
    assert_eq!((code, &outcome["outcome"]), (0, &Value::from("succeeded")));
    assert_eq!(shares(&events), [10, 50, 100]);
    assert_eq!(outcome["strategy"], "canary");
    assert!(outcome["image"].as_str().unwrap().contains("/news@sha256:"));
    assert_eq!(outcome["launch_template_version"], 2);
    assert_eq!(outcome["previous_version"], 1);
    assert_eq!(outcome["shares"]["green"], 100);
    assert_eq!(outcome["proof"], "launched");
    assert_eq!(outcome["requests"]["failed"], 0);
    assert!(outcome["requests_by_version"]["v2"]["served"].as_u64().unwrap() > 1000);
    assert!(outcome["simulated_seconds"].as_u64().unwrap() > 300);
}

#[test]
fn blue_green_moves_everything_at_once() {
    let (events, code) = events(&["--strategy", "blue-green"]);
    let outcome = outcome(&events);
    assert_eq!((code, &outcome["outcome"]), (0, &Value::from("succeeded")));
    assert_eq!(shares(&events), [100]);
    assert_eq!(outcome["requests"]["failed"], 0);
}

#[test]
fn rolling_replaces_instances_without_a_failed_request() {
    let (events, code) = events(&["--strategy", "rolling"]);
    let outcome = outcome(&events);
    assert_eq!((code, &outcome["outcome"]), (0, &Value::from("succeeded")));
    assert!(outcome.get("shares").is_none(), "one group has no weights");
    assert_eq!(outcome["requests"]["failed"], 0);
}

#[test]
fn a_bad_version_is_rolled_back_by_every_strategy() {
    for strategy in ["canary", "blue-green", "rolling"] {
        let (events, code) = events(&["--strategy", strategy, "--bad"]);
        let outcome = outcome(&events);
        assert_eq!((code, &outcome["outcome"]), (3, &Value::from("rolled_back")), "{strategy}");
        assert!(events.iter().any(|event| event["event"] == "rolling_back"), "{strategy}");
        if strategy != "rolling" {
            assert_eq!(outcome["shares"]["blue"], 100, "{strategy}");
        }
        let of =
            |version: &str| outcome["requests_by_version"][version]["failed"].as_u64().unwrap();
        assert_eq!(of("v1"), 0, "{strategy}: only the bad version fails requests");
        assert!(of("v2") > 0, "{strategy}");
    }
}

#[test]
fn a_canary_spares_users_what_blue_green_does_not() {
    let failed = |strategy| {
        let (events, _) = events(&["--strategy", strategy, "--bad"]);
        outcome(&events)["requests"]["failed"].as_u64().unwrap()
    };
    assert!(failed("canary") * 3 < failed("blue-green"));
}

#[test]
fn the_same_seed_prints_the_same_bytes_in_two_processes() {
    for strategy in ["canary", "rolling"] {
        let arguments = ["--strategy", strategy, "--bad", "--seed", "11", "--format", "json"];
        assert_eq!(demo(&arguments).stdout, demo(&arguments).stdout);
    }
    let other = demo(&["--seed", "12", "--format", "json"]);
    assert_ne!(demo(&["--seed", "11", "--format", "json"]).stdout, other.stdout);
}

#[test]
fn the_human_format_ends_with_a_summary() {
    let output = demo(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["succeeded", "sha256:", "simulated time", "timeline", "v1", "v2"] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}
