//! README.md and docs show the demo's real output: lines may be left out, and the ends of digests;
//! nothing else. Their examples of `cutover.yaml` are valid, and the tests that they name exist.

#![allow(clippy::unwrap_used)]

mod support {
    pub(crate) mod tracked;
}

use std::fs;
use std::path::Path;
use std::process::Command;

use support::tracked;

fn demo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .arg("demo")
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the first block of this language after a line.
fn block<'p>(page: &'p str, after: &str, language: &str) -> &'p str {
    let (_, rest) = page.split_once(after).unwrap();
    let (_, block) = rest.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

/// Returns only words and numbers: bars, signs and columns differ between a page, a terminal and a
/// pipe.
fn words(line: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { ' ' };
    line.chars().map(plain).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asserts that each shown line is printed, in order. `…` stands for anything.
fn is_printed(shown: &str, printed: &str, read: impl Fn(&str) -> String) {
    let mut lines = printed.lines();
    for shown in shown.lines().filter(|line| !read(line).is_empty()) {
        let parts: Vec<String> = shown.split('…').map(&read).collect();
        let found = lines.any(|line| {
            let mut rest = read(line);
            parts.iter().all(|part| match rest.split_once(part.as_str()) {
                Some((_, after)) => {
                    rest = after.to_owned();
                    true
                }
                None => false,
            })
        });
        assert!(
            found,
            "the demo does not print this line, or not in this place:\n{shown}\n{printed}"
        );
    }
}

#[test]
fn the_readme_and_the_page_on_the_demo_show_what_it_prints() {
    let (readme, page) = (page("README.md"), page("docs/demo.md"));
    let (good, bad) = (demo(&[]), demo(&["--bad"]));
    is_printed(block(&readme, "<!-- demo -->", "text"), &good, words);
    is_printed(block(&page, "<!-- demo -->", "text"), &good, words);
    is_printed(block(&page, "<!-- demo: bad -->", "text"), &bad, words);
}

#[test]
fn the_page_on_events_shows_what_the_demo_prints() {
    let page = page("docs/events.md");
    is_printed(block(&page, "# ", "json"), &demo(&["--bad", "--format", "json"]), str::to_owned);
}

#[test]
fn the_examples_of_a_configuration_are_valid() {
    let (readme, page) = (page("README.md"), page("docs/configuration.md"));
    let full = block(&page, "<!-- example: two groups -->", "yaml");
    for example in
        [block(&readme, "## Quick start", "yaml"), block(&page, "# Configuration", "yaml"), full]
    {
        assert_eq!(
            cutover_config::parse(example, "cutover.yaml").err().map(|e| e.to_string()),
            None
        );
    }
    let rolling = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rolling/cutover.yaml");
    assert_eq!(cutover_config::load(&rolling).err().map(|e| e.to_string()), None);

    let mistaken = full.replace("\nlinear: ", "\nlineal: ");
    let error = cutover_config::parse(&mistaken, "cutover.yaml").unwrap_err();
    assert_eq!(
        block(&page, "## Mistakes", "text").trim_end(),
        format!("error: {error}").trim_end()
    );
}

/// Returns the text of every Rust file below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.extension() {
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => fs::read_to_string(path).unwrap(),
            _ => String::new(),
        })
        .collect()
}

#[test]
fn the_tests_that_the_page_on_safety_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "config", "rollout", "net", "oci", "docker", "aws", "lab"];
    let sources: String = folders.map(|folder| sources(&root.join(folder))).concat();
    let page = page("docs/safety.md");
    let mut found = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let is_path = name.starts_with("tests/") || name.starts_with("lab/");
        let is_test = name.contains('_')
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
        if is_path {
            assert!(root.join(name).exists(), "docs/safety.md names {name}, which does not exist");
        } else if is_test {
            let test = format!("fn {name}(");
            assert!(sources.contains(&test), "docs/safety.md names {name}, which is no test");
        }
        found += usize::from(is_path || is_test);
    }
    assert!(found > 20, "docs/safety.md names {found} tests");
}

/// Returns a heading's anchor, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let plain: String = heading.trim().chars().filter(|c| *c != '`' && *c != '*').collect();
    let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Returns the prose of a page: its code blocks hold no links and no headings.
fn prose(page: &str) -> String {
    let blocks = page.split("```").step_by(2);
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_relative_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let (mut links, mut broken) = (0, Vec::new());
    for name in tracked::files("*.md").iter().filter(|name| root.join(name).is_file()) {
        let text = prose(&page(name));
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = root.join(name).parent().unwrap().to_owned();
            let file = if path.is_empty() { root.join(name) } else { folder.join(path) };
            let is_there = heading.is_empty()
                || fs::read_to_string(&file).is_ok_and(|text| {
                    let text = prose(&text);
                    let mut headings = text.lines().filter(|line| line.starts_with('#'));
                    headings.any(|line| anchor(line.trim_start_matches('#')) == heading)
                });
            if !file.exists() || !is_there {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(links > 100, "only {links} links were found");
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}
