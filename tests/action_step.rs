//! `cutover action` as the launcher starts it, with what a runner provides: inputs, files and GitHub's API.
//! The lab plays AWS, the token endpoint and GitHub.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
}

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::lab::Lab;
use support::project::Project;
use support::venv;
use tempfile::TempDir;

const SPEED: u32 = 120;
const COMMIT: &str = "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796";
const TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";
const READ_ONLY: &str = "ghs_labTokenThatMayOnlyRead0000000000000";

/// The files and variables that a runner gives a step.
struct Step {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

/// A step that has ended.
struct Ended {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Step {
    fn new(inputs: &[(&str, &str)]) -> Step {
        let folder = tempfile::tempdir().unwrap();
        let mut variables = BTreeMap::new();
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/news"),
            ("GITHUB_SHA", COMMIT),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_RUN_ID", "1000"),
            ("GITHUB_RUN_NUMBER", "7"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_WORKFLOW_REF", "acme/news/.github/workflows/deploy.yml@refs/heads/main"),
            ("INPUT_GITHUB-TOKEN", TOKEN),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        for file in ["OUTPUT", "STATE", "STEP_SUMMARY"] {
            let path = folder.path().join(file).to_string_lossy().into_owned();
            variables.insert(format!("GITHUB_{file}"), path);
        }
        let mut step = Step { folder, variables };
        inputs
            .iter()
            .for_each(|(name, value)| step.set(&format!("INPUT_{}", name.to_uppercase()), value));
        step
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, lab: &Lab, project: &Project) -> Ended {
        self.run_as(self.command(lab, project).arg("action"))
    }

    /// Runs it until a line of its log holds `text`, and sends SIGINT then.
    fn interrupted(&self, lab: &Lab, project: &Project, text: &str) {
        let mut command = self.command(lab, project);
        let mut child = command.arg("action").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(text)), "it ended before `{text}`");
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        lines.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }

    /// The step's `post`.
    fn post(&self, lab: &Lab, project: &Project) -> Ended {
        let mut command = self.command(lab, project);
        self.run_as(command.args(["action", "--post"]))
    }

    fn command(&self, lab: &Lab, project: &Project) -> Command {
        let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
        for (name, value) in lab.github() {
            command.env(name, value);
        }
        command.current_dir(project.path()).envs(&self.variables);
        command
    }

    /// Without an account, a lab or anything else to talk to.
    fn run_alone(&self) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        let folder = self.folder.path();
        self.run_as(command.env_clear().envs(&self.variables).current_dir(folder).arg("action"))
    }

    fn run_as(&self, command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "",
            "standard error is for nobody here"
        );
        let read = |name| fs::read_to_string(self.file(name)).unwrap_or_default();
        Ended {
            code: output.status.code().unwrap_or(-1),
            log: String::from_utf8(output.stdout).unwrap(),
            outputs: assignments(&read("OUTPUT")),
            summary: read("STEP_SUMMARY"),
        }
    }
}

impl Ended {
    fn annotations(&self, level: &str) -> Vec<&str> {
        let begin = format!("::{level} ");
        self.log.lines().filter(|line| line.starts_with(&begin)).collect()
    }

    fn exited(&self, code: i32) -> &Ended {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }
}

/// Reads a runner's file as the runner does (actions/runner, `FileCommandManager.cs`).
fn assignments(text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("no name: {line}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        read.insert(name.to_owned(), value.join("\n"));
    }
    read
}

/// What GitHub answers to the job's token.
fn github(lab: &Lab, path: &str) -> Value {
    lab.boto(&format!(
        "import urllib.request\n\
         request = urllib.request.Request('{}/api/v3/repos/acme/news{path}', headers={{'Authorization': 'Bearer {TOKEN}'}})\n\
         result = json.load(urllib.request.urlopen(request))\n",
        lab.url()
    ))
}

/// The deployment that GitHub makes for a job with an environment.
fn deployment_of_job(lab: &Lab, environment: &str, job: u32) {
    lab.boto(&format!(
        "import urllib.request\n\
         def post(path, body):\n\
        \x20   request = urllib.request.Request('{}/api/v3/repos/acme/news' + path, json.dumps(body).encode(),\n\
        \x20       {{'Authorization': 'Bearer {TOKEN}', 'Content-Type': 'application/json'}})\n\
        \x20   return json.load(urllib.request.urlopen(request))\n\
         own = post('/deployments', dict(ref='{COMMIT}', environment='{environment}', auto_merge=False, required_contexts=[]))\n\
         post('/deployments/%d/statuses' % own['id'], dict(state='in_progress',\n\
        \x20   log_url='https://github.com/acme/news/actions/runs/1000/job/{job}'))\n",
        lab.url()
    ));
}

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

    // Each fact apart.
    let output = |name: &str| ended.outputs.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(output("outcome"), "succeeded");
    assert_eq!(output("image"), format!("{}@{}", output("registries"), output("digest")));
    assert_eq!((output("launch-template-version"), output("previous-version")), ("2", "1"));
    assert_eq!((output("weight-blue"), output("weight-green")), ("0", "100"));
    assert_eq!(output("weights"), r#"{"blue":0,"green":100}"#);
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
    // Of this commit there is no pull request: the event names it.
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
    // Asked for, it replaces even what is newer.
    older.set("INPUT_FORCE", "true");
    project.edition("older");
    older.run(&lab, &project).exited(0);
}

#[test]
fn a_run_that_takes_over_is_of_its_own_commit() {
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
fn of_several_deployments_of_a_run_the_jobs_own_is_updated_or_none() {
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
    // The job has no deployment, so the one for the environment that the workflow names is made.
    let deployments = github(&lab, "/deployments");
    assert_eq!(deployments[0]["environment"], "production", "{deployments}");
    let statuses = github(&lab, &format!("/deployments/{}/statuses", deployments[0]["id"]));
    assert_eq!(statuses[0]["state"], "failure", "{statuses}");
}

#[test]
fn without_permissions_it_deploys_and_says_what_it_left_out() {
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

#[test]
fn what_only_looks_is_in_the_summary_too() {
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
