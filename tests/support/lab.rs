//! `cutover lab serve` as its users start it: a process, and the lines that it prints.

#![allow(dead_code)] // each test binary uses a part

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::venv;

/// A served lab; it ends with this value.
pub(crate) struct Lab {
    server: Child,
    /// Left open: the lab may print more.
    _stdout: BufReader<ChildStdout>,
    /// What the lab tells tools to have in their environment.
    environment: Vec<(String, String)>,
    /// The same for what stands in for GitHub's token endpoint.
    github: Vec<(String, String)>,
}

impl Lab {
    /// Serves on a free port, `speed` of its seconds in one of ours.
    pub(crate) fn serve(speed: u32) -> Lab {
        Lab::serve_with(speed, &[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(speed: u32, arguments: &[&str]) -> Lab {
        let mut server = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["lab", "serve", "--port", "0", "--seed", "1", "--speed", &speed.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        let (mut environment, mut github) = (Vec::new(), Vec::new());
        while !github.iter().any(|(name, _)| name == "ACTIONS_ID_TOKEN_REQUEST_TOKEN") {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the lab ended: {environment:?}");
            match line.strip_prefix("export ").and_then(assignment) {
                Some(pair) if pair.0.starts_with("ACTIONS_") => github.push(pair),
                Some(pair) => environment.push(pair),
                None => {}
            }
        }
        Lab { server, _stdout: stdout, environment, github }
    }

    /// A program that sees this lab and, of AWS or GitHub, nothing else: neither this machine's
    /// configuration nor the workflow that these tests may run in.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["AWS_", "GITHUB_", "ACTIONS_", "CUTOVER_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(&*name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            command.env(name, "/dev/null");
        }
        // Here the machine's own proxy would only stand in the way.
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1");
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Where it serves.
    pub(crate) fn url(&self) -> &str {
        let url = self.environment.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
        &url.unwrap().1
    }

    /// What stands in for GitHub's token endpoint, as environment.
    pub(crate) fn github(&self) -> &[(String, String)] {
        &self.github
    }

    /// Runs a Python script that has `client(service)` for boto3 clients of this lab, and gives what
    /// it leaves in `result`. Call [`venv::program`] first to know that there is a Python.
    pub(crate) fn boto(&self, script: &str) -> Value {
        let prelude =
            "import base64, boto3, datetime, json, time\nclient = boto3.client\nresult = None\n";
        let python = self.command(venv::program("python").unwrap());
        venv::answer(python, prelude, script)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// `NAME=value` or `NAME='value'`.
fn assignment(text: &str) -> Option<(String, String)> {
    let (name, value) = text.trim().split_once('=')?;
    Some((name.to_owned(), value.trim_matches('\'').to_owned()))
}
