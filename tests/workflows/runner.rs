//! Runs a workflow with `act` in host mode and reads its JSON log.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The timeout of one workflow, far above what it needs: only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running workflow; dropping it kills act.
pub(crate) struct Act {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    log: Vec<Value>,
    end: Instant,
}

impl Act {
    /// Starts `command`, an act that logs as JSON.
    pub(crate) fn start(command: &mut Command) -> Act {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Act { child, lines, stderr: Some(stderr), log: Vec::new(), end: Instant::now() + PATIENCE }
    }

    /// Reads the log until a message contains `text`.
    pub(crate) fn until(&mut self, text: &str) {
        loop {
            assert!(self.next(), "it ended before `{text}`:\n{}", printed(&self.log));
            let entry = self.log.last().unwrap();
            if entry["msg"].as_str().unwrap_or_default().contains(text) {
                return;
            }
        }
    }

    /// Sends SIGINT to act, which then kills the step's entry process (SIGKILL) and runs its `post`. GitHub's
    /// runner sends SIGINT to the entry process instead; tests/action_cancel.rs covers that.
    pub(crate) fn cancel(&self) {
        signal("INT", &self.child.id().to_string());
    }

    /// Reads the log to its end.
    pub(crate) fn ended(mut self) -> Ended {
        while self.next() {}
        let succeeded = self.child.wait().unwrap().success();
        let stderr = self.stderr.take().map(|reader| reader.join().unwrap()).unwrap_or_default();
        let ended = Ended { succeeded, log: std::mem::take(&mut self.log), stderr };
        // act would try to fetch an unmatched action from GitHub.
        assert!(!ended.text().contains("LocalRepositoryCache not matched"), "{}", ended.text());
        ended
    }

    fn next(&mut self) -> bool {
        let left = self.end.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.log
                    .push(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}")));
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs:\n{}", printed(&self.log)),
        }
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
    }
}

/// A finished workflow.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    log: Vec<Value>,
    stderr: String,
}

impl Ended {
    /// Returns the log as text for failure messages.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", printed(&self.log), self.stderr)
    }

    /// Returns the log of the jobs whose names contain `part`.
    pub(crate) fn of_job(&self, part: &str) -> Ended {
        let of_job = self.log.iter().filter(|entry| text(entry, "job").contains(part));
        Ended { succeeded: self.succeeded, log: of_job.cloned().collect(), stderr: String::new() }
    }

    /// Returns what a step printed, without workflow commands. `step` is its name, or its `uses` if it has none.
    pub(crate) fn printed(&self, step: &str) -> String {
        let printed = self.of(step).filter(|entry| entry["raw_output"] == true);
        printed.filter_map(|entry| entry["msg"].as_str()).collect()
    }

    /// Returns the outputs that a step set.
    pub(crate) fn outputs(&self, step: &str) -> BTreeMap<String, String> {
        let set = self.commands(step, "set-output");
        set.map(|entry| (text(entry, "name"), text(entry, "arg"))).collect()
    }

    /// Returns the outputs as the step added by `Shipped::with_outputs_shown` printed them.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let printed = self.printed("Show the outputs");
        let json = printed.trim().strip_prefix("outputs=");
        serde_json::from_str(json.unwrap_or_else(|| panic!("{}", self.text()))).unwrap()
    }

    /// Returns the annotations of one level that a step made, as (title, message).
    pub(crate) fn annotations(&self, step: &str, level: &str) -> Vec<(String, String)> {
        let all = self.commands(step, level);
        all.map(|entry| (text(&entry["kvPairs"], "title"), text(entry, "arg"))).collect()
    }

    /// Returns the only annotation of one level that a step made.
    pub(crate) fn annotation(&self, step: &str, level: &str) -> (String, String) {
        let mut all = self.annotations(step, level);
        assert_eq!(all.len(), 1, "of level {level}: {all:?}\n{}", self.text());
        all.remove(0)
    }

    /// Returns the job summary that a step wrote.
    pub(crate) fn summary(&self, step: &str) -> String {
        self.commands(step, "summary").map(|entry| text(entry, "content")).collect()
    }

    /// Returns the exit code of a failed step.
    pub(crate) fn exit_code(&self, step: &str) -> Option<i32> {
        let codes =
            self.of(step).filter_map(|entry| entry["msg"].as_str()?.strip_prefix("exit status "));
        codes.last().map(|code| code.trim().parse().unwrap())
    }

    fn commands(&self, step: &str, name: &str) -> impl Iterator<Item = &Value> {
        self.of(step).filter(move |entry| entry["command"] == name)
    }

    fn of(&self, step: &str) -> impl Iterator<Item = &Value> {
        let of = self.log.iter().filter(move |entry| entry["step"] == step);
        // Steps of the same name in several jobs would be mixed up.
        let jobs: std::collections::BTreeSet<_> =
            of.clone().map(|entry| text(entry, "job")).collect();
        assert!(jobs.len() <= 1, "`{step}` is in several jobs: {jobs:?}");
        of
    }
}

fn text(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or_default().to_owned()
}

fn printed(log: &[Value]) -> String {
    let lines = log.iter().map(|entry| {
        let line = entry["raw"].as_str().or(entry["msg"].as_str()).unwrap_or_default();
        format!("[{}] {}\n", text(entry, "job"), line.trim_end())
    });
    lines.collect()
}

fn signal(name: &str, target: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), "--", target]).status();
}

/// Kills every process that has `folder` in its environment. act starts each step in its own session, so killing
/// act's process group does not reach them.
pub(crate) fn end_all_of(folder: &Path) {
    let folder = folder.to_str().unwrap();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        let is_ours = String::from_utf8_lossy(&environment).contains(folder);
        if is_ours && name != std::process::id().to_string() {
            signal("KILL", &name);
        }
    }
}
