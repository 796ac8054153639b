//! The packaged action's metadata: the two copies, and the page that describes it.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn metadata(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap()
}

#[test]
fn both_copies_are_equal_but_for_the_paths_of_the_launcher() {
    let root = read("action.yml");
    let moved = root.replace("action/main.mjs", "main.mjs").replace("action/post.mjs", "post.mjs");
    assert_ne!(root, moved);
    assert_eq!(moved, read("action/action.yml"));
}

/// Returns a Markdown table: name, default if `has_default`, and description.
fn table(section: &Value, has_default: bool) -> String {
    let mut text = match has_default {
        true => "| Input | Default | |\n|---|---|---|\n".to_owned(),
        false => "| Output | |\n|---|---|\n".to_owned(),
    };
    for (name, entry) in section.as_object().unwrap() {
        let description = entry["description"].as_str().unwrap().trim().replace('|', "\\|");
        let default = match entry["default"].as_str() {
            Some(value) => format!(" `{value}` |"),
            None => " |".to_owned(),
        };
        let default = if has_default { default } else { String::new() };
        text.push_str(&format!("| `{name}` |{default} {description} |\n"));
    }
    text
}

#[test]
fn the_page_on_actions_lists_what_action_yml_has() {
    let metadata = metadata("action.yml");
    let page = read("docs/actions.md");
    let mut expected = page.clone();
    for (name, table) in [
        ("inputs", table(&metadata["inputs"], true)),
        ("outputs", table(&metadata["outputs"], false)),
    ] {
        let (begin, end) = (format!("<!-- {name}: "), format!("<!-- end of {name} -->"));
        let at = expected.find(&begin).unwrap();
        let from = at + expected[at..].find('\n').unwrap() + 1;
        let to = expected.find(&end).unwrap();
        expected.replace_range(from..to, &format!("\n{table}\n"));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path("docs/actions.md"), &expected).unwrap();
        return;
    }
    assert_eq!(page, expected, "update the tables with UPDATE_DOCS=1 cargo test --test action");
}

#[test]
fn the_reusable_workflow_passes_what_the_action_has() {
    let action = metadata("action.yml");
    let workflow = metadata(".github/workflows/deploy-service.yml");
    let call = &workflow["on"]["workflow_call"];
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&call["outputs"]), names(&action["outputs"]));
    let passed = names(&call["inputs"]);
    for input in names(&action["inputs"]) {
        // Inputs for a push, or for a binary of one's own, don't apply to the reusable workflow,
        // which only deploys.
        let is_left_out =
            ["from", "to", "tag", "binary", "github-token", "job-id", "version", "mirror"]
                .contains(&input.as_str());
        assert!(is_left_out || passed.contains(&input), "{input} is not in {passed:?}");
    }
}
