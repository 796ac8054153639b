//! The arrows of ARCHITECTURE.md: which crate and which folder of `src/` may import which, what the pure folders
//! may use, and how long a file may be.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod layers;
    pub(crate) mod paths;
    pub(crate) mod tokens;
}

use std::fs;
use std::path::{Path, PathBuf};

use support::layers::{CRATES, DIVIDED, MAY_IMPORT, RESTRICTED, Restricted};
use support::paths::{Mention, mentions};

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
    "cutover_aws",
    "cutover_docker",
    "cutover_net",
    "cutover_oci",
    "cutover_rollout",
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
    let broken: Vec<String> = CRATES
        .iter()
        .flat_map(|folder| sources(folder))
        .collect::<Vec<_>>()
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
            "src/{name} is new: list what it may import in tests/support/layers.rs and in ARCHITECTURE.md"
        );
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    let members: Vec<String> = serde_json::from_str(members).unwrap();
    for member in members.iter().filter(|member| *member != "lab") {
        let sources = format!("{member}/src");
        assert!(
            CRATES.contains(&sources.as_str()),
            "{member} is new: list it in tests/support/layers.rs"
        );
    }
}

#[test]
fn the_lab_is_independent_and_deterministic() {
    let manifest = fs::read_to_string(root().join("lab/Cargo.toml")).unwrap();
    let depends = manifest
        .lines()
        .find(|line| line.starts_with("cutover") && !line.starts_with("cutover-lab"));
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
    for folder in CRATES.iter().chain(&["lab/src", "lab/tests", "tests"]) {
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
use crate::{model::Digest, gate};
use cutover_aws::{Aws, Change};
use std::{fmt, time::{Duration, Instant}};

/// Nor is [`cutover::engine`].
fn run() {
    let name = "cutover::report";
    dbg!(cutover_net::Clock::real(), tokio::time::sleep(Duration::ZERO));
    let _ = aws_sdk_ec2::Client::new();
    Instant::now();
}

#[cfg(test)]
mod tests {
    use cutover::rehearse::demo;
}
"##;
    let found = violations(Path::new("rollout/src/tick.rs"), bad);
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
            ("rollout/src/tick.rs:4", "cutover_aws::Aws"),
            ("rollout/src/tick.rs:4", "cutover_aws::Change"),
            ("rollout/src/tick.rs:5", "std::time::Instant"),
            ("rollout/src/tick.rs:5", "std::time::Instant"),
            ("rollout/src/tick.rs:10", "cutover_net::Clock::real"),
            ("rollout/src/tick.rs:10", "tokio::time::sleep"),
            ("rollout/src/tick.rs:11", "aws_sdk_ec2::Client::new"),
            ("rollout/src/tick.rs:12", "Instant::now"),
        ]
    );
    for (file, import) in [
        ("src/runner/run.rs", "use cutover_lab::world::World;"),
        ("src/preflight/view.rs", "use crate::planner::Planner;"),
        ("src/preflight/view.rs", "fn run(_: super::super::planner::Plan) {}"),
        ("rollout/src/model/event.rs", "use crate::judge::Verdict;"),
        ("rollout/src/model/event.rs", "use crate::Plan;"),
        ("oci/src/registry/client.rs", "use crate::image::Image;"),
    ] {
        assert_eq!(violations(Path::new(file), import).len(), 1, "{file}: {import}");
    }
}

/// Returns one message for each mention in `source`, the text of `file`, that breaks a rule.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let folder = row(file);
    let allowed =
        MAY_IMPORT.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, may)| may);
    let mut broken = Vec::new();
    for mention in mentions(source) {
        let mut against = |what: &str| {
            broken.push(format!("{}: `{}`: {what}", at(file, &mention), mention.path));
        };
        if let Some(other) = imported(file, &mention)
            && other != folder
            && !allowed.contains(&other)
            && MAY_IMPORT.iter().any(|(name, _)| *name == other)
        {
            against(&format!(
                "{folder} may import only {allowed:?}; move the type down to where both may import it, or the \
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

/// Returns the row of the table that `file` belongs to: `runner` for `src/runner/run.rs`, `main.rs` for `src/main.rs`,
/// `model` for `rollout/src/model/event.rs`, `rollout` for `rollout/src/gate.rs`.
fn row(file: &Path) -> &str {
    let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
    match parts.as_slice() {
        ["src", folder, ..] => folder,
        [name, "src", folder, ..] => part_of(name, folder),
        _ => panic!("{}: not in a crate", file.display()),
    }
}

/// Returns the row of a crate's module.
fn part_of<'n>(name: &'n str, module: &'n str) -> &'n str {
    let divided = DIVIDED.iter().find(|(divided, _)| *divided == name);
    if divided.is_some_and(|(_, parts)| parts.contains(&module)) { module } else { name }
}

/// Returns the row that a mention in `file` leads to.
fn imported<'m>(file: &'m Path, mention: &'m Mention) -> Option<&'m str> {
    let mut parts = mention.path.split("::");
    let (first, module) = (parts.next()?, parts.next().unwrap_or_default());
    let own = file.iter().next().and_then(|part| part.to_str())?;
    match first {
        "crate" if own != "src" => Some(part_of(own, module)),
        "crate" | "cutover" => Some(module),
        _ => {
            let other = first.strip_prefix("cutover_").filter(|name| *name != "lab")?;
            Some(part_of(other, module))
        }
    }
}

/// Returns how many `super` lead from a file's module out of its row.
fn depth(file: &Path) -> usize {
    let row = row(file);
    // In a crate that is one row, `super` leads nowhere else.
    if !file.starts_with("src") && !DIVIDED.iter().any(|(_, parts)| parts.contains(&row)) {
        return usize::MAX;
    }
    let parts = file.iter().skip_while(|part| *part != "src").skip(1).count();
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
