//! The generated parts of docs/configuration.md and docs/cli.md are current: the keys of the schema, and the help of the
//! command line. `UPDATE_DOCS=1 cargo test --test reference` writes them.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Compares what stands between a page's markers with what it should be, or writes it.
fn compare(page: &str, name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let open = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text.split_once(&open).unwrap();
    let (current, after) = rest.split_once("<!-- /generated -->").unwrap();
    let wanted = format!("\n{}\n\n", generated.trim());
    if current != wanted {
        assert!(
            std::env::var_os("UPDATE_DOCS").is_some(),
            "{page} is not current: run `UPDATE_DOCS=1 cargo test --test reference`"
        );
        std::fs::write(path, format!("{before}{open}{wanted}<!-- /generated -->{after}")).unwrap();
    }
}

fn help(verbs: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
    let output = command.args(verbs).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{verbs:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Adds a command's help, then that of its subcommands.
fn describe(verbs: &[String], text: &mut String) {
    let help = help(verbs);
    let name = verbs.iter().fold("cutover".to_owned(), |name, verb| format!("{name} {verb}"));
    let level = if verbs.len() > 1 { "####" } else { "###" };
    let trimmed: Vec<&str> = help.lines().map(str::trim_end).collect();
    let trimmed = trimmed.join("\n");
    let _ = writeln!(text, "{level} `{name}`\n\n```text\n{}\n```\n", trimmed.trim_end());
    let Some((_, commands)) = help.split_once("\nCommands:\n") else { return };
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let verb = line.strip_prefix("  ").filter(|line| !line.starts_with(' '));
        let Some(verb) = verb.and_then(|line| line.split_whitespace().next()) else { continue };
        if verb != "help" {
            describe(&[verbs, &[verb.to_owned()]].concat(), text);
        }
    }
}

#[test]
fn the_page_on_the_command_line_has_every_option() {
    let mut text = String::new();
    describe(&[], &mut text);
    compare("docs/cli.md", "cli", &text);
}

/// The schema of a type behind `$ref`, `anyOf` with null, or `allOf`.
fn resolved<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let part = ["anyOf", "allOf"].iter().find_map(|of| {
        let parts = schema[of].as_array()?;
        parts.iter().find(|part| part["type"] != "null")
    });
    let schema = part.unwrap_or(schema);
    match schema["$ref"].as_str() {
        Some(name) => resolved(&root["definitions"][name.rsplit('/').next().unwrap()], root),
        None => schema,
    }
}

/// The kind of a value, in words.
fn kind(schema: &Value, root: &Value) -> String {
    let schema = resolved(schema, root);
    let choices = |list: &Value| -> Option<Vec<String>> {
        list.as_array()?.iter().map(|one| Some(format!("`{}`", one["const"].as_str()?))).collect()
    };
    if let Some(values) = choices(&schema["oneOf"]) {
        return values.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> =
            values.iter().filter_map(|v| v.as_str().map(|v| format!("`{v}`"))).collect();
        return values.join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("value")
        }
        _ => "section",
    };
    match name {
        "array" => match kind(&schema["items"], root) {
            choice if choice.starts_with('`') => format!("list of {choice}"),
            one => format!("list of {one}s"),
        },
        "object" => match schema["properties"].is_object() {
            true => "section".to_owned(),
            false => "map".to_owned(),
        },
        name => name.to_owned(),
    }
}

/// Adds the keys of a section as a table, then the sections within it.
fn section(name: &str, schema: &Value, root: &Value, text: &mut String) {
    let schema = resolved(schema, root);
    let Some(keys) = schema["properties"].as_object() else { return };
    let title = if name.is_empty() { "Top level".to_owned() } else { format!("`{name}`") };
    let _ = writeln!(text, "### {title}\n\n| Key | Value | |\n|---|---|---|");
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, value) in keys {
        let about = value["description"].as_str().unwrap_or_default().replace('\n', " ");
        let must = if required.contains(&key.as_str()) { " (required)" } else { "" };
        let kind = kind(value, root).replace('|', "\\|");
        let _ = writeln!(text, "| `{key}`{must} | {kind} | {} |", about.replace('|', "\\|"));
    }
    text.push('\n');
    for (key, value) in keys {
        let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        let value = resolved(value, root);
        section(&path, value, root, text);
        if value["items"].is_object() {
            section(&format!("{path}[]"), &value["items"], root, text);
        }
    }
}

#[test]
fn the_page_on_the_configuration_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cutover.schema.json");
    let root: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut text = String::new();
    section("", &root, &root, &mut text);
    compare("docs/configuration.md", "configuration", &text);
}
