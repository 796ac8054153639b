//! A step: how the runner starts, reads, cancels and ends it, according to actions/runner,
//! `ProcessInvoker.cs`.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::files::{self, Files};
use super::process;

/// The signals that the runner sends to a canceled step's entry process, and how long it waits
/// after each.
const CANCEL: [(&str, Duration); 2] =
    [("INT", Duration::from_millis(7500)), ("TERM", Duration::from_millis(2500))];

/// How long the runner waits for pipes that others hold open after the entry process has ended.
const PIPES: Duration = Duration::from_secs(5);

/// A running step.
pub(crate) struct Step {
    child: Child,
    /// The entry process: the launcher.
    pub(super) pid: u32,
    lines: Receiver<String>,
    /// Closes the reading ends of the step's pipes at its next line.
    deaf: Arc<AtomicBool>,
    log: Vec<String>,
    /// How many lines of the log have been read.
    seen: usize,
    /// Whether all writing ends of its pipes are closed.
    closed: bool,
    exited: Option<(ExitStatus, Instant)>,
    /// Where its files are.
    folder: PathBuf,
}

impl Step {
    /// Starts a step whose files are in `folder`.
    pub(super) fn start(command: &mut Command, folder: PathBuf) -> Step {
        files::create(&folder, command);
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let deaf = Arc::new(AtomicBool::new(false));
        read(child.stdout.take().unwrap(), sender.clone(), deaf.clone());
        read(child.stderr.take().unwrap(), sender, deaf.clone());
        let pid = child.id();
        Step {
            child,
            pid,
            lines,
            deaf,
            log: Vec::new(),
            seen: 0,
            closed: false,
            exited: None,
            folder,
        }
    }

    /// Reads the log until a line is `wanted`, and returns it.
    pub(crate) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let line = self.reaches(wanted);
        line.unwrap_or_else(|| panic!("the step ended first:\n{}", self.text()))
    }

    /// The same; `None` if the step ends first.
    pub(crate) fn reaches(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let is_over = self.is_over();
            while let Some(line) = self.log.get(self.seen) {
                self.seen += 1;
                if wanted(line) {
                    return Some(line.clone());
                }
            }
            if is_over {
                return None;
            }
            assert!(Instant::now() < end, "the step hangs:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Cancels the step as the runner does, and returns how it ended.
    pub(crate) fn cancel(mut self) -> Ended {
        for (signal, time) in CANCEL {
            self.signal(signal);
            if self.is_over_within(time) {
                return self.end(false);
            }
        }
        self.kill()
    }

    /// Kills only the entry process: `NixKillProcessTree` is a `Process.Kill()`, so on Linux and
    /// macOS its children live until the job is complete, or end with their container.
    pub(crate) fn kill(mut self) -> Ended {
        self.signal("KILL");
        assert!(self.is_over_within(PATIENCE), "it outlives SIGKILL:\n{}", self.text());
        self.end(true)
    }

    /// Kills the step's process group, as when a container or a machine ends.
    pub(crate) fn kill_all(mut self) -> Ended {
        process::kill_group(self.child.id());
        assert!(self.is_over_within(PATIENCE), "it outlives SIGKILL:\n{}", self.text());
        self.end(true)
    }

    /// Sends a signal to the entry process.
    pub(crate) fn signal(&mut self, name: &str) {
        // An entry process that has been waited for no longer exists; its PID may be another
        // process's.
        if self.child.id() != self.pid || self.child.try_wait().unwrap().is_none() {
            process::send(name, self.pid);
        }
    }

    /// Stops the entry process, and continues it after a time, if one is given.
    pub(crate) fn stalls(&mut self, time: Option<Duration>) {
        self.signal("STOP");
        let pid = self.pid;
        if let Some(time) = time {
            thread::spawn(move || {
                thread::sleep(time);
                // Does nothing if it has been killed meanwhile.
                process::send("CONT", pid);
            });
        }
    }

    /// Reads to the end.
    pub(crate) fn ended(mut self) -> Ended {
        assert!(self.is_over_within(PATIENCE), "the step hangs:\n{}", self.text());
        self.end(false)
    }

    /// Whether the runner considers the step ended: the entry process has ended, and its pipes are
    /// closed or have had time to be.
    fn is_over(&mut self) -> bool {
        loop {
            match self.lines.try_recv() {
                Ok(line) => self.log.push(line),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    break;
                }
            }
        }
        if self.exited.is_none() {
            self.exited = self.child.try_wait().unwrap().map(|status| (status, Instant::now()));
        }
        self.exited.is_some_and(|(_, since)| self.closed || since.elapsed() >= PIPES)
    }

    fn is_over_within(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.is_over() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    fn end(mut self, killed: bool) -> Ended {
        self.deaf.store(true, Ordering::SeqCst);
        let code = self.exited.and_then(|(status, _)| status.code());
        Ended { code, killed, log: std::mem::take(&mut self.log), files: Files::read(&self.folder) }
    }

    fn text(&self) -> String {
        self.log.join("\n")
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        // A step that the test has read to its end leaves its children to the job, which finds them
        // by their mark.
        if self.exited.is_none() {
            process::kill_group(self.child.id());
            let _ = self.child.wait();
        }
    }
}

/// A step that has ended, as the runner sees it.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended the entry process.
    pub(crate) code: Option<i32>,
    /// Whether it was killed.
    pub(crate) killed: bool,
    log: Vec<String>,
    pub(crate) files: Files,
}

impl Ended {
    pub(crate) fn text(&self) -> String {
        self.log.join("\n")
    }

    /// Checks the exit code.
    pub(crate) fn exited(&self, code: i32) -> &Ended {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }

    /// Returns the annotations of a level.
    pub(crate) fn annotations(&self, level: &str) -> Vec<&str> {
        let begin = format!("::{level} ");
        self.log.iter().filter(|line| line.starts_with(&begin)).map(String::as_str).collect()
    }
}

/// Sends lines without colors to `sender`.
fn read(pipe: impl Read + Send + 'static, sender: Sender<String>, deaf: Arc<AtomicBool>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = sender.send(console::strip_ansi_codes(line.trim_end()).into_owned());
            if deaf.load(Ordering::SeqCst) {
                break;
            }
        }
    });
}
