//! Events as lines, one by one.

use jiff::Timestamp;

use super::offset::offset;
use super::{Look, bar, layer};
use crate::model::{Event, RefreshStatus, Size};

/// A line before it is written: what it is about, and what it says.
pub(super) struct Line {
    /// The column after the time.
    pub topic: &'static str,
    /// What tells lines of a topic apart, for example a group.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Two lines about the same with the same gist say the same.
    pub gist: String,
    /// What the summary's timeline says about it, if it does.
    pub milestone: Option<String>,
}

impl Line {
    fn new(topic: &'static str, text: impl Into<String>) -> Line {
        let text = text.into();
        Line { topic, subject: String::new(), gist: text.clone(), text, milestone: None }
    }

    /// What two lines have in common that are about the same thing.
    pub(super) fn about_what(&self) -> String {
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

    /// What `event` says, in a run that began at `start`.
    pub(super) fn of(event: &Event, start: Timestamp, look: Look) -> Line {
        match event {
            Event::Started { service, strategy, claim, continues } => {
                let goes_on = continues
                    .map(|number| format!(", after rollout {number}, which is unfinished"))
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
                    0 => "already there".to_owned(),
                    n => format!("{} uploaded", Size(*n)),
                };
                let repository = &image.repository;
                let text = format!("{repository}@sha256:{}…, {bytes}", image.digest.short());
                Line::new("image", text).milestone(format!("image {}", image.digest.short()))
            }
            Event::Version { template, version, previous, created } => {
                let made = if *created { "created" } else { "there already" };
                let text = format!("{template} version {version} {made}; live is {previous}");
                Line::new("template", text).milestone(format!("version {version} {made}"))
            }
            Event::Phase { phase, message } => {
                let text = format!("{} {}", look.glyph("▸", ">"), look.strong(message));
                Line::new(phase, text).milestone(format!("{phase}: {message}"))
            }
            Event::Waiting { message, until } => {
                let until = until
                    .map(|until| format!(", until {} at the latest", offset(start, until)))
                    .unwrap_or_default();
                Line::new("waiting", look.faint(&format!("{message}{until}")))
            }
            Event::Refresh { group, status, percent, reason } => {
                let percent = percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                let state = format!("{group} {status:?}{percent}");
                let reason = reason.as_deref().unwrap_or_default();
                let text = match reason {
                    "" => state.clone(),
                    _ => format!("{state} {}", look.faint(reason)),
                };
                // What follows the first sentence counts seconds, or gives an example.
                let sentence = reason.split_once(". ").map_or(reason, |(first, _)| first);
                let line =
                    Line::new("refresh", text).about(group).gist(format!("{state} {sentence}"));
                match status {
                    RefreshStatus::Pending => line,
                    _ => line.milestone(format!("refresh of {group}: {status:?}")),
                }
            }
            Event::Minimum { group, min, message } => {
                Line::new("minimum", format!("{group} keeps at least {min}: {message}"))
                    .about(group)
            }
            Event::Health { group, healthy, needed, instances } => {
                let dots = bar::dots(*healthy, (*instances).max(*needed), look);
                let text = format!("{group} {dots} {healthy} healthy, {needed} needed");
                Line::new("health", text).about(group)
            }
            Event::Weights { weights, verified } => {
                let state = if *verified { "verified" } else { "set" };
                let line =
                    Line::new("weights", format!("{}  {state}", bar::weights(*weights, look)));
                let shares = format!("weights blue {}, green {}", weights.blue, weights.green);
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
            // The message tells the counts.
            Event::Judgement { verdict, counts: _, message } => {
                let verdict = match *verdict {
                    "pass" => look.good(verdict),
                    "fail" => look.bad(verdict),
                    other => look.faint(other),
                };
                Line::new("judge", format!("{verdict}: {message}"))
            }
            Event::TakingBack { reason } => {
                Line::new("back", format!("{} {reason}", look.bad("taking traffic back:")))
                    .milestone(format!("taking back: {reason}"))
            }
            Event::Notice { message } => {
                Line::new("notice", look.warn(message)).about(&gist(message)).gist(gist(message))
            }
            Event::Retirement { group, at, size } => {
                let text = format!("{group} goes to {size} at {}", offset(start, *at));
                Line::new("retire", text).about(group)
            }
            Event::Outcome(outcome) => Line::new("outcome", outcome.message.clone()),
        }
    }
}

/// A message without its words that hold a digit: without request ids, times and counts.
fn gist(message: &str) -> String {
    let words = message.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}
