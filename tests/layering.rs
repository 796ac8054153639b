//! The arrows of ARCHITECTURE.md: which folder of `src/` may import which, what the pure folders
//! may use, and how long a file may be.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod paths;
}

use std::fs;
use std::path::{Path, PathBuf};

use support::paths::{Mention, mentions};

/// What each folder of `src/` may import from the others. Each may import itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("judge", &["model"]),
    ("template", &["model"]),
    ("rollout", &["model", "judge"]),
    ("config", &["model", "judge", "rollout", "image"]),
    ("iam", &[]),
    ("net", &["model"]),
    ("registry", &["model", "net"]),
    ("image", &["model", "registry"]),
    ("docker", &["model", "net"]),
    ("cloud", &["model", "net"]),
    ("github", &["model", "net"]),
    ("publish", &["model", "net", "cloud", "registry", "image", "docker"]),
    ("preflight", &["model", "config", "cloud", "rollout", "template"]),
    ("discovery", &["model", "iam", "cloud", "template", "preflight", "access"]),
    ("scaffold", &["model", "iam", "cloud", "discovery"]),
    ("access", &["model", "config", "cloud", "iam", "preflight", "rollout"]),
    ("report", &["model"]),
    (
        "engine",
        &[
            "model",
            "judge",
            "template",
            "rollout",
            "config",
            "net",
            "registry",
            "image",
            "cloud",
            "publish",
            "preflight",
        ],
    ),
    (
        "adopt",
        &[
            "model",
            "template",
            "config",
            "net",
            "registry",
            "cloud",
            "publish",
            "discovery",
            "engine",
        ],
    ),
    (
        "rehearse",
        &[
            "model",
            "judge",
            "template",
            "rollout",
            "config",
            "net",
            "registry",
            "image",
            "cloud",
            "publish",
            "preflight",
            "report",
            "engine",
            "iam",
            "access",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "judge",
            "template",
            "rollout",
            "config",
            "net",
            "docker",
            "registry",
            "image",
            "cloud",
            "publish",
            "preflight",
            "report",
            "engine",
            "github",
            "iam",
            "access",
            "discovery",
            "scaffold",
            "adopt",
            "rehearse",
        ],
    ),
    ("main.rs", &["cli"]),
    ("lib.rs", &[]),
];

/// Something that only some folders may use.
struct Restricted {
    /// A crate (its prefix, if it ends in `*`), or a path.
    path: &'static str,
    /// The folders that may use it.
    by: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

const RESTRICTED: &[Restricted] = &[
    Restricted {
        path: "cutover_lab",
        by: &["rehearse", "cli"],
        instead: "the deployer does not use the lab: move this to src/rehearse",
    },
    Restricted {
        path: "aws_smithy_*",
        by: &["cloud", "net"],
        instead: "use types of src/model; src/cloud converts them",
    },
    Restricted {
        path: "aws_*",
        by: &["cloud"],
        instead: "use types of src/model; src/cloud converts them",
    },
    Restricted {
        path: "octocrab",
        by: &["github"],
        instead: "use src/github, which calls GitHub's API over net::Transport",
    },
    Restricted {
        path: "reqwest",
        by: &["net"],
        instead: "send requests through net::Transport, the only HTTP client",
    },
    Restricted {
        path: "std::time::Instant",
        by: &["net"],
        instead: "use tokio::time::Instant, which tests can pause; net::Stopwatch measures",
    },
    Restricted {
        path: "tokio::time::Instant",
        by: &["net", "engine"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "Instant::now",
        by: &["net", "engine"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "SystemTime::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
    // The command line is where the machine's time enters.
    Restricted {
        path: "Timestamp::now",
        by: &["net", "cli"],
        instead: "take the time as an argument, or net::Clock",
    },
    Restricted {
        path: "Zoned::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
];

/// These folders only compute: no clock, no input or output, no randomness.
const PURE: &[&str] = &["model", "judge", "template", "rollout", "iam"];

/// What makes a computation depend on more than its arguments.
const IMPURE: &[&str] = &[
    "tokio",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "rand",
    "fastrand",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

/// What makes two runs of one seed differ. The lab's transports may use Tokio's time.
const NONDETERMINISTIC: &[&str] = &[
    "cutover",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "Timestamp::now",
    "rand",
    "fastrand",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

/// The longest file, in lines: a longer one holds more than one concept.
const LONGEST: usize = 450;

/// The greatest median length of a file, in lines.
const MEDIAN: usize = 170;

#[test]
fn imports_go_down_only() {
    let broken: Vec<String> = sources("src")
        .iter()
        .filter(|file| !is_test(file))
        .flat_map(|file| violations(file, &fs::read_to_string(root().join(file)).unwrap()))
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_folder_is_in_the_table() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            MAY_IMPORT.iter().any(|(folder, _)| *folder == name),
            "src/{name} is new: list what it may import in MAY_KNOW of tests/layering.rs and in ARCHITECTURE.md"
        );
    }
}

#[test]
fn the_lab_is_independent_and_deterministic() {
    let manifest = fs::read_to_string(root().join("lab/Cargo.toml")).unwrap();
    let depends = manifest
        .lines()
        .find(|line| line.split(['=', '.']).next().is_some_and(|name| name.trim() == "cutover"));
    assert_eq!(
        depends, None,
        "lab/Cargo.toml depends on cutover: the lab and the deployer must implement AWS independently"
    );

    let mut broken = Vec::new();
    for file in sources("lab/src").iter().filter(|file| !is_test(file)) {
        for mention in mentions(&fs::read_to_string(root().join(file)).unwrap()) {
            if NONDETERMINISTIC.iter().any(|path| mention.within(path)) {
                broken.push(format!(
                    "{}: `{}`: the same seed must give the same history; use World's clock and generator, and BTreeMap",
                    at(file, &mention),
                    mention.path
                ));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let mut lengths = Vec::new();
    for folder in ["src", "lab/src", "lab/tests", "tests"] {
        for file in sources(folder) {
            let lines = fs::read_to_string(root().join(&file)).unwrap().lines().count();
            assert!(
                lines <= LONGEST,
                "{} has {lines} lines, more than {LONGEST}: split it",
                file.display()
            );
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN, "the median file has {median} lines, more than {MEDIAN}");
}

#[test]
fn forbidden_imports_are_found() {
    let bad = r##"
//! crate::cli in a comment is nothing.
use crate::{model::Digest, cloud::{Cloud, Change}};
use std::{fmt, time::{Duration, Instant}};

/// Nor is [`crate::engine`].
fn run() {
    let name = "crate::report";
    dbg!(crate::net::Clock::real(), tokio::time::sleep(Duration::ZERO));
    let _: super::super::engine::Plan = aws_sdk_ec2::Client::new();
    Instant::now();
}

#[cfg(test)]
mod tests {
    use crate::rehearse::demo;
}
"##;
    let found = violations(Path::new("src/rollout/turn.rs"), bad);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|text| {
            let (place, rest) = text.split_once(": `").unwrap();
            (place, rest.split_once('`').unwrap().0)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("src/rollout/turn.rs:3", "crate::aws::Cloud"),
            ("src/rollout/turn.rs:3", "crate::aws::Change"),
            ("src/rollout/turn.rs:4", "std::time::Instant"),
            ("src/rollout/turn.rs:4", "std::time::Instant"),
            ("src/rollout/turn.rs:9", "crate::net::Clock::real"),
            ("src/rollout/turn.rs:9", "tokio::time::sleep"),
            ("src/rollout/turn.rs:10", "super::super::engine::Plan"),
            ("src/rollout/turn.rs:10", "aws_sdk_ec2::Client::new"),
            ("src/rollout/turn.rs:11", "Instant::now"),
        ]
    );
    assert!(violations(Path::new("src/engine/run.rs"), "use tokio::time::Instant;").is_empty());
    assert_eq!(violations(Path::new("src/cli/lab.rs"), "use cutover_lab::world::World;").len(), 0);
    assert_eq!(
        violations(Path::new("src/engine/run.rs"), "use cutover_lab::world::World;").len(),
        1
    );
}

/// Returns one message for each mention in `source`, the text of `file`, that breaks a rule.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let folder = folder(file);
    let allowed =
        MAY_IMPORT.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, may)| may);
    let mut broken = Vec::new();
    for mention in mentions(source) {
        let mut against = |what: &str| {
            broken.push(format!("{}: `{}`: {what}", at(file, &mention), mention.path));
        };
        if let Some(other) = imported(&mention)
            && other != folder
            && !allowed.contains(&other)
            && MAY_IMPORT.iter().any(|(name, _)| *name == other)
        {
            against(&format!(
                "src/{folder} may import only {allowed:?}; move the type down to where both may import it, or the \
                 function up"
            ));
        }
        if mention.path.split("::").take_while(|part| *part == "super").count() >= depth(file) {
            against(
                "reaches another folder by `super`; write `crate::`, so that the dependency is visible",
            );
        }
        if let Some(kept) = RESTRICTED.iter().find(|kept| kept.is(&mention))
            && !kept.by.contains(&folder)
        {
            against(kept.instead);
        }
        if PURE.contains(&folder) && IMPURE.iter().any(|path| mention.within(path)) {
            against("this folder is pure: take the value as an argument");
        }
    }
    broken
}

impl Restricted {
    fn is(&self, mention: &Mention) -> bool {
        match self.path.strip_suffix('*') {
            Some(start) => mention.path.starts_with(start),
            None => {
                mention.within(self.path) || mention.path.ends_with(&format!("::{}", self.path))
            }
        }
    }
}

/// Returns the folder of this crate that a mention leads to.
fn imported(mention: &Mention) -> Option<&str> {
    let mut parts = mention.path.split("::");
    matches!(parts.next(), Some("crate" | "cutover")).then(|| parts.next()).flatten()
}

/// Returns `engine` for `src/engine/run.rs`, `main.rs` for `src/main.rs`.
fn folder(file: &Path) -> &str {
    file.iter().nth(1).and_then(|name| name.to_str()).unwrap()
}

/// Returns how many `super` lead from a file's module to the crate root.
fn depth(file: &Path) -> usize {
    let parts = file.iter().count() - 1;
    let folded = file.file_name().is_some_and(|name| name == "mod.rs" || name == "lib.rs");
    if folded { (parts - 1).max(1) } else { parts }
}

fn at(file: &Path, mention: &Mention) -> String {
    format!("{}:{}", file.display(), mention.line)
}

fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs" || part == "fixture.rs")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all Rust files in `folder` and below, relative to the repository, in order.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no sources");
    found.sort();
    found
}
