//! Sets up what a workflow needs: a repository, a release of the action, a lab, and GitHub's deployments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::runner::{Act, Ended, end_all_of};
use super::shipped::{ACTION, Shipped};
use crate::support::lab::Lab;
use crate::support::venv;

const SPEED: u32 = 60;

/// The commit that the lab knows.
pub(crate) const COMMIT: &str = "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796";

/// The lab's tokens for GitHub's API (docs/lab.md).
pub(crate) const TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";
pub(crate) const READ_ONLY_TOKEN: &str = "ghs_labTokenThatMayOnlyRead0000000000000";

/// An account whose role trusts only jobs in the environment `production`.
pub(crate) const SCENARIO: &str = "
job: { environment: production }
deploy_trust: repo:acme/news:environment:production
";

/// The version of the pretended release.
const VERSION: &str = "0.1.0";

/// One run of a workflow, as GitHub numbers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The path of the workflow in the repository.
    pub(crate) workflow: &'static str,
    pub(crate) event: &'static str,
    pub(crate) id: u32,
    pub(crate) number: u32,
    pub(crate) attempt: u32,
    pub(crate) token: &'static str,
}

impl Run {
    pub(crate) fn of(workflow: &'static str, id: u32, number: u32) -> Run {
        Run { workflow, event: "push", id, number, attempt: 1, token: TOKEN }
    }

    pub(crate) fn dispatched(workflow: &'static str, id: u32, number: u32) -> Run {
        Run { event: "workflow_dispatch", ..Run::of(workflow, id, number) }
    }
}

/// A repository, a release of the action, and a folder for each run; dropping it ends every process it started.
pub(crate) struct Stage {
    root: TempDir,
    act: PathBuf,
    /// act's `--local-repository` arguments: action@ref=folder.
    actions: Vec<String>,
}

impl Stage {
    /// Returns an empty repository; `None` if a tool is missing.
    pub(crate) fn new() -> Option<Stage> {
        let act = venv::program("act")?;
        for tool in ["node", "make", "tar"] {
            if !is_there(tool) {
                return None;
            }
        }
        // On the binary's file system, so that a hard link can put it into the tool cache.
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for folder in ["repository", "home", "artifacts"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let stage = Stage { root, act, actions: Vec::new() };
        Some(stage.with_release())
    }

    /// Returns a repository with the site of `examples/news`, a Makefile and a short canary.
    pub(crate) fn news() -> Option<Stage> {
        let stage = Stage::new()?;
        copy(&manifest("examples/news"), &stage.path(""));
        stage.write("Makefile", MAKEFILE);
        stage.change(
            "files: [{ from: site, to: /srv/www }]",
            "files: [{ from: site, to: /srv/www }, { from: bin/serve, to: /bin/serve, mode: \"0755\" }]",
        );
        stage.change("account:", "role: arn:aws:iam::123456789012:role/deploy-news\naccount:");
        stage.change("steps: [10, 50, 100], bake: 2m", "steps: [50, 100], bake: 1m");
        Some(stage)
    }

    /// Copies the action as it is at a release: checksums.json lists the tested binary, and every run finds that
    /// binary in its tool cache. So the workflows need no `binary` input.
    fn with_release(mut self) -> Stage {
        // The link keeps the tested binary even if a build replaces it.
        fs::hard_link(env!("CARGO_BIN_EXE_cutover"), self.binary()).unwrap();
        let release = self.root.path().join("release");
        copy(&manifest("action"), &release.join("action"));
        Shipped::read("action.yml").save(&release.join("action.yml"));
        let sum = sha256(&self.binary());
        let assets = json!({ "archive": "0".repeat(64), "binary": sum });
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let list = json!({
            "default": VERSION,
            "url": "https://github.com/OWNER/cutover/releases/download",
            "versions": { VERSION: { target: assets } },
        });
        fs::write(release.join("action/checksums.json"), list.to_string()).unwrap();
        // act's schema rejects `$/`, which means the repository and commit of the file itself.
        Shipped::read(".github/workflows/deploy-service.yml")
            .without_queue("      ")
            .change("uses: $/action\n", &format!("uses: {}\n", ACTION.replace('@', "/action@")))
            .save(&release.join(".github/workflows/deploy-service.yml"));
        self.actions.push(format!("{ACTION}={}", release.display()));
        for path in [".github/workflows/deploy-service.yml", "workflows/deploy.yml"] {
            self.stand_in(&Shipped::read(path));
        }
        self
    }

    /// Maps the artifact actions, which need GitHub's artifact service, to stand-ins.
    fn stand_in(&mut self, workflow: &Shipped) {
        for name in ["upload-artifact", "download-artifact"] {
            let folder = manifest("tests/workflows").join(name);
            for pin in workflow.pins(name) {
                self.actions.push(format!("actions/{name}@{pin}={}", folder.display()));
            }
        }
    }

    /// Returns the path of the tested binary.
    pub(crate) fn binary(&self) -> PathBuf {
        self.outside("cutover")
    }

    /// Returns the path of a file in the repository.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("repository").join(name)
    }

    /// Returns a path outside the repository.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Copies a file of `workflows/` to `.github/workflows/`.
    pub(crate) fn add(&self, name: &str, change: impl FnOnce(Shipped) -> Shipped) {
        let shipped = change(Shipped::read(&format!("workflows/{name}")));
        shipped.save(&self.path(".github/workflows").join(name));
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Replaces a part of `cutover.yaml`.
    pub(crate) fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("cutover.yaml")).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
        self.write("cutover.yaml", &text.replacen(from, to, 1));
    }

    /// Changes the site, and so the image's digest.
    pub(crate) fn edition(&self, text: &str) {
        self.write("site/edition.txt", text);
    }

    /// Serves a lab for the repository acme/news.
    pub(crate) fn lab(&self, scenario: &str) -> Lab {
        let path = self.root.path().join("scenario.yaml");
        fs::write(&path, scenario).unwrap();
        Lab::serve_with(SPEED, &["--scenario", path.to_str().unwrap()])
    }

    /// Starts a run against a lab, with no credentials except the job's tokens.
    pub(crate) fn start(&self, lab: &Lab, run: Run, inputs: &Value) -> Act {
        let mut command = lab.command(&self.act);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        let mut environment = lab.github().to_vec();
        let api = format!("{}/api/v3", lab.url());
        for (name, value) in [
            ("AWS_ENDPOINT_URL", lab.url()),
            ("CUTOVER_LAB_SPEED", &SPEED.to_string()),
            ("GITHUB_API_URL", &api),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        self.act(&mut command, run, inputs, &environment)
    }

    /// Starts a run whose workflow starts a lab itself.
    pub(crate) fn start_alone(&self, run: Run) -> Act {
        let mut command = Command::new(&self.act);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["AWS_", "GITHUB_", "ACTIONS_", "CUTOVER_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(&*name);
            }
        }
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1");
        }
        self.act(&mut command, run, &json!({}), &[])
    }

    /// Runs a workflow to its end against a lab.
    pub(crate) fn run(&self, lab: &Lab, run: Run) -> Ended {
        self.start(lab, run, &json!({})).ended()
    }

    fn act(
        &self,
        command: &mut Command,
        run: Run,
        inputs: &Value,
        environment: &[(String, String)],
    ) -> Act {
        let root = self.root.path();
        let name = format!("{}.{}", run.id, run.attempt);
        // A cache of its own for each run, tool cache included.
        let cache = root.join("runs").join(&name);
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let tool = cache.join("tool_cache/cutover").join(VERSION).join(target);
        fs::create_dir_all(&tool).unwrap();
        fs::hard_link(self.binary(), tool.join("cutover")).unwrap();
        let event = json!({
            "ref": "refs/heads/main", "after": COMMIT, "inputs": inputs,
            "repository": { "full_name": "acme/news", "default_branch": "main" },
        });
        let event_path = root.join("runs").join(format!("{name}.json"));
        fs::write(&event_path, event.to_string()).unwrap();

        let reference = format!("acme/news/{}@refs/heads/main", run.workflow);
        let (id, number) = (run.id.to_string(), run.number.to_string());
        let attempt = run.attempt.to_string();
        let artifacts = root.join("artifacts");
        let mut variables = environment.to_vec();
        for (name, value) in [
            ("GITHUB_REPOSITORY", "acme/news"),
            ("GITHUB_RUN_ID", &id),
            ("GITHUB_RUN_NUMBER", &number),
            ("GITHUB_RUN_ATTEMPT", &attempt),
            ("GITHUB_WORKFLOW_REF", &reference),
            // act reads GITHUB_SHA from this variable.
            ("SHA_REF", COMMIT),
            ("ARTIFACTS", artifacts.to_str().unwrap()),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }

        command
            .args([run.event, "--json", "--platform", "ubuntu-24.04=-self-hosted"])
            // No network: no images, no actions, no services.
            .args(["--action-offline-mode", "--pull=false", "--no-cache-server"])
            .args(["--workflows", run.workflow, "--eventpath", event_path.to_str().unwrap()])
            .args(["--action-cache-path", cache.to_str().unwrap()])
            .args(["--secret", &format!("GITHUB_TOKEN={}", run.token)])
            .current_dir(self.path(""))
            // No configuration of this user, act's included.
            .env("HOME", root.join("home"))
            .env_remove("XDG_CONFIG_HOME");
        for action in &self.actions {
            command.args(["--local-repository", action]);
        }
        for (name, value) in variables {
            command.args(["--env", &format!("{name}={value}")]);
        }
        Act::start(command)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        end_all_of(self.root.path());
    }
}

/// Does what GitHub does when a job with an environment starts: creates a deployment, with a status that links to the
/// job. Returns its id.
pub(crate) fn job_begins(lab: &Lab, run: Run) -> u64 {
    let script = format!(
        "{API}
deployment = api('/deployments', {{'ref': 'main', 'environment': 'production', 'auto_merge': False, 'required_contexts': []}})
api(f\"/deployments/{{deployment['id']}}/statuses\", {{'state': 'in_progress',
    'log_url': 'https://github.com/acme/news/actions/runs/{}/job/{}'}})
result = deployment['id']",
        run.id,
        5000 + run.attempt,
    );
    lab.boto(&script).as_u64().unwrap()
}

/// Returns all deployments, oldest first: `id`, `payload`, `environment`, and `statuses` as [state, description,
/// environment URL].
pub(crate) fn deployments(lab: &Lab) -> Value {
    let script = format!(
        "{API}
result = [dict(id=d['id'], payload=d['payload'], environment=d['environment'], statuses=[
    [s['state'], s['description'], s['environment_url']] for s in reversed(api(f\"/deployments/{{d['id']}}/statuses?per_page=100\"))])
    for d in reversed(api('/deployments'))]"
    );
    lab.boto(&script)
}

/// Returns the comments on the open pull request, oldest first.
pub(crate) fn comments(lab: &Lab) -> Value {
    lab.boto(&format!("{API}\nresult = [comment['body'] for comment in api('/issues/7/comments')]"))
}

const API: &str = "
import os, urllib.request
def api(path, body=None):
    url = os.environ['AWS_ENDPOINT_URL'] + '/api/v3/repos/acme/news' + path
    request = urllib.request.Request(url, data=json.dumps(body).encode() if body else None, headers={
        'Authorization': 'Bearer ghs_labTokenOfThePresentJob0000000000000', 'User-Agent': 'tests'})
    return json.load(urllib.request.urlopen(request))
";

const MAKEFILE: &str = "
bin/serve:
\tmkdir -p bin
\tprintf '#!/bin/sh\\n' >$@

.PHONY: test
test: bin/serve
\ttest -s bin/serve
";

fn manifest(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Returns whether a program can be started; if not, skips or fails as [`venv::program`] does.
fn is_there(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    if version.is_ok() {
        return true;
    }
    let reason = format!("there is no {program}, which the workflows need");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
    #[allow(clippy::print_stdout)] // says why the test was skipped
    {
        println!("skipped: {reason}");
    }
    false
}

/// Computes the checksum with coreutils, not with our code.
pub(crate) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

/// Copies a folder recursively.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
