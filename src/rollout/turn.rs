//! One turn of the loop in the making: the record as it will be, what to send, what to tell.

use std::time::Duration;

use jiff::Timestamp;

use super::mutant::{self, Mutant};
use super::{Action, GroupSeen, Plan, Seen, Shape, gate};
use crate::model::{Ending, Event, Phase, Record};

/// A successor whose heartbeat is older than this is dead. Runs write one at least every minute.
const STALE: Duration = Duration::from_secs(180);

/// What a turn decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// The record to save.
    pub record: Record,
    /// The changes to send, in order; the first that does not end as done ends the turn.
    pub actions: Vec<Action>,
    /// True where the changes come before the record: weights that are taken back.
    pub urgent: bool,
    /// What to tell.
    pub events: Vec<Event>,
    /// When to look again.
    pub wake: Duration,
    /// The end of this run, if it has come, with its message and advice.
    pub end: Option<End>,
    /// True where a dead successor left traffic split: claim again and take back.
    pub reclaim: bool,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The end.
    pub ending: Ending,
    /// What holds now.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A turn in the making.
pub(super) struct Turn<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seen: &'a Seen,
    pub(super) record: Record,
    pub(super) actions: Vec<Action>,
    urgent: bool,
    events: Vec<Event>,
    wake: Duration,
    end: Option<End>,
}

/// The usual time between two looks.
const PACE: Duration = Duration::from_secs(5);

/// The same while nothing can be decided and the new side bears no weight.
const CALM: Duration = Duration::from_secs(20);

impl<'a> Turn<'a> {
    pub(super) fn new(plan: &'a Plan, record: &Record, seen: &'a Seen) -> Turn<'a> {
        Turn {
            plan,
            seen,
            record: record.clone(),
            actions: Vec::new(),
            urgent: false,
            events: Vec::new(),
            wake: PACE,
            end: None,
        }
    }

    pub(super) fn finish(self) -> Next {
        Next {
            record: self.record,
            actions: self.actions,
            urgent: self.urgent,
            events: self.events,
            wake: self.wake,
            end: self.end,
            reclaim: false,
        }
    }

    /// Somebody holds a higher number: stop. Only where traffic is split does this run stay,
    /// reading, until the other acts, and takes over again if it died before that.
    pub(super) fn superseded(&mut self) -> Option<Next> {
        let is_newest = self.seen.claim.highest <= self.record.number;
        if is_newest || mutant::on(Mutant::NoFence) {
            return None;
        }
        let mut next = Turn::new(self.plan, &self.record, self.seen).finish();
        let alive = self.seen.claim.successor.as_ref();
        if gate::split(self.plan, self.seen) && !alive.is_some_and(|s| s.acting) {
            if alive.is_none_or(|s| self.since(s.heartbeat) > STALE) {
                next.reclaim = true;
            } else {
                next.events.push(Event::Waiting {
                    message: "a newer run holds the claim; traffic is split, so this run watches until that one acts".to_owned(),
                    until: None,
                });
            }
            return Some(next);
        }
        next.end = Some(End {
            ending: Ending::Superseded,
            message: format!(
                "rollout {} has taken over from rollout {}; this run stops and touches nothing more",
                self.seen.claim.highest, self.record.number
            ),
            hint: Some("`cutover status` shows what the newer run does".to_owned()),
        });
        Some(next)
    }

    /// The time between `then` and now; zero where `then` lies ahead.
    pub(super) fn since(&self, then: Timestamp) -> Duration {
        Duration::try_from(self.seen.now.duration_since(then)).unwrap_or_default()
    }

    /// Enters a phase; the next look comes at once.
    pub(super) fn go(&mut self, phase: Phase, message: impl Into<String>) {
        self.record.phase = phase;
        self.record.since = self.seen.now;
        self.events.push(Event::Phase { phase: phase.name(), message: message.into() });
        self.soon();
    }

    /// Looks again as soon as a change can be visible.
    pub(super) fn soon(&mut self) {
        self.wake = Duration::from_secs(1);
    }

    /// Looks again when `left` has passed, before which there is nothing to decide; sooner where that
    /// is long, to notice other hands.
    pub(super) fn rest(&mut self, left: Duration) {
        self.wake = left.clamp(Duration::from_secs(1), CALM);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn notice(&mut self, message: impl Into<String>) {
        self.events.push(Event::Notice { message: message.into() });
    }

    /// Tells what is waited for, and until when.
    pub(super) fn wait(&mut self, message: impl Into<String>, limit: Option<Duration>) {
        let until = limit.and_then(|limit| self.record.since.checked_add(limit).ok());
        self.events.push(Event::Waiting { message: message.into(), until });
    }

    pub(super) fn send(&mut self, action: Action) {
        self.actions.push(action);
        self.soon();
    }

    /// Sends before the record is saved.
    pub(super) fn send_first(&mut self, action: Action) {
        self.urgent = true;
        self.send(action);
    }

    /// Whether the phase has lasted longer than `limit`.
    pub(super) fn overdue(&self, limit: Duration) -> bool {
        self.since(self.record.since) > limit
    }

    pub(super) fn end(&mut self, ending: Ending, message: impl Into<String>, hint: Option<String>) {
        self.record.phase = Phase::Done;
        self.record.ending = Some(ending);
        self.end = Some(End { ending, message: message.into(), hint });
    }

    /// Ends with traffic as it is: no change of ours makes it better. The record stays unfinished,
    /// so that the next run goes on from here.
    pub(super) fn stuck(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        let message = message.into();
        self.record.set_reason(&message);
        self.end = Some(End { ending: Ending::Stuck, message, hint: Some(hint.into()) });
    }

    /// A group of the plan; where it is gone, the run is stuck, because nothing can be proven.
    pub(super) fn group(&mut self, name: &str) -> Option<&'a GroupSeen> {
        let seen = self.seen.groups.get(name);
        if seen.is_none() {
            self.stuck(
                format!("Auto Scaling group `{name}` does not exist any more"),
                "somebody deleted it in mid-rollout: recreate it, then run `cutover rollback`",
            );
        }
        seen
    }
}

impl Plan {
    /// The two groups, where the plan is of that shape.
    pub fn pair(&self) -> Option<&super::Pair> {
        match &self.shape {
            Shape::TwoGroups(pair) => Some(pair),
            Shape::OneGroup(_) => None,
        }
    }
}
