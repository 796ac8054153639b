//! Events as lines for people.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::offset::offset;
use super::{Look, bar, summary};
use crate::model::{Event, Stamped};

/// Turns events into lines, and remembers what the summary needs.
#[derive(Debug)]
pub struct Human {
    look: Look,
    start: Option<Timestamp>,
    /// The last line of each topic, so that what hasn't changed isn't told again.
    last: BTreeMap<String, String>,
    timeline: Vec<(Timestamp, String)>,
}

/// A line before it is written: what it is about, and what it says.
struct Line {
    /// The column after the time.
    topic: &'static str,
    /// What makes two lines comparable, for example a group; within a topic.
    subject: String,
    text: String,
    /// What the summary's timeline says about it, if it does.
    milestone: Option<String>,
}

impl Line {
    fn new(topic: &'static str, text: impl Into<String>) -> Line {
        Line { topic, subject: String::new(), text: text.into(), milestone: None }
    }

    fn about(mut self, subject: &str) -> Line {
        self.subject = subject.to_owned();
        self
    }

    fn milestone(mut self, text: impl Into<String>) -> Line {
        self.milestone = Some(text.into());
        self
    }
}

impl Human {
    /// With nothing told yet.
    pub fn new(look: Look) -> Human {
        Human { look, start: None, last: BTreeMap::new(), timeline: Vec::new() }
    }

    /// The event's lines, with a newline at their end; `None` where it says nothing new.
    pub fn render(&mut self, stamped: &Stamped) -> Option<String> {
        let start = *self.start.get_or_insert(stamped.time);
        if let Event::Outcome(outcome) = &stamped.event {
            return Some(summary::render(outcome, &self.timeline, start, stamped.time, self.look));
        }
        let line = self.line(&stamped.event, start);
        let mut topic = format!("{:<9}", line.topic);
        if matches!(stamped.event, Event::Phase { .. }) {
            self.last.clear();
            topic = self.look.strong(&topic);
        }
        let text = format!("{topic} {}", line.text);
        let key = format!("{} {}", line.topic, line.subject);
        if self.last.insert(key, text.clone()).as_ref() == Some(&text) {
            return None;
        }
        if let Some(milestone) = line.milestone {
            self.timeline.push((stamped.time, milestone));
        }
        let time = self.look.faint(&format!("{:>8}", offset(start, stamped.time)));
        Some(format!("{time}  {text}\n"))
    }

    fn line(&self, event: &Event, start: Timestamp) -> Line {
        let look = self.look;
        match event {
            Event::Started { service, strategy, claim, continues } => {
                let goes_on = continues
                    .map(|number| format!(", continuing rollout {number}"))
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
            Event::Image { image, uploaded } => {
                let bytes = match uploaded {
                    0 => "already there".to_owned(),
                    n => format!("{} uploaded", bytes(*n)),
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
                Line::new("waiting", look.faint(&format!("for {message}{until}")))
            }
            Event::Refresh { group, status, percent, reason } => {
                let percent = percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                let reason = reason
                    .as_ref()
                    .map(|reason| format!(" {}", look.faint(reason)))
                    .unwrap_or_default();
                let text = format!("{group} {status:?}{percent}{reason}");
                Line::new("refresh", text).about(group)
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
            Event::Judgement { verdict, counts, message } => {
                let verdict = match *verdict {
                    "pass" => look.good(verdict),
                    "fail" => look.bad(verdict),
                    other => look.faint(other),
                };
                let (errors, requests) = (thousands(counts.errors), thousands(counts.requests));
                let text = format!("{verdict}: {errors} errors in {requests} requests; {message}");
                Line::new("judge", text)
            }
            Event::TakingBack { reason } => {
                Line::new("back", format!("{} {reason}", look.bad("taking traffic back:")))
                    .milestone(format!("taking back: {reason}"))
            }
            Event::Notice { message } => Line::new("notice", look.warn(message)).about(message),
            Event::Retirement { group, at, size } => {
                let text = format!("{group} goes to {size} at {}", offset(start, *at));
                Line::new("retire", text).about(group)
            }
            Event::Outcome(outcome) => Line::new("outcome", outcome.message.clone()),
        }
    }
}

/// `1.5 MB`, in powers of 1000.
fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// `12 345`: digits in groups of three.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
