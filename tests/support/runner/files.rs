//! The files through which a step passes values to the runner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a step has written.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) state: BTreeMap<String, String>,
    pub(crate) summary: String,
}

const FILES: [(&str, &str); 3] =
    [("GITHUB_OUTPUT", "output"), ("GITHUB_STATE", "state"), ("GITHUB_STEP_SUMMARY", "summary")];

/// Creates a step's files, empty, and sets the variables that name them.
pub(super) fn create(folder: &Path, command: &mut Command) {
    for (variable, name) in FILES {
        let path: PathBuf = folder.join(name);
        fs::write(&path, "").unwrap();
        command.env(variable, path);
    }
}

impl Files {
    /// Reads what is in a step's folder so far.
    pub(super) fn read(folder: &Path) -> Files {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let (outputs, state) = (assignments(&read("output")), assignments(&read("state")));
        Files { outputs, state, summary: read("summary") }
    }

    /// Returns an output, empty if it is not set.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Returns what the main step has saved for the post step, empty if it has not.
    pub(crate) fn saved(&self, name: &str) -> &str {
        self.state.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Reads a file of assignments (actions/runner, `FileCommandManager.cs`).
fn assignments(text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let equals = line.find('=');
        let heredoc = line.find("<<").filter(|at| equals.is_none_or(|equals| *at < equals));
        let (name, value) = match (heredoc, equals) {
            (Some(at), _) => {
                let delimiter = &line[at + 2..];
                let mut value = Vec::new();
                loop {
                    let line = lines.next();
                    let line = line.unwrap_or_else(|| panic!("`{delimiter}` is missing in {text}"));
                    if line == delimiter {
                        break;
                    }
                    value.push(line);
                }
                (&line[..at], value.join("\n"))
            }
            (None, Some(at)) => (&line[..at], line[at + 1..].to_owned()),
            (None, None) => panic!("no assignment: `{line}` in {text}"),
        };
        assert!(!name.is_empty(), "no name: `{line}` in {text}");
        read.insert(name.to_owned(), value);
    }
    read
}
