//! `cutover action` as the launcher starts it, with what a runner provides: inputs, files and variables.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod step;
    pub(crate) mod venv;
}

use std::fs;

use support::lab::Lab;
use support::project::Project;
use support::step::{SPEED, Step, github};
use support::venv;

#[test]
fn an_older_run_does_not_take_over_from_a_newer_one_that_is_unfinished() {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut older = Step::new(&[]);
    let mut newer: Vec<(String, String)> = older.variables.clone().into_iter().collect();
    newer.push(("GITHUB_RUN_ID".to_owned(), "1001".to_owned()));
    newer.push(("GITHUB_RUN_NUMBER".to_owned(), "8".to_owned()));
    let mut run = project.start_with(&lab, &["deploy"], &newer);
    run.until(|event| event["event"] == "phase" && event["phase"] == "bake");
    let refused = older.run(&lab, &project);
    refused.exited(2);
    let annotation = refused.annotations("error")[0];
    assert!(
        annotation.contains("workflow run 7 is older than run 8, which is unfinished"),
        "{annotation}"
    );
    let ended = run.ended();
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    // With `force` it replaces even a newer rollout.
    older.set("INPUT_FORCE", "true");
    project.edition("older");
    older.run(&lab, &project).exited(0);
}

#[test]
fn a_run_that_takes_over_reports_its_own_commit() {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let mut step = Step::new(&[]);
    step.interrupted(&lab, &project, "bake:");
    let next = "bbbbbbbf3a7e4d6b8c9a0f1e2d3c4b5a69788796";
    for (name, value) in
        [("GITHUB_SHA", next), ("GITHUB_RUN_ID", "1001"), ("GITHUB_RUN_NUMBER", "8")]
    {
        step.set(name, value);
    }
    project.edition("two");
    let ended = step.run(&lab, &project);
    ended.exited(0);
    let row = format!("| Commit | [`{}`]", &next[..7]);
    assert!(ended.summary.contains(&row), "{}", ended.summary);
}

#[test]
fn a_bad_version_is_an_error_with_its_reason() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    project.change("# lab.error-rate: \"0.2\"", "lab.error-rate: \"0.2\"");
    let ended = Step::new(&[("environment", "production")]).run(&lab, &project);
    ended.exited(3);
    let annotation = ended.annotations("error");
    assert_eq!(annotation.len(), 1, "{}", ended.log);
    assert!(
        annotation[0].starts_with("::error title=cutover%3A rolled back::"),
        "{}",
        annotation[0]
    );
    assert!(annotation[0].contains("requests failed"), "{}", annotation[0]);
    assert!(ended.summary.contains("**fail**"), "{}", ended.summary);
    assert_eq!(ended.outputs["outcome"], "rolled_back");
    // The job has no deployment, so one is created for the environment that the workflow names.
    let deployments = github(&lab, "/deployments");
    assert_eq!(deployments[0]["environment"], "production", "{deployments}");
    let statuses = github(&lab, &format!("/deployments/{}/statuses", deployments[0]["id"]));
    assert_eq!(statuses[0]["state"], "failure", "{statuses}");
}

#[test]
fn read_only_commands_write_a_summary() {
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    for command in ["verify", "plan", "status"] {
        let ended = Step::new(&[("command", command)]).run(&lab, &project);
        ended.exited(0);
        assert_eq!(ended.outputs["outcome"], "succeeded");
    }
    let plan = Step::new(&[("command", "plan")]).run(&lab, &project);
    assert!(
        plan.summary.contains("### Output") && plan.summary.contains("previous_version: 1"),
        "{}",
        plan.summary
    );
}

#[test]
fn a_wrong_input_is_one_annotation_that_names_it_and_the_remedy() {
    let yaml =
        "version: 1\nservice: web\nregion: eu-west-1\nfleet: { group: web }\nstrategy: roling\n";
    for (inputs, expected) in [
        (
            &[("command", "deplyo")][..],
            "input `command`: `deplyo` is unknown: did you mean `deploy`?",
        ),
        (&[("forse", "true")], "unknown input `forse`; did you mean `force`?"),
        (
            &[("command", "verify"), ("image", "x")],
            "input `image` applies only to deploy, plan, not to `command: verify`",
        ),
        (&[("compression", "brotli")], "input `compression`: `brotli` must be one of gzip, zstd"),
        (&[("command", "push"), ("to", "UPPER/case")], "input `to`: `UPPER/case`: "),
        (&[("config", "nowhere.yaml")], "nowhere.yaml: cannot be read"),
        (&[("config", "--help")], "--help: cannot be read"),
        (&[("config", "a\n::set-output name=outcome::x")], "a%0A: :set-output"),
        (&[("config", "bad.yaml")], "bad.yaml:5:11: "),
    ] {
        let step = Step::new(inputs);
        fs::write(step.file("bad.yaml"), yaml).unwrap();
        let ended = step.run_alone();
        ended.exited(2);
        assert_eq!(ended.log.lines().count(), 1, "{}", ended.log);
        assert!(ended.log.contains(expected), "{expected}: {}", ended.log);
        assert_eq!(ended.outputs["outcome"], "refused");
        assert!(ended.summary.contains("refused"), "{}", ended.summary);
    }
    let ended = {
        let step = Step::new(&[("config", "bad.yaml")]);
        fs::write(step.file("bad.yaml"), yaml).unwrap();
        step.run_alone()
    };
    assert!(ended.log.contains("file=bad.yaml,line=5,col=11"), "{}", ended.log);
}
