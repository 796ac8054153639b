//! What README and docs show of the demo is what the demo prints. Lines may be left out, and ends of
//! digests; nothing else.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

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

/// The first block of this language after a line.
fn block<'p>(page: &'p str, after: &str, language: &str) -> &'p str {
    let (_, rest) = page.split_once(after).unwrap();
    let (_, block) = rest.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

/// Words and numbers alone: bars, signs and columns differ between a page, a terminal and a pipe.
fn words(line: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { ' ' };
    line.chars().map(plain).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// That each line shown is printed, after the one before it. `…` stands for anything.
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
        assert!(found, "the demo does not print, or not in this place:\n{shown}\n{printed}");
    }
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = page("README.md");
    is_printed(block(&readme, "## The demo", "text"), &demo(&[]), words);
    is_printed(block(&readme, "`cargo run -- demo --bad`", "text"), &demo(&["--bad"]), words);
}

#[test]
fn the_page_on_events_shows_what_the_demo_prints() {
    let page = page("docs/events.md");
    is_printed(block(&page, "# ", "json"), &demo(&["--bad", "--format", "json"]), str::to_owned);
}
