//! A folder with a `cutover.yaml` and what it deploys, and `cutover` run in it.

#![allow(dead_code)] // each test binary uses only a part

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::lab::Lab;

/// Far more than a whole rollout takes at these tests' speeds: only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A project folder: a copy of `examples/news`, or empty.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// Returns an empty folder.
    pub(crate) fn empty() -> Project {
        Project { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn news() -> Project {
        let project = Project::empty();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/news"), project.path());
        project
    }

    /// Returns the example with a shorter canary: half of the traffic for a minute, then all.
    pub(crate) fn quick() -> Project {
        let project = Project::news();
        project.change("steps: [10, 50, 100], bake: 2m", "steps: [50, 100], bake: 1m");
        project
    }

    /// Returns the example with the demo's configuration of one group.
    pub(crate) fn rolling() -> Project {
        let project = Project::news();
        let yaml = include_str!("../../src/rehearse/rolling.yaml");
        fs::write(project.folder.path().join("cutover.yaml"), yaml).unwrap();
        project
    }

    /// Returns its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file next to `cutover.yaml`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Replaces a part of `cutover.yaml`.
    pub(crate) fn change(&self, from: &str, to: &str) {
        let path = self.folder.path().join("cutover.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Changes the site, and so the image's digest.
    pub(crate) fn edition(&self, text: &str) {
        fs::write(self.folder.path().join("site/edition.txt"), text).unwrap();
    }

    /// Writes a file of this many incompressible bytes into the site.
    pub(crate) fn add_incompressible_file(&self, length: usize) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let bytes = (0..length).map(|_| {
            // xorshift64 (Marsaglia)
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        });
        fs::write(self.folder.path().join("site/ballast.bin"), bytes.collect::<Vec<u8>>()).unwrap();
    }

    /// Starts a command. Its standard output must be JSON lines.
    pub(crate) fn start(&self, lab: &Lab, arguments: &[&str]) -> Run {
        self.start_with(lab, arguments, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn start_with(
        &self,
        lab: &Lab,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Run {
        let mut child = lab
            .command(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments)
            .args(["--format", "json"])
            .envs(environment.iter().cloned())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        let deaf = Arc::new(AtomicBool::new(false));
        let closed = deaf.clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
                if closed.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Run { child, lines, deaf, stderr: Some(stderr), events: Vec::new() }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, lab: &Lab, arguments: &[&str]) -> Ended {
        self.start(lab, arguments).ended()
    }
}

/// A running command; dropping it kills it.
pub(crate) struct Run {
    child: Child,
    lines: Receiver<String>,
    deaf: Arc<AtomicBool>,
    stderr: Option<JoinHandle<String>>,
    events: Vec<Value>,
}

impl Run {
    /// Reads events until one is `wanted`.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        assert!(self.reaches(wanted), "it ended first: {}", self.printed());
    }

    /// The same; returns false if it ended first.
    pub(crate) fn reaches(&mut self, wanted: impl Fn(&Value) -> bool) -> bool {
        let end = Instant::now() + PATIENCE;
        while let Some(event) = self.next(end) {
            if wanted(&event) {
                return true;
            }
        }
        false
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal: `INT`, `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let signal = format!("-{name}");
        assert!(Command::new("kill").args([&signal, &pid]).status().unwrap().success());
    }

    /// Sends signals, each followed by a time to wait for the end; then reads to the end.
    pub(crate) fn canceled(mut self, signals: &[(&str, Duration)]) -> Ended {
        for (signal, time) in signals {
            self.signal(signal);
            let end = Instant::now() + *time;
            while Instant::now() < end && self.child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_millis(10));
            }
            if self.child.try_wait().unwrap().is_some() {
                break;
            }
        }
        self.ended()
    }

    /// Closes its standard output, as when a reader goes away, and waits for its exit code.
    pub(crate) fn exit_code_without_stdout(mut self) -> i32 {
        self.deaf.store(true, Ordering::SeqCst);
        let end = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it hangs: {}", self.printed());
            thread::sleep(Duration::from_millis(10));
        }
        self.child.wait().unwrap().code().unwrap()
    }

    /// Reads to the end.
    pub(crate) fn ended(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        while self.next(end).is_some() {}
        // `None` if a signal ended it.
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let stderr = self.stderr.take().map(|reader| reader.join().unwrap()).unwrap_or_default();
        Ended { code, events: std::mem::take(&mut self.events), stderr }
    }

    fn next(&mut self, end: Instant) -> Option<Value> {
        match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let event: Value =
                    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
                self.events.push(event.clone());
                Some(event)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs: {}", self.printed()),
        }
    }

    fn printed(&self) -> String {
        printed(&self.events)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) events: Vec<Value>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Returns the last event, or the one value that was printed.
    pub(crate) fn last(&self) -> &Value {
        self.events.last().unwrap_or_else(|| panic!("it printed nothing: {self:?}"))
    }

    /// The same; asserts the exit code.
    pub(crate) fn exited(&self, code: i32) -> &Value {
        assert_eq!(self.code, code, "{}\n{}", printed(&self.events), self.stderr);
        self.last()
    }

    /// Returns all events as text.
    pub(crate) fn text(&self) -> String {
        printed(&self.events)
    }
}

fn printed(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
