//! What a run did, collected from its events: what summary, comment and outputs are made of.

use jiff::Timestamp;

use crate::model::{
    Counts, Ending, Event, ImageReference, Outcome, PerColour, Repository, Stamped,
};
use crate::report::Look;
use crate::report::line::Line;
use crate::report::timeline::Timeline;

/// How many of a kind are kept. A run of days has many notices; a summary holds 1 MiB.
const KEPT: usize = 50;

/// A finding of the preflight.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) severity: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
    pub(super) command: Option<String>,
}

/// What the judge said, and on what evidence.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    pub(super) at: Timestamp,
    /// The shares while the evidence was counted; none with one group.
    pub(super) weights: Option<PerColour<u8>>,
    pub(super) verdict: &'static str,
    pub(super) counts: Counts,
    pub(super) message: String,
}

/// A run so far.
#[derive(Debug)]
pub struct Story {
    /// The outcome that counts as success.
    pub(super) goal: Ending,
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
    pub(super) service: Option<String>,
    pub(super) rollout: Option<u64>,
    pub(super) template: Option<String>,
    pub(super) image: Option<ImageReference>,
    pub(super) repositories: Vec<Repository>,
    pub(super) timeline: Timeline,
    /// The shares that were set first.
    pub(super) first_set: Option<PerColour<u8>>,
    /// The shares that were read back.
    pub(super) weights: Vec<(Timestamp, PerColour<u8>)>,
    pub(super) judgements: Vec<Judgement>,
    pub(super) findings: Vec<Finding>,
    pub(super) notices: Vec<String>,
    pub(super) outcome: Option<Outcome>,
    /// What was printed instead of events: a plan, a status.
    pub(super) printed: Option<String>,
    /// What was skipped for want of a permission.
    skipped: Vec<String>,
}

impl Story {
    /// The story of a run that begins at `start`; `goal` is the outcome that counts as success.
    pub fn new(start: Timestamp, goal: Ending) -> Story {
        Story {
            goal,
            start,
            now: start,
            service: None,
            rollout: None,
            template: None,
            image: None,
            repositories: Vec::new(),
            timeline: Timeline::default(),
            first_set: None,
            weights: Vec::new(),
            judgements: Vec::new(),
            findings: Vec::new(),
            notices: Vec::new(),
            outcome: None,
            printed: None,
            skipped: Vec::new(),
        }
    }

    /// Takes an event.
    pub fn note(&mut self, stamped: &Stamped) {
        self.now = stamped.time;
        let line = Line::of(&stamped.event, self.start, Look::PLAIN);
        let about = line.about_what();
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
            Event::Weights { weights, verified: false } => {
                self.first_set.get_or_insert(*weights);
            }
            Event::Weights { weights, verified: true }
                if self.weights.last().map(|(_, last)| last) != Some(weights) =>
            {
                self.weights.push((self.now, *weights));
            }
            Event::Judgement { verdict, counts, message } => self.judge(verdict, *counts, message),
            Event::Notice { message }
                if self.notices.len() < KEPT && !self.notices.contains(message) =>
            {
                self.notices.push(message.clone());
            }
            Event::Outcome(outcome) => self.outcome = Some((**outcome).clone()),
            _ => {}
        }
    }

    /// Keeps the last judgement of each verdict and share: earlier ones are of less evidence.
    fn judge(&mut self, verdict: &'static str, counts: Counts, message: &str) {
        let weights = self.weights.last().map(|(_, weights)| *weights);
        let at = self.now;
        let judgement = Judgement { at, weights, verdict, counts, message: message.to_owned() };
        match self.judgements.last_mut() {
            Some(last) if last.verdict == verdict && last.weights == weights => *last = judgement,
            _ => self.judgements.push(judgement),
        }
    }

    /// Takes what a command prints instead of events.
    pub fn print(&mut self, text: &str) {
        self.printed = Some(text.to_owned());
    }

    /// Takes what was skipped, and what it would take.
    pub fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    /// What was skipped.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// How the run ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Whole seconds from its beginning to its last event.
    pub fn seconds(&self) -> u64 {
        (self.now.as_second() - self.start.as_second()).unsigned_abs()
    }
}
