//! A job of GitHub Actions with one step of the action: starts its launcher as the runner does, cancels it as the
//! runner does, and runs its post step.

#![allow(dead_code)] // each test binary uses only a part

mod files;
mod process;
mod step;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::lab::Lab;
use super::project::Project;
use super::venv;
use files::Files;
pub(crate) use step::{Ended, Step};

/// The commit of the lab's repository.
pub(crate) const COMMIT: &str = "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796";

/// Far more than a rollout takes at these tests' speeds: only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(180);

/// Whether node and Python are installed. Without them a test is skipped with the reason printed,
/// except in CI, where it fails.
pub(crate) fn has_tools() -> bool {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    let has_node = node.is_ok_and(|status| status.success());
    if !has_node {
        let reason = "node is missing: the action's launcher needs it";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
        #[allow(clippy::print_stdout)] // a test that says why it did nothing
        {
            println!("skipped: {reason}");
        }
    }
    has_node && venv::program("python").is_some()
}

/// A job whose only step is `uses: ./action`. Dropping it ends every process that it started.
pub(crate) struct Job<'t> {
    lab: &'t Lab,
    project: &'t Project,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    /// Marks every process of the job: `RUNNER_TRACKING_ID`.
    tracking: String,
}

impl<'t> Job<'t> {
    /// Returns an attempt of a workflow run. Inputs have the defaults of `action.yml`; the GitHub
    /// token is left out.
    pub(crate) fn new(lab: &'t Lab, project: &'t Project, run: u32, attempt: u32) -> Job<'t> {
        static JOBS: AtomicUsize = AtomicUsize::new(0);
        let number = JOBS.fetch_add(1, Ordering::Relaxed);
        let tracking = format!("github_test_{}_{number}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        for step in [MAIN, POST] {
            fs::create_dir(folder.path().join(step)).unwrap();
        }
        let mut job = Job { lab, project, folder, variables: BTreeMap::new(), tracking };
        for (name, value) in [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_REPOSITORY", "acme/news".to_owned()),
            ("GITHUB_SHA", COMMIT.to_owned()),
            ("GITHUB_REF", "refs/heads/main".to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_RUN_NUMBER", run.to_string()),
            ("GITHUB_RUN_ATTEMPT", attempt.to_string()),
            (
                "GITHUB_WORKFLOW_REF",
                "acme/news/.github/workflows/deploy.yml@refs/heads/main".to_owned(),
            ),
            ("GITHUB_WORKSPACE", text(project.path())),
            ("RUNNER_TEMP", text(job.folder.path())),
            ("RUNNER_TOOL_CACHE", text(job.folder.path())),
            ("RUNNER_TRACKING_ID", job.tracking.clone()),
        ] {
            job.variables.insert(name.to_owned(), value);
        }
        let metadata: Value =
            serde_saphyr::from_str(include_str!("../../action/action.yml")).unwrap();
        for (name, input) in metadata["inputs"].as_object().unwrap() {
            let value = input["default"].as_str().filter(|value| !value.contains("${{"));
            job = job.input(name, value.unwrap_or_default());
        }
        job.input("binary", env!("CARGO_BIN_EXE_cutover"))
    }

    /// Sets an input.
    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        let name = format!("INPUT_{}", name.replace(' ', "_").to_uppercase());
        self.variables.insert(name, value.to_owned());
        self
    }

    /// Sets variables of the job.
    pub(crate) fn environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Starts the main step.
    pub(crate) fn start(&self) -> Step {
        let mut command = self.command(Path::new("node"));
        Step::start(command.arg(script("main.mjs")), self.folder_of(MAIN))
    }

    /// Starts the main step as act does: the entry process leads a session of its own on a
    /// terminal.
    pub(crate) fn start_on_a_terminal(&self) -> Step {
        let mut command = self.command(&venv::program("python").unwrap());
        command.args(["-c", TERMINAL, "node"]).arg(script("main.mjs"));
        let mut step = Step::start(&mut command, self.folder_of(MAIN));
        let first = step.until(|line| line.starts_with("entry process "));
        step.pid = first["entry process ".len()..].parse().unwrap();
        step
    }

    /// Starts the post step with the state that the main step has saved so far.
    pub(crate) fn start_post(&self) -> Step {
        let mut command = self.command(Path::new("node"));
        for (name, value) in self.main().state {
            command.env(format!("STATE_{name}"), value);
        }
        Step::start(command.arg(script("post.mjs")), self.folder_of(POST))
    }

    /// Runs the main step to its end.
    pub(crate) fn run(&self) -> Ended {
        self.start().ended()
    }

    /// Runs the post step to its end.
    pub(crate) fn post(&self) -> Ended {
        self.start_post().ended()
    }

    /// Returns what the main step has written so far.
    pub(crate) fn main(&self) -> Files {
        Files::read(&self.folder_of(MAIN))
    }

    /// Kills the processes that the job's steps have left, as the runner does when a job is
    /// complete (`JobExtension.cs`, "Cleaning up orphan processes"), and returns how many there
    /// were.
    pub(crate) fn clean_up(&self) -> usize {
        let orphans = process::marked(&self.tracking);
        orphans.iter().for_each(|pid| process::send("KILL", *pid));
        // A killed process exists for a moment; processes that it started just before are found in
        // the next iteration.
        let end = Instant::now() + PATIENCE;
        while !process::marked(&self.tracking).is_empty() {
            assert!(Instant::now() < end, "processes outlive SIGKILL");
            process::marked(&self.tracking).iter().for_each(|pid| process::send("KILL", *pid));
            thread::sleep(Duration::from_millis(10));
        }
        orphans.len()
    }

    /// Waits until every process of the job has ended by itself.
    pub(crate) fn is_left_alone(&self) {
        let end = Instant::now() + PATIENCE;
        while !process::marked(&self.tracking).is_empty() {
            assert!(Instant::now() < end, "{:?} do not end", process::marked(&self.tracking));
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = self.lab.command(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["INPUT_", "STATE_", "RUNNER_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        command.envs(&self.variables).current_dir(self.project.path());
        command
    }

    fn folder_of(&self, step: &str) -> PathBuf {
        self.folder.path().join(step)
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        // No assertion here: it would hide the failure that the test is about.
        process::marked(&self.tracking).iter().for_each(|pid| process::send("KILL", *pid));
    }
}

const MAIN: &str = "main";
const POST: &str = "post";

/// Runs its arguments as the leader of a session on a terminal of its own, copies its output, and
/// exits with the same code.
const TERMINAL: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
os.write(1, b'entry process %d\\n' % pid)
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    os.write(1, piece)
_, status = os.waitpid(pid, 0)
os._exit(os.waitstatus_to_exitcode(status) % 256)
";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("action").join(name)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
