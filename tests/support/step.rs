//! What a runner gives a step, and what the step leaves: variables, files, and GitHub's API, which
//! the lab simulates.

#![allow(dead_code)] // each test binary uses only a part

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::lab::Lab;
use super::project::Project;

pub(crate) const SPEED: u32 = 120;
pub(crate) const COMMIT: &str = "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796";
pub(crate) const TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";
pub(crate) const READ_ONLY: &str = "ghs_labTokenThatMayOnlyRead0000000000000";

/// The files and variables that a runner gives a step.
pub(crate) struct Step {
    folder: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

/// A step that has ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) log: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
}

impl Step {
    pub(crate) fn new(inputs: &[(&str, &str)]) -> Step {
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

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, lab: &Lab, project: &Project) -> Ended {
        self.run_as(self.command(lab, project).arg("action"))
    }

    /// Runs it until a line of its log contains `text`, then sends SIGINT.
    pub(crate) fn interrupted(&self, lab: &Lab, project: &Project, text: &str) {
        let mut command = self.command(lab, project);
        let mut child = command.arg("action").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(text)), "it ended before `{text}`");
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        lines.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }

    /// Runs the step's `post`.
    pub(crate) fn post(&self, lab: &Lab, project: &Project) -> Ended {
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

    /// Runs it without an account, a lab or anything else to connect to.
    pub(crate) fn run_alone(&self) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        let folder = self.folder.path();
        self.run_as(command.env_clear().envs(&self.variables).current_dir(folder).arg("action"))
    }

    fn run_as(&self, command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "",
            "nothing is written to standard error"
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
    pub(crate) fn annotations(&self, level: &str) -> Vec<&str> {
        let begin = format!("::{level} ");
        self.log.lines().filter(|line| line.starts_with(&begin)).collect()
    }

    pub(crate) fn exited(&self, code: i32) -> &Ended {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }
}

/// Reads a runner's file as the runner does (actions/runner, `FileCommandManager.cs`).
pub(crate) fn assignments(text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("no name: {line}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        read.insert(name.to_owned(), value.join("\n"));
    }
    read
}

/// Returns GitHub's answer to the job's token.
pub(crate) fn github(lab: &Lab, path: &str) -> Value {
    lab.boto(&format!(
        "import urllib.request\n\
         request = urllib.request.Request('{}/api/v3/repos/acme/news{path}', headers={{'Authorization': 'Bearer {TOKEN}'}})\n\
         result = json.load(urllib.request.urlopen(request))\n",
        lab.url()
    ))
}

/// Creates the deployment that GitHub creates for a job with an environment.
pub(crate) fn deployment_of_job(lab: &Lab, environment: &str, job: u32) {
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
