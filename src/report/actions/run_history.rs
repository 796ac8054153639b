//! What a run did, collected from its events for the job summary, the comment and the outputs.

use jiff::Timestamp;

use crate::report::TerminalStyle;
use crate::report::line::Line;
use crate::report::timeline::Timeline;
use cutover_rollout::model::{
    Counts, Event, ImageReference, Outcome, PerColor, Repository, Status, TimedEvent,
};

/// The most findings and notices that are kept. A run of days has many notices, and a summary is limited to 1 MiB.
const KEPT: usize = 50;

/// A preflight finding.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) severity: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
    pub(super) command: Option<String>,
}

/// A verdict and its evidence.
#[derive(Debug, Clone)]
pub(super) struct Judgment {
    pub(super) at: Timestamp,
    /// The shares in percent while the evidence was counted; `None` with one group.
    pub(super) shares: Option<PerColor<u8>>,
    pub(super) verdict: &'static str,
    pub(super) counts: Counts,
    pub(super) message: String,
}

/// What a run has done so far.
#[derive(Debug)]
pub struct RunHistory {
    /// The outcome that counts as success.
    pub(super) goal: Status,
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
    pub(super) service: Option<String>,
    pub(super) rollout: Option<u64>,
    pub(super) template: Option<String>,
    pub(super) image: Option<ImageReference>,
    pub(super) repositories: Vec<Repository>,
    pub(super) timeline: Timeline,
    /// The first shares that were set.
    pub(super) first_shares: Option<PerColor<u8>>,
    /// The shares that were read back, oldest first.
    pub(super) shares: Vec<(Timestamp, PerColor<u8>)>,
    pub(super) judgments: Vec<Judgment>,
    pub(super) findings: Vec<Finding>,
    pub(super) notices: Vec<String>,
    pub(super) outcome: Option<Outcome>,
    /// The result of a command that has no events: a plan, a status.
    pub(super) printed: Option<String>,
    /// What was skipped, and why.
    skipped: Vec<String>,
}

impl RunHistory {
    /// Returns an empty history of a run that began at `start`. `goal` is the outcome that counts as success.
    pub fn new(start: Timestamp, goal: Status) -> RunHistory {
        RunHistory {
            goal,
            start,
            now: start,
            service: None,
            rollout: None,
            template: None,
            image: None,
            repositories: Vec::new(),
            timeline: Timeline::default(),
            first_shares: None,
            shares: Vec::new(),
            judgments: Vec::new(),
            findings: Vec::new(),
            notices: Vec::new(),
            outcome: None,
            printed: None,
            skipped: Vec::new(),
        }
    }

    /// Records an event.
    pub fn note(&mut self, stamped: &TimedEvent) {
        self.now = stamped.time;
        let line = Line::of(&stamped.event, self.start, TerminalStyle::PLAIN);
        let about = line.subject_key();
        if let Some(milestone) = line.milestone {
            self.timeline.note(self.now, &about, milestone);
        }
        match &stamped.event {
            Event::Started { service, claim, .. } => {
                self.service = Some(service.clone());
                self.rollout = Some(*claim);
            }
            Event::Finding { severity, message, remedy, cli } if self.findings.len() < KEPT => {
                self.findings.push(Finding {
                    severity,
                    message: message.clone(),
                    remedy: remedy.clone(),
                    command: cli.clone(),
                });
            }
            Event::Image { image, .. } => {
                if !self.repositories.contains(&image.repository) {
                    self.repositories.push(image.repository.clone());
                }
                self.image.get_or_insert_with(|| image.clone());
            }
            Event::Version { template, .. } => self.template = Some(template.clone()),
            Event::Traffic { shares, verified: false } => {
                self.first_shares.get_or_insert(*shares);
            }
            Event::Traffic { shares, verified: true }
                if self.shares.last().map(|(_, last)| last) != Some(shares) =>
            {
                self.shares.push((self.now, *shares));
            }
            Event::Judgment { verdict, counts, message } => self.judge(verdict, *counts, message),
            Event::Notice { message }
                if self.notices.len() < KEPT && !self.notices.contains(message) =>
            {
                self.notices.push(message.clone());
            }
            Event::Outcome(outcome) => self.outcome = Some((**outcome).clone()),
            _ => {}
        }
    }

    /// Records a judgment. Of consecutive ones with the same verdict and shares, the last has the most evidence
    /// and replaces the others.
    fn judge(&mut self, verdict: &'static str, counts: Counts, message: &str) {
        let shares = self.shares.last().map(|(_, shares)| *shares);
        let at = self.now;
        let judgment = Judgment { at, shares, verdict, counts, message: message.to_owned() };
        match self.judgments.last_mut() {
            Some(last) if last.verdict == verdict && last.shares == shares => *last = judgment,
            _ => self.judgments.push(judgment),
        }
    }

    /// Records the result of a command that has no events.
    pub fn print(&mut self, text: &str) {
        self.printed = Some(text.to_owned());
    }

    /// Records what was skipped, and why.
    pub fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    /// Returns what was skipped, and why.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Returns the outcome, once the run has ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Returns the whole seconds from the start to the last event.
    pub fn seconds(&self) -> u64 {
        (self.now.as_second() - self.start.as_second()).unsigned_abs()
    }
}
