//! What a step does on GitHub: statuses of the job's deployment, and a comment on the pull request.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod step;
    pub(crate) mod venv;
}

use std::fs;

use serde_json::json;
use support::lab::Lab;
use support::project::Project;
use support::step::{COMMIT, READ_ONLY, SPEED, Step, deployment_of_job, github};
use support::venv;

#[test]
fn a_deployment_is_logged_summarized_and_followed_on_github() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    deployment_of_job(&lab, "production", 9);
    let mut step = Step::new(&[("comment", "true"), ("environment-url", "https://news.example/")]);
    let ended = step.run(&lab, &project);
    ended.exited(0);

    // The log: one group at a time, and one annotation.
    let mut open = 0;
    for line in ended.log.lines() {
        match line {
            line if line.starts_with("::group::") => open += 1,
            "::endgroup::" => open -= 1,
            _ => {}
        }
        assert!((0..=1).contains(&open), "groups do not nest: {}", ended.log);
    }
    assert_eq!(ended.annotations("notice").len(), 1, "{}", ended.log);
    assert_eq!(ended.annotations("error").len(), 0, "{}", ended.log);

    // Each fact in an output of its own.
    let output = |name: &str| ended.outputs.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(output("outcome"), "succeeded");
    assert_eq!(output("image"), format!("{}@{}", output("registries"), output("digest")));
    assert_eq!((output("launch-template-version"), output("previous-version")), ("2", "1"));
    assert_eq!((output("share-blue"), output("share-green")), ("0", "100"));
    assert_eq!(output("shares"), r#"{"blue":0,"green":100}"#);
    assert_eq!((output("strategy"), output("rollout")), ("canary", "1"));
    assert!(output("duration").parse::<u64>().unwrap() > 0);

    // The summary.
    for part in [
        "## ✅ news: succeeded",
        "xychart-beta",
        "1 → 2",
        "cutover rollback",
        "**pass**",
        &COMMIT[..7],
    ] {
        assert!(ended.summary.contains(part), "{part} is missing:\n{}", ended.summary);
    }
    assert!(!ended.summary.contains("Skipped"), "{}", ended.summary);

    // GitHub: the job's own deployment and no second one; a comment.
    let deployments = github(&lab, "/deployments");
    assert_eq!(deployments.as_array().unwrap().len(), 1, "{deployments}");
    let statuses = github(&lab, &format!("/deployments/{}/statuses", deployments[0]["id"]));
    assert_eq!(statuses[0]["state"], "success", "{statuses}");
    assert_eq!(statuses[0]["environment_url"], "https://news.example/");
    assert!(
        statuses.as_array().unwrap().iter().any(|s| s["description"] == "blue 50%, green 50%"),
        "{statuses}"
    );
    let comments = github(&lab, "/issues/7/comments");
    assert_eq!(comments.as_array().unwrap().len(), 1, "{comments}");

    // A second run updates the comment, and knows which commit it replaces.
    project.edition("two");
    let next = "0000000f3a7e4d6b8c9a0f1e2d3c4b5a69788796";
    for (name, value) in
        [("GITHUB_SHA", next), ("GITHUB_RUN_ID", "1001"), ("GITHUB_RUN_NUMBER", "8")]
    {
        step.set(name, value);
    }
    // This commit has no pull request, but the event names one.
    let event = step.file("event.json");
    fs::write(&event, json!({ "pull_request": { "number": 7 } }).to_string()).unwrap();
    step.set("GITHUB_EVENT_PATH", &event.to_string_lossy());
    let second = step.run(&lab, &project);
    second.exited(0);
    assert!(
        second.summary.contains(&COMMIT[..7]) && second.summary.contains(&next[..7]),
        "{}",
        second.summary
    );
    let comments = github(&lab, "/issues/7/comments");
    assert_eq!(comments.as_array().unwrap().len(), 1, "{comments}");

    // The first run, repeated, is older than what is live now.
    for (name, value) in
        [("GITHUB_SHA", COMMIT), ("GITHUB_RUN_ID", "1000"), ("GITHUB_RUN_NUMBER", "7")]
    {
        step.set(name, value);
    }
    project.edition("one again");
    let older = step.run(&lab, &project);
    older.exited(2);
    assert!(
        older.annotations("error")[0]
            .contains("workflow run 7 is older than run 8, which is live%0A"),
        "{}",
        older.log
    );
    assert!(older.annotations("error")[0].contains("force: true"), "{}", older.log);
    let comments = github(&lab, "/issues/7/comments");
    assert_eq!(
        comments.as_array().unwrap().len(),
        1,
        "a refusal updates the same comment: {comments}"
    );
    // Another workflow's numbers say nothing about this one's.
    step.set("GITHUB_WORKFLOW_REF", "acme/news/.github/workflows/rollout.yml@refs/heads/main");
    step.run(&lab, &project).exited(0);
}

#[test]
fn a_canceled_deployment_that_is_rolled_back_has_failed_on_github() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let step = Step::new(&[("environment", "production"), ("on-cancel", "roll-back")]);
    step.interrupted(&lab, &project, "bake:");
    let post = step.post(&lab, &project);
    post.exited(0);
    assert!(post.summary.contains("rolled back"), "{}", post.summary);
    let deployments = github(&lab, "/deployments");
    assert_eq!(deployments.as_array().unwrap().len(), 1, "{deployments}");
    let statuses = github(&lab, &format!("/deployments/{}/statuses", deployments[0]["id"]));
    assert_eq!(statuses[0]["state"], "failure", "{statuses}");
    assert!(statuses.as_array().unwrap().iter().all(|status| status["state"] != "success"));
}

#[test]
fn only_the_jobs_own_deployment_is_updated() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    for (environment, job) in [("staging", 8), ("eu", 9), ("us", 10)] {
        deployment_of_job(&lab, environment, job);
    }
    let own = Step::new(&[("job-id", "9")]).run(&lab, &project);
    own.exited(0);
    let newest = |environment: &str| {
        let deployments = github(&lab, &format!("/deployments?environment={environment}"));
        github(&lab, &format!("/deployments/{}/statuses", deployments[0]["id"]))[0]["state"].clone()
    };
    assert_eq!((newest("eu"), newest("us")), (json!("success"), json!("in_progress")));
    project.edition("two");
    let unknown = Step::new(&[]).run(&lab, &project);
    unknown.exited(0);
    assert!(
        unknown.summary.contains("several deployments belong to this run"),
        "{}",
        unknown.summary
    );
    assert_eq!(newest("us"), json!("in_progress"));
}

#[test]
fn a_deploy_without_permissions_reports_what_it_skipped() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let inputs = [("environment", "production"), ("comment", "true"), ("github-token", READ_ONLY)];
    let ended = Step::new(&inputs).run(&lab, &project);
    ended.exited(0);
    let left_out = ended.summary.split_once("### Skipped").unwrap().1;
    assert!(
        left_out.contains("GitHub deployment: Resource not accessible by integration"),
        "{left_out}"
    );
    assert!(
        left_out.contains("`deployments: write`") && left_out.contains("`pull-requests: write`"),
        "{left_out}"
    );
    assert_eq!(github(&lab, "/deployments"), json!([]));
}
