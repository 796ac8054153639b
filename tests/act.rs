//! Runs the shipped workflows under `act` against a lab. The files in `workflows/` and `.github/workflows/` run
//! unchanged, except for the keys that act's schema rejects (`queue`, `$/`) and the edits named in each test.
//!
//! act implements neither `concurrency` nor `permissions` nor environments, and it cancels with other signals than
//! GitHub does; tests/action_cancel.rs covers those.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod lab;
    pub(crate) mod truth;
    pub(crate) mod venv;
}

mod workflows {
    pub(crate) mod runner;
    pub(crate) mod shipped;
    pub(crate) mod stage;
}

use serde_json::{Value, json};
use support::lab::Lab;
use support::truth;
use workflows::stage::{self, READ_ONLY_TOKEN, Run, SCENARIO, Stage};

const DEPLOY: &str = ".github/workflows/deploy.yml";

/// Returns a repository with the shipped `deploy.yml`, plus a last step that prints the outputs, and its lab.
fn begin() -> Option<(Stage, Lab)> {
    let stage = Stage::news()?;
    stage.add("deploy.yml", |shipped| shipped.with_outputs_shown("Deploy"));
    let lab = stage.lab(SCENARIO);
    Some((stage, lab))
}

/// Returns the states of a deployment in order, each repetition once.
fn states(lab: &Lab, id: u64) -> Vec<String> {
    let all = stage::deployments(lab);
    let one = all.as_array().unwrap().iter().find(|deployment| deployment["id"] == id).unwrap();
    let states = one["statuses"].as_array().unwrap().iter();
    let mut states: Vec<String> =
        states.map(|status| status[0].as_str().unwrap().to_owned()).collect();
    states.dedup();
    states
}

#[test]
fn a_push_is_built_and_deployed() {
    let Some((stage, lab)) = begin() else { return };
    let run = Run::of(DEPLOY, 1000, 7);
    let deployment = stage::job_begins(&lab, run);
    let ended = stage.run(&lab, run);
    assert!(ended.succeeded, "{}", ended.text());

    // The launcher verified the binary against the release's checksum.
    assert!(ended.printed("Deploy").contains("from the tool cache"), "{}", ended.text());
    let (title, message) = ended.annotation("Deploy", "notice");
    assert_eq!(title, "cutover: succeeded", "{message}");
    assert_eq!(ended.annotations("Deploy", "warning"), [], "{}", ended.text());
    assert_eq!(ended.annotations("Deploy", "error"), [], "{}", ended.text());

    let outputs = ended.shown();
    assert_eq!(outputs["outcome"], "succeeded");
    assert_eq!(outputs["strategy"], "canary");
    assert_eq!((&*outputs["previous-version"], &*outputs["launch-template-version"]), ("1", "2"));
    assert_eq!((&*outputs["share-blue"], &*outputs["share-green"]), ("0", "100"));
    assert_eq!(outputs["shares"], r#"{"blue":0,"green":100}"#);
    assert_eq!(outputs["rollout"], "1");
    let repository = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news";
    assert_eq!(outputs["registries"], repository);
    assert_eq!(outputs["image"], format!("{repository}@{}", outputs["digest"]));

    let summary = ended.summary("Deploy");
    for part in ["## ✅ news: succeeded", "xychart-beta", "### Evidence", "### How to roll back"] {
        assert!(summary.contains(part), "`{part}` in {summary}");
    }

    // The statuses were added to the job's own deployment; no second one was created.
    assert_eq!(states(&lab, deployment), ["in_progress", "success"]);
    let all = stage::deployments(&lab);
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    let last = all[0]["statuses"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last[2], "https://www.example.com", "{all}");

    let truth = truth::of(&lab);
    assert_eq!(truth["versions"], json!([2, 1]));
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn a_bad_version_is_rolled_back_and_the_job_fails() {
    let Some((stage, lab)) = begin() else { return };
    stage.change("# lab.error-rate: \"0.2\"", "lab.error-rate: \"0.2\"");
    let run = Run::of(DEPLOY, 1000, 7);
    let deployment = stage::job_begins(&lab, run);
    let ended = stage.run(&lab, run);
    assert!(!ended.succeeded, "{}", ended.text());
    assert_eq!(ended.exit_code("Deploy"), Some(3), "{}", ended.text());
    let (title, message) = ended.annotation("Deploy", "error");
    assert_eq!(title, "cutover: rolled back");
    assert!(message.contains('%'), "the message names the error rate: {message}");

    let outputs = ended.shown();
    assert_eq!(outputs["outcome"], "rolled_back");
    assert_eq!((&*outputs["share-blue"], &*outputs["share-green"]), ("100", "0"));
    assert!(ended.summary("Deploy").contains("news: rolled back"), "{}", ended.summary("Deploy"));
    assert_eq!(states(&lab, deployment), ["in_progress", "failure"]);

    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}");
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "MinSize is as it was");
    assert!(truth["errors"].as_f64().unwrap() > 0.0, "the version was not bad: {truth}");
}

#[test]
fn a_re_run_resumes_the_rollout_that_was_interrupted() {
    let Some((stage, lab)) = begin() else { return };
    let first = Run::of(DEPLOY, 1000, 7);
    let deployment = stage::job_begins(&lab, first);
    let mut act = stage.start(&lab, first, &json!({}));
    act.until(" bake: ");
    act.cancel();
    let ended = act.ended();
    assert!(!ended.succeeded, "{}", ended.text());
    // act killed the launcher; cutover itself received only SIGHUP.
    let warnings = ended.annotations("Deploy", "warning");
    let left = |(_, message): &(String, String)| message.contains("traffic stays as it is");
    assert!(warnings.iter().any(left), "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"], json!({ "news-blue": 50, "news-green": 50 }), "{}", ended.text());
    assert_eq!(states(&lab, deployment), ["in_progress", "failure"]);

    let second = Run { attempt: 2, ..first };
    let deployment = stage::job_begins(&lab, second);
    let ended = stage.run(&lab, second);
    assert!(ended.succeeded, "{}", ended.text());
    let outputs = ended.shown();
    assert_eq!((&*outputs["outcome"], &*outputs["launch-template-version"]), ("succeeded", "2"));
    assert_eq!(states(&lab, deployment), ["in_progress", "success"]);
    let truth = truth::of(&lab);
    assert_eq!(truth["versions"], json!([2, 1]), "a version is created once: {}", ended.text());
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["refreshes"].as_array().unwrap().len(), 1, "{truth}");
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn of_two_runs_the_newer_wins_and_an_older_one_is_refused() {
    let Some((stage, lab)) = begin() else { return };
    let (older, newer) = (Run::of(DEPLOY, 1000, 7), Run::of(DEPLOY, 1001, 8));
    let mut act = stage.start(&lab, older, &json!({}));
    act.until(" bake: ");
    stage.edition("the next one");
    let won = stage.run(&lab, newer);
    assert!(won.succeeded, "{}", won.text());
    let lost = act.ended();
    assert!(!lost.succeeded, "{}", lost.text());
    assert_eq!(lost.exit_code("Deploy"), Some(5), "{}", lost.text());
    assert_eq!(lost.outputs("Deploy")["outcome"], "superseded");
    let (title, message) = lost.annotation("Deploy", "warning");
    assert_eq!(title, "cutover: superseded", "{message}");
    let truth = truth::of(&lab);
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", won.text());

    // An even older run, for example one that waited for an approval.
    stage.edition("an old one");
    let waited = stage.run(&lab, Run::of(DEPLOY, 999, 6));
    assert_eq!(waited.exit_code("Deploy"), Some(2), "{}", waited.text());
    let (title, message) = waited.annotation("Deploy", "error");
    assert_eq!(title, "cutover: refused");
    assert!(message.contains("workflow run 6 is older than run 8, which is live"), "{message}");
    assert!(message.contains("`force: true`"), "{message}");
    let after = truth::of(&lab);
    for part in ["versions", "weights"] {
        assert_eq!(after[part], truth[part], "{}", waited.text());
    }
}

#[test]
fn a_rollback_and_a_rollout_are_started_by_hand() {
    let Some((stage, lab)) = begin() else { return };
    stage.add("rollback.yml", |shipped| shipped.with_outputs_shown("Roll back"));
    stage.add("rollout.yml", |shipped| shipped.without_queue("  ").with_outputs_shown("Roll out"));
    let first = stage.run(&lab, Run::of(DEPLOY, 1000, 7));
    assert!(first.succeeded, "{}", first.text());
    let image = first.outputs("Deploy")["image"].clone();

    let run = Run::dispatched(".github/workflows/rollback.yml", 1001, 1);
    let deployment = stage::job_begins(&lab, run);
    let back = stage.start(&lab, run, &json!({ "reason": "as an exercise" })).ended();
    assert!(back.succeeded, "{}", back.text());
    let outputs = back.shown();
    assert_eq!((&*outputs["share-blue"], &*outputs["share-green"]), ("100", "0"));
    assert_eq!(states(&lab, deployment), ["in_progress", "success"]);
    assert_eq!(truth::of(&lab)["weights"], json!({ "news-blue": 100, "news-green": 0 }));

    // `plan` first, which must change nothing, then `deploy`.
    let before = truth::of(&lab);
    let inputs = |command: &str| json!({ "command": command, "image": image, "force": false });
    let run = Run::dispatched(".github/workflows/rollout.yml", 1002, 1);
    let plan = stage.start(&lab, run, &inputs("plan")).ended();
    assert!(plan.succeeded, "{}", plan.text());
    assert!(plan.summary("Roll out").contains(&image), "{}", plan.text());
    let after = truth::of(&lab);
    for part in ["versions", "weights", "refreshes", "parameters"] {
        assert_eq!(after[part], before[part], "{}", plan.text());
    }
    let run = Run::dispatched(".github/workflows/rollout.yml", 1003, 2);
    let rollout = stage.start(&lab, run, &inputs("deploy")).ended();
    assert!(rollout.succeeded, "{}", rollout.text());
    assert_eq!(rollout.shown()["image"], image, "{}", rollout.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }));
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", rollout.text());
}

#[test]
fn a_token_without_permissions_deploys_and_says_what_is_left_out() {
    let Some((stage, lab)) = begin() else { return };
    let run = Run { token: READ_ONLY_TOKEN, ..Run::of(DEPLOY, 1000, 7) };
    let deployment = stage::job_begins(&lab, run);
    let ended = stage.run(&lab, run);
    assert!(ended.succeeded, "{}", ended.text());
    assert_eq!(ended.shown()["outcome"], "succeeded");
    let printed = ended.printed("Deploy");
    let left_out = printed.lines().find(|line| line.starts_with("skipped: GitHub deployment"));
    assert!(left_out.unwrap_or_default().contains("`deployments: write`"), "{}", ended.text());
    let summary = ended.summary("Deploy");
    assert!(summary.contains("### Skipped") && summary.contains("deployments: write"), "{summary}");
    assert_eq!(states(&lab, deployment), ["in_progress"], "only GitHub's own status");
    assert_eq!(truth::of(&lab)["weights"], json!({ "news-blue": 0, "news-green": 100 }));
}

/// The default fleet plus the group `staging`, which stands for a staging environment.
const STAGING: &str = "
job: { environment: production }
deploy_trust: repo:acme/news:environment:production
groups:
  - { name: news-blue, min: 2, max: 6, desired: 4 }
  - { name: news-green, min: 0, max: 6, desired: 0 }
  - { name: staging, min: 1, max: 4, desired: 2 }
rules:
  - { priority: 1, when: { header: [X-Cutover, next] }, forward: [[news-green, 1]] }
  - { priority: 5, when: { header: [X-Stage, staging] }, forward: [[staging, 1]] }
  - { priority: 10, when: { path: \"/*\" }, forward: [[news-blue, 1]] }
";

#[test]
fn the_reusable_workflow_deploys_one_digest_to_two_environments() {
    let Some(stage) = Stage::news() else { return };
    stage.add("deploy-reusable.yml", |shipped| {
        let config = "      config: cutover.production.yaml\n";
        shipped
            .change("amazonaws.com/web@", "amazonaws.com/news@")
            .change(config, &format!("{config}      comment: true\n"))
    });
    let production = std::fs::read_to_string(stage.path("cutover.yaml")).unwrap();
    // Two services share the account and the launch template.
    let (above, _) = production.split_once("fleet:").unwrap();
    let staging = format!(
        "{}fleet: {{ group: staging, target_group: staging }}\nstrategy: rolling\n",
        above.replace("service: news", "service: staging")
    );
    // This workflow has no job that builds bin/serve.
    let make =
        |text: &str| text.replace(", { from: bin/serve, to: /bin/serve, mode: \"0755\" }", "");
    stage.write("cutover.staging.yaml", &make(&staging));
    stage.write("cutover.production.yaml", &make(&production));
    let lab = stage.lab(STAGING);
    let ended = stage.run(&lab, Run::of(".github/workflows/deploy-reusable.yml", 1000, 7));
    assert!(ended.succeeded, "{}", ended.text());

    let staging = ended.of_job("Staging").outputs("Run cutover");
    let production = ended.of_job("Production").outputs("Run cutover");
    assert_eq!((&*staging["outcome"], &*staging["strategy"]), ("succeeded", "rolling"));
    assert_eq!((&*production["outcome"], &*production["strategy"]), ("succeeded", "canary"));
    assert_eq!(staging["digest"], production["digest"], "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-green"], 100, "{}", ended.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
    // The reusable workflow passes `environment`, so cutover creates a deployment where GitHub has none.
    let all = stage::deployments(&lab);
    let environments: Vec<&Value> =
        all.as_array().unwrap().iter().map(|deployment| &deployment["environment"]).collect();
    assert_eq!(environments, ["staging", "production"], "{all}");
    for deployment in all.as_array().unwrap() {
        assert_eq!(states(&lab, deployment["id"].as_u64().unwrap()).last().unwrap(), "success");
    }
    // The commit is the head of an open pull request.
    let comments = stage::comments(&lab);
    assert_eq!(comments.as_array().unwrap().len(), 1, "{comments}");
    let comment = comments[0].as_str().unwrap();
    assert!(comment.contains("## ✅ news: succeeded"), "{comment}");
    assert!(comment.contains(&production["digest"]), "{comment}");
}

#[test]
fn the_nightly_rehearsal_runs_without_an_account() {
    let Some(stage) = Stage::new() else { return };
    let news = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/news");
    stage::copy(&news, &stage.path("rehearsal"));
    let path = stage.path("rehearsal/cutover.yaml");
    let good = std::fs::read_to_string(&path).unwrap();
    let good = good.replace("steps: [10, 50, 100], bake: 2m", "steps: [50, 100], bake: 1m");
    std::fs::write(&path, &good).unwrap();
    let bad = good
        .replace("lab.version: v2", "lab.version: v3")
        .replace("# lab.error-rate", "lab.error-rate");
    stage.write("rehearsal/bad.yaml", &bad);

    // The workflow downloads a release from this folder and serves its lab on a free port.
    let name = "cutover-x86_64-unknown-linux-gnu-v0.1.0";
    let release = stage.outside("downloads/v0.1.0");
    std::fs::create_dir_all(release.join(name)).unwrap();
    std::fs::hard_link(stage.binary(), release.join(name).join("cutover")).unwrap();
    let archive = release.join(format!("{name}.tgz"));
    let tar = std::process::Command::new("tar")
        .args(["--create", "--use-compress-program=gzip --fast", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(&release)
        .arg(name)
        .status();
    assert!(tar.unwrap().success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let downloads = format!("file://{}/", stage.outside("downloads").display());
    stage.add("rehearse.yml", |shipped| {
        shipped
            .change("https://github.com/OWNER/cutover/releases/download/", &downloads)
            .change(&"0".repeat(64), &stage::sha256(&archive))
            .change("http://127.0.0.1:4566", &format!("http://127.0.0.1:{port}"))
            .change("lab serve --speed", &format!("lab serve --port {port} --speed"))
    });
    let run = Run { event: "schedule", ..Run::of(".github/workflows/rehearse.yml", 1000, 1) };
    let ended = stage.start_alone(run).ended();
    assert!(ended.succeeded, "{}", ended.text());
    assert_eq!(ended.outputs("Deploy")["outcome"], "succeeded");
    assert_eq!(ended.outputs("Roll back")["outcome"], "rolled_back");
    assert_eq!(ended.outputs("Deploy a bad version")["outcome"], "rolled_back");
    let (title, message) = ended.annotation("Deploy a bad version", "error");
    assert_eq!(title, "cutover: rolled back", "{message}");
    assert!(ended.printed("Deploy").contains("from the input binary"), "{}", ended.text());
}
