//! Events as lines of text.

use jiff::Timestamp;

use super::time::relative_time;
use super::{TerminalStyle, bar, layer};
use cutover_rollout::model::{Event, RefreshStatus, Size};

/// A line: what it is about, and what it says.
pub(super) struct Line {
    /// The first column after the time.
    pub topic: &'static str,
    /// What distinguishes lines of the same topic, for example a group.
    pub subject: String,
    /// The text after the topic.
    pub text: String,
    /// The text without details: a line with the gist of the last one about the same subject is a repetition.
    pub gist: String,
    /// The line's entry in the timeline, if it is a milestone.
    pub milestone: Option<String>,
}

impl Line {
    fn new(topic: &'static str, text: impl Into<String>) -> Line {
        let text = text.into();
        Line { topic, subject: String::new(), gist: text.clone(), text, milestone: None }
    }

    /// Returns a key that lines about the same subject have in common.
    pub(super) fn subject_key(&self) -> String {
        format!("{} {}", self.topic, self.subject)
    }

    fn about(mut self, subject: &str) -> Line {
        self.subject = subject.to_owned();
        self
    }

    fn gist(mut self, gist: String) -> Line {
        self.gist = gist;
        self
    }

    fn milestone(mut self, text: impl Into<String>) -> Line {
        self.milestone = Some(text.into());
        self
    }

    /// Returns the line of an event in a run that began at `start`.
    pub(super) fn of(event: &Event, start: Timestamp, look: TerminalStyle) -> Line {
        match event {
            Event::Started { service, strategy, claim, continues } => {
                let goes_on = continues
                    .map(|number| format!(", continuing unfinished rollout {number}"))
                    .unwrap_or_default();
                let text =
                    format!("{}: {strategy}, rollout {claim}{goes_on}", look.strong(service));
                Line::new("start", text)
            }
            Event::Finding { severity, message, remedy, cli } => {
                let severity = match *severity {
                    "error" => look.bad("error"),
                    other => look.warn(other),
                };
                let mut text = format!("{severity}: {message}");
                for aside in [Some(remedy), cli.as_ref()].into_iter().flatten() {
                    text.push_str(&format!("\n{:20}{}", "", look.faint(aside)));
                }
                Line::new("preflight", text).about(message)
            }
            Event::Build { line } => Line::new("build", line),
            Event::Layer(progress) => Line::new("layer", layer::line(progress)),
            Event::Image { image, uploaded } => {
                let bytes = match uploaded {
                    0 => "already in the registry".to_owned(),
                    n => format!("{} uploaded", Size(*n)),
                };
                let repository = &image.repository;
                let text = format!("{repository}@sha256:{}…, {bytes}", image.digest.short());
                Line::new("image", text).milestone(format!("image {}", image.digest.short()))
            }
            Event::Version { template, version, previous, created } => {
                let made = if *created { "created" } else { "already exists" };
                let text =
                    format!("{template} version {version} {made}; version {previous} is live");
                Line::new("template", text).milestone(format!("version {version} {made}"))
            }
            Event::Phase { phase, message } => {
                let text = format!("{} {}", look.glyph("▸", ">"), look.strong(message));
                Line::new(phase_topic(phase), text).milestone(format!("{phase}: {message}"))
            }
            Event::Waiting { message, until } => {
                let until = until
                    .map(|until| format!(", until {} at the latest", relative_time(start, until)))
                    .unwrap_or_default();
                Line::new("waiting", look.faint(&format!("{message}{until}")))
            }
            Event::Refresh { group, status, percent, reason } => {
                let percent = percent.map(|percent| format!(" {percent}%")).unwrap_or_default();
                let state = format!("{group} {status:?}{percent}");
                let reason = reason.as_deref().unwrap_or_default();
                let text = match reason {
                    "" => state.clone(),
                    _ => format!("{state} {}", look.faint(reason)),
                };
                // The sentences after the first one count seconds or give an example.
                let sentence = reason.split_once(". ").map_or(reason, |(first, _)| first);
                let line =
                    Line::new("refresh", text).about(group).gist(format!("{state} {sentence}"));
                match status {
                    RefreshStatus::Pending => line,
                    _ => line.milestone(format!("refresh of {group}: {status:?}")),
                }
            }
            Event::MinSize { group, min, message } => {
                Line::new("capacity", format!("{group} MinSize {min}, {message}")).about(group)
            }
            Event::Health { group, healthy, needed, instances } => {
                let dots = bar::dots(*healthy, (*instances).max(*needed), look);
                let text = format!("{group} {dots} {healthy} healthy, {needed} needed");
                Line::new("health", text).about(group)
            }
            Event::Traffic { shares, verified } => {
                let state = if *verified { "verified" } else { "set" };
                let line = Line::new("traffic", format!("{}  {state}", bar::shares(*shares, look)));
                let shares = format!("traffic: blue {}%, green {}%", shares.blue, shares.green);
                if *verified { line } else { line.milestone(shares) }
            }
            Event::Smoke { path, status, passed } => {
                let answer = status.map_or("no answer".to_owned(), |status| status.to_string());
                let mark = if *passed {
                    look.good(look.glyph("✔", "ok"))
                } else {
                    look.bad(look.glyph("✘", "FAILED"))
                };
                Line::new("smoke", format!("{path} {answer} {mark}")).about(path)
            }
            // The message has the counts.
            Event::Judgment { verdict, counts: _, message } => {
                let verdict = match *verdict {
                    "pass" => look.good(verdict),
                    "fail" => look.bad(verdict),
                    other => look.faint(other),
                };
                Line::new("judge", format!("{verdict}: {message}"))
            }
            Event::RollingBack { reason } => {
                Line::new("rollback", format!("{} {reason}", look.bad("rolling back:")))
                    .milestone(format!("rolling back: {reason}"))
            }
            Event::Notice { message } => Line::new("notice", look.warn(message))
                .about(&without_numbers(message))
                .gist(without_numbers(message)),
            Event::ScaleInScheduled { group, at, size } => {
                let text = format!("{group} scales in to {size} at {}", relative_time(start, *at));
                Line::new("scale-in", text).about(group)
            }
            Event::Outcome(outcome) => Line::new("outcome", outcome.message.clone()),
        }
    }
}

/// Returns a message without the words that contain a digit: request IDs, times and counts.
fn without_numbers(message: &str) -> String {
    let words = message.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the topic of a phase: its name, or a word of it where the name is wider than the column.
fn phase_topic(phase: &'static str) -> &'static str {
    match phase {
        "cancel-scale-in" | "schedule-scale-in" => "scale-in",
        "add-to-rules" => "rules",
        "smoke-test" => "smoke",
        "restore-traffic" => "rollback",
        other => other,
    }
}
