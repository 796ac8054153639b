//! Processes, by their PIDs.

use std::fs;
use std::process::{Command, Stdio};

/// Returns the processes that have a mark in their environment. A zombie has none.
pub(super) fn marked(tracking: &str) -> Vec<u32> {
    let mark = format!("RUNNER_TRACKING_ID={tracking}");
    let is_marked = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(is_marked).collect()
}

/// Sends a signal; does nothing if the process has ended.
pub(super) fn send(signal: &str, pid: u32) {
    let arguments = [format!("-{signal}"), pid.to_string()];
    let _ = Command::new("kill").args(arguments).stderr(Stdio::null()).status();
}

/// Kills a process group.
pub(super) fn kill_group(leader: u32) {
    let group = format!("-{leader}");
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
}
