//! The job summary, and its short form for a pull request, in GitHub's Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::{RunHistory, chart};
use crate::report::time::{format_duration, relative_time};
use cutover_rollout::model::{Outcome, PerColor, Status};

/// The most bytes of a summary. GitHub shows nothing of one above 1 MiB (GitHub docs, "Adding a job summary").
const LIMIT: usize = 900 * 1024;

/// The URLs for links to commits and to the workflow run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The repository, for example `https://github.com/acme/web`.
    pub repository: Option<String>,
    /// The workflow run.
    pub run: Option<String>,
}

/// Returns the job summary. Sections without content are left out.
pub fn summary(history: &RunHistory, links: &Links) -> String {
    let mut text = short_summary(history, links);
    section(&mut text, "Traffic", chart::traffic(history));
    section(&mut text, "Evidence", evidence(history));
    section(&mut text, "Findings", findings(history));
    section(&mut text, "Timeline", timeline(history));
    section(&mut text, "Notices", list(&history.notices));
    section(&mut text, "Output", history.printed.as_ref().map(|printed| fenced(printed)));
    section(&mut text, "Skipped", list(history.skipped()));
    section(&mut text, "How to roll back", rollback_hint(history));
    truncate(text)
}

/// Returns the outcome as a heading, its message, and a table of facts.
pub fn short_summary(history: &RunHistory, links: &Links) -> String {
    let service = history.service.as_deref().map(|service| format!("{}: ", escape(service)));
    let mut text = match &history.outcome {
        Some(outcome) => format!(
            "## {} {}{}\n\n{}\n",
            mark(outcome.outcome),
            service.unwrap_or_default(),
            title(outcome),
            message(outcome),
        ),
        None => format!("## cutover {}\n", service.unwrap_or_default()),
    };
    if let Some(outcome) = &history.outcome {
        text.push_str("\n| | |\n|---|---|\n");
        for (name, value) in facts(history, outcome, links) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {name} | {value} |");
        }
    }
    text
}

fn mark(ending: Status) -> &'static str {
    match ending {
        Status::Succeeded => "✅",
        Status::RolledBack => "↩️",
        Status::Refused | Status::Failed | Status::Stuck => "❌",
        Status::Superseded | Status::Interrupted => "⏹️",
    }
}

fn title(outcome: &Outcome) -> String {
    outcome.outcome.name().replace('_', " ")
}

/// Returns the message and the hint. A message of several lines, which shows a place in a file, is a code block.
fn message(outcome: &Outcome) -> String {
    let mut text = match outcome.message.trim_end() {
        message if message.contains('\n') => fenced(message),
        message => paragraph(message),
    };
    if let Some(hint) = &outcome.hint {
        let _ = write!(text, "\n\n**Next:** {}", escape(hint));
    }
    text
}

/// Returns the names and values of the facts, in order, as table cells.
fn facts(history: &RunHistory, outcome: &Outcome, links: &Links) -> Vec<(&'static str, String)> {
    // An arrow only for a change that took place.
    let change = |from: Option<String>, to: Option<String>| match (from, to) {
        (Some(from), Some(to)) if from == to => Some(to),
        (Some(from), Some(to)) if outcome.outcome == Status::Succeeded => {
            Some(format!("{from} → {to}"))
        }
        (Some(from), Some(to)) => Some(format!("{to} (previous: {from})")),
        (_, to) => to,
    };
    let commit = |sha: &Option<String>| sha.as_ref().map(|sha| commit(sha, links));
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let image = outcome.image.as_ref().or(history.image.as_ref());
    let repositories = &outcome.repositories;
    let more = repositories.iter().filter(|to| image.is_some_and(|image| image.repository != **to));
    let more: Vec<String> = more.map(|to| code(&to.to_string())).collect();
    let tags: Vec<String> = outcome.tags.iter().map(|tag| code(tag)).collect();
    [
        ("Commit", change(commit(&outcome.previous_commit), commit(&outcome.commit))),
        (
            "Launch template version",
            change(number(outcome.previous_version), number(outcome.launch_template_version)),
        ),
        ("Image", image.map(|image| code(&image.to_string()))),
        ("Also in", (!more.is_empty()).then(|| more.join("<br>"))),
        ("Tags", (!tags.is_empty()).then(|| tags.join(" "))),
        ("Strategy", outcome.strategy.map(|strategy| strategy.to_string())),
        ("Traffic", outcome.shares.map(shares)),
        ("Duration", Some(format_duration(Duration::from_secs(history.seconds())))),
        ("Rollout", number(outcome.rollout.or(history.rollout))),
        ("Workflow run", links.run.as_ref().map(|run| format!("[log]({run})"))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn commit(sha: &str, links: &Links) -> String {
    let short = code(sha.get(..7).unwrap_or(sha));
    match &links.repository {
        Some(repository) if sha.chars().all(|c| c.is_ascii_hexdigit()) => {
            format!("[{short}]({repository}/commit/{sha})")
        }
        _ => short,
    }
}

fn shares(shares: PerColor<u8>) -> String {
    format!("blue {}%, green {}%", shares.blue, shares.green)
}

fn evidence(history: &RunHistory) -> Option<String> {
    let rows = history.judgments.iter().map(|judgment| {
        let requests = judgment.counts.requests;
        let errors = judgment.counts.errors;
        let rate = match requests {
            0 => "–".to_owned(),
            requests => format!("{:.2}%", errors as f64 * 100.0 / requests as f64),
        };
        format!(
            "| {} | {} | {requests} | {errors} | {rate} | **{}** | {} |",
            relative_time(history.start, judgment.at),
            judgment.shares.map_or("–".to_owned(), shares),
            judgment.verdict,
            escape(&judgment.message),
        )
    });
    let rows: Vec<String> = rows.collect();
    let head = "| Time | Traffic | Requests | Errors | Error rate | Verdict | Reason |\n|---|---|--:|--:|--:|---|---|\n";
    (!rows.is_empty()).then(|| format!("{head}{}\n", rows.join("\n")))
}

fn findings(history: &RunHistory) -> Option<String> {
    let rows = history.findings.iter().map(|finding| {
        let command = finding.command.as_ref().map(|command| format!("<br>{}", code(command)));
        format!(
            "| {} | {} | {}{} |",
            finding.severity,
            escape(&finding.message),
            escape(&finding.remedy),
            command.unwrap_or_default()
        )
    });
    let rows: Vec<String> = rows.collect();
    let head = "| Severity | Finding | Remedy |\n|---|---|---|\n";
    (!rows.is_empty()).then(|| format!("{head}{}\n", rows.join("\n")))
}

fn timeline(history: &RunHistory) -> Option<String> {
    let entries = history.timeline.entries();
    let mut text =
        String::from("<details><summary>Milestones</summary>\n\n| Time | Milestone |\n|--:|---|\n");
    for (at, what) in entries {
        let _ = writeln!(text, "| {} | {} |", relative_time(history.start, *at), escape(what));
    }
    text.push_str("\n</details>\n");
    (!entries.is_empty()).then_some(text)
}

fn rollback_hint(history: &RunHistory) -> Option<String> {
    let outcome = history.outcome.as_ref()?;
    let rolled_out = outcome.outcome == Status::Succeeded && outcome.rollout.is_some();
    rolled_out.then(|| {
        let version = outcome.previous_version;
        let to =
            version.map_or(String::new(), |version| format!(", to return to version {version}"));
        format!("Run `cutover rollback`, or a step with `command: rollback`{to}.\n")
    })
}

fn list(entries: &[String]) -> Option<String> {
    let lines: String = entries.iter().map(|entry| format!("- {}\n", paragraph(entry))).collect();
    (!entries.is_empty()).then_some(lines)
}

fn section(text: &mut String, title: &str, content: Option<String>) {
    if let Some(content) = content {
        let _ = write!(text, "\n### {title}\n\n{content}");
    }
}

/// Escapes text for one line of Markdown: no markup, images, links or mentions. Text between single backticks
/// stays code; if they are not paired, they are escaped, too.
fn escape(text: &str) -> String {
    let text = text.trim_end();
    let pairs = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    let mut escaped = String::with_capacity(text.len());
    match pairs {
        true => {
            for (i, part) in text.split('`').enumerate() {
                match i % 2 {
                    0 => escape_into(&mut escaped, part),
                    _ => escaped.push_str(&code(part)),
                }
            }
        }
        false => escape_into(&mut escaped, text),
    }
    escaped
}

/// Escapes text for a paragraph: a first character that would begin a list, a heading or code is text, too.
fn paragraph(text: &str) -> String {
    let begins = text.starts_with(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || matches!(c, '-' | '+' | '=')
    });
    format!("{}{}", if begins { "\u{2060}" } else { "" }, escape(text))
}

fn escape_into(escaped: &mut String, text: &str) {
    // An invisible character keeps URLs, mentions and references from becoming links.
    for c in text.replace("://", ":\u{2060}//").chars() {
        match c {
            '\n' => escaped.push_str("<br>"),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '@' | '#' => escaped.extend([c, '\u{2060}']),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' | '>' | '`' => {
                escaped.extend(['\\', c]);
            }
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
}

/// Returns text as inline code; it may contain backticks, and bars in a table.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let runs = text.split(|c| c != '`').map(str::len);
    match runs.max().unwrap_or(0) {
        0 => format!("`{text}`"),
        longest => format!("{0} {text} {0}", "`".repeat(longest + 1)),
    }
}

/// Returns text as a code block, with a fence that the text does not contain.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

fn truncate(mut text: String) -> String {
    if text.len() > LIMIT {
        let end = (0..=LIMIT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n\n… truncated; the log has the rest.\n");
    }
    text
}
