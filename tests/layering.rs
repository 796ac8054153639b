//! The arrows of ARCHITECTURE.md: which folder of `src/` may know which, what the pure folders may
//! touch, and that no file grows out of hand.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod paths;
}

use std::fs;
use std::path::{Path, PathBuf};

use support::paths::{Mention, mentions};

/// What each folder of `src/` may import from the others. All of them may import themselves.
const MAY_KNOW: &[(&str, &[&str])] = &[
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

/// Something that only some folders may mention.
struct Kept {
    /// A crate (its beginning, if it ends in `*`), or a path.
    path: &'static str,
    /// The folders that may.
    by: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

const KEPT: &[Kept] = &[
    Kept {
        path: "cutover_lab",
        by: &["rehearse", "cli"],
        instead: "the deployer doesn't know the lab: move this to src/rehearse",
    },
    Kept {
        path: "aws_smithy_*",
        by: &["cloud", "net"],
        instead: "take and give types of src/model; src/cloud converts them",
    },
    Kept {
        path: "aws_*",
        by: &["cloud"],
        instead: "take and give types of src/model; src/cloud converts them",
    },
    Kept {
        path: "octocrab",
        by: &["github"],
        instead: "ask src/github, which speaks to GitHub's API over net::Transport",
    },
    Kept {
        path: "reqwest",
        by: &["net"],
        instead: "send by net::Transport: the only seam is HTTP, and there is one transport",
    },
    Kept {
        path: "std::time::Instant",
        by: &["net"],
        instead: "use tokio::time::Instant, which tests can pause; net::Stopwatch measures",
    },
    Kept {
        path: "tokio::time::Instant",
        by: &["net", "engine"],
        instead: "take the time as an argument, or net::Clock",
    },
    Kept {
        path: "Instant::now",
        by: &["net", "engine"],
        instead: "take the time as an argument, or net::Clock",
    },
    Kept {
        path: "SystemTime::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
    // The command line is where this machine's time comes in.
    Kept {
        path: "Timestamp::now",
        by: &["net", "cli"],
        instead: "take the time as an argument, or net::Clock",
    },
    Kept {
        path: "Zoned::now",
        by: &["net"],
        instead: "take the time as an argument, or net::Clock",
    },
];

/// No clock, no input or output, no chance: these folders compute.
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

/// What makes two runs of one seed differ. The lab's doors may have Tokio's time.
const UNSEEDED: &[&str] = &[
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

/// A file longer than this holds more than one concept.
const LONGEST: usize = 450;

/// The median file, at most.
const MEDIAN: usize = 170;

#[test]
fn arrows_go_down_only() {
    let broken: Vec<String> = sources("src")
        .iter()
        .filter(|file| !is_test(file))
        .flat_map(|file| offences(file, &fs::read_to_string(root().join(file)).unwrap()))
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_folder_is_in_the_table() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            MAY_KNOW.iter().any(|(folder, _)| *folder == name),
            "src/{name} is new: say in MAY_KNOW of tests/layering.rs, and in ARCHITECTURE.md, what it may know"
        );
    }
}

#[test]
fn the_lab_knows_nothing_of_the_deployer_and_leaves_nothing_to_chance() {
    let manifest = fs::read_to_string(root().join("lab/Cargo.toml")).unwrap();
    let depends = manifest
        .lines()
        .find(|line| line.split(['=', '.']).next().is_some_and(|name| name.trim() == "cutover"));
    assert_eq!(
        depends, None,
        "lab/Cargo.toml depends on cutover: two readings of AWS check each other"
    );

    let mut broken = Vec::new();
    for file in sources("lab/src").iter().filter(|file| !is_test(file)) {
        for mention in mentions(&fs::read_to_string(root().join(file)).unwrap()) {
            if UNSEEDED.iter().any(|path| mention.within(path)) {
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
fn one_concept_a_file() {
    let mut lengths = Vec::new();
    for folder in ["src", "lab/src", "lab/tests", "tests"] {
        for file in sources(folder) {
            let lines = fs::read_to_string(root().join(&file)).unwrap().lines().count();
            assert!(
                lines <= LONGEST,
                "{} has {lines} lines, more than {LONGEST}: split it by concept",
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
fn what_is_not_allowed_is_found() {
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
    let found = offences(Path::new("src/rollout/turn.rs"), bad);
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
            ("src/rollout/turn.rs:3", "crate::cloud::Cloud"),
            ("src/rollout/turn.rs:3", "crate::cloud::Change"),
            ("src/rollout/turn.rs:4", "std::time::Instant"),
            ("src/rollout/turn.rs:4", "std::time::Instant"),
            ("src/rollout/turn.rs:9", "crate::net::Clock::real"),
            ("src/rollout/turn.rs:9", "tokio::time::sleep"),
            ("src/rollout/turn.rs:10", "super::super::engine::Plan"),
            ("src/rollout/turn.rs:10", "aws_sdk_ec2::Client::new"),
            ("src/rollout/turn.rs:11", "Instant::now"),
        ]
    );
    assert!(offences(Path::new("src/engine/run.rs"), "use tokio::time::Instant;").is_empty());
    assert_eq!(offences(Path::new("src/cli/lab.rs"), "use cutover_lab::world::World;").len(), 0);
    assert_eq!(offences(Path::new("src/engine/run.rs"), "use cutover_lab::world::World;").len(), 1);
}

/// What `source`, the text of `file`, mentions against the rules: one message each.
fn offences(file: &Path, source: &str) -> Vec<String> {
    let folder = folder(file);
    let allowed = MAY_KNOW.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, may)| may);
    let mut broken = Vec::new();
    for mention in mentions(source) {
        let mut against = |what: &str| {
            broken.push(format!("{}: `{}`: {what}", at(file, &mention), mention.path));
        };
        if let Some(other) = imported(&mention)
            && other != folder
            && !allowed.contains(&other)
            && MAY_KNOW.iter().any(|(name, _)| *name == other)
        {
            against(&format!(
                "src/{folder} may know only {allowed:?}; move the type down to where both may see it, or the \
                 function up"
            ));
        }
        if mention.path.split("::").take_while(|part| *part == "super").count() >= depth(file) {
            against(
                "reaches another folder by `super`; write `crate::`, so that the arrow is seen",
            );
        }
        if let Some(kept) = KEPT.iter().find(|kept| kept.is(&mention))
            && !kept.by.contains(&folder)
        {
            against(kept.instead);
        }
        if PURE.contains(&folder) && IMPURE.iter().any(|path| mention.within(path)) {
            against("this folder is pure: take what you need as an argument");
        }
    }
    broken
}

impl Kept {
    fn is(&self, mention: &Mention) -> bool {
        match self.path.strip_suffix('*') {
            Some(start) => mention.path.starts_with(start),
            None => {
                mention.within(self.path) || mention.path.ends_with(&format!("::{}", self.path))
            }
        }
    }
}

/// The folder of this crate that a mention leads to.
fn imported(mention: &Mention) -> Option<&str> {
    let mut parts = mention.path.split("::");
    matches!(parts.next(), Some("crate" | "cutover")).then(|| parts.next()).flatten()
}

/// `engine` of `src/engine/run.rs`, `main.rs` of `src/main.rs`.
fn folder(file: &Path) -> &str {
    file.iter().nth(1).and_then(|name| name.to_str()).unwrap()
}

/// How many `super` lead from a file's module to the crate.
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

/// All Rust files in `folder` and below, relative to the repository, in order.
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
