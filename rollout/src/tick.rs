//! One tick while it is being decided: the next record, what to send, and what to report.

use std::time::Duration;

use jiff::Timestamp;

use super::mutant::{self, Mutant};
use super::{Action, NotReady, Observation, ObservedGroup, Plan, Shape, gate};
use crate::model::{Event, Failure, Phase, Record, Status};

/// A successor with an older heartbeat counts as dead. A run writes one at least every minute.
const SUCCESSOR_TIMEOUT: Duration = Duration::from_secs(180);

/// What one tick decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The record to save.
    pub record: Record,
    /// The changes to send, in order. The first that is not confirmed ends the tick.
    pub actions: Vec<Action>,
    /// True if the changes are sent before the record is saved: when traffic is restored to the old side.
    pub act_before_saving: bool,
    /// The events to report.
    pub events: Vec<Event>,
    /// How long to wait before the next observation.
    pub next_tick_in: Duration,
    /// How this run ends, if it does.
    pub end: Option<Exit>,
    /// True if a dead successor left traffic split: claim again and restore traffic.
    pub reclaim: bool,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The status.
    pub status: Status,
    /// What is true now.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Exit {
        Exit { status: failure.status, message: failure.message, hint: failure.hint }
    }
}

/// A tick while it is being decided.
pub(super) struct Tick<'a> {
    pub(super) plan: &'a Plan,
    pub(super) observation: &'a Observation,
    pub(super) record: Record,
    pub(super) actions: Vec<Action>,
    urgent: bool,
    events: Vec<Event>,
    wake: Duration,
    end: Option<Exit>,
}

/// The usual time between two observations.
const TICK_INTERVAL: Duration = Duration::from_secs(5);

/// The same while there is nothing to decide and the new side receives no traffic.
const LONGEST_INTERVAL: Duration = Duration::from_secs(20);

impl<'a> Tick<'a> {
    pub(super) fn new(plan: &'a Plan, record: &Record, observation: &'a Observation) -> Tick<'a> {
        Tick {
            plan,
            observation,
            record: record.clone(),
            actions: Vec::new(),
            urgent: false,
            events: Vec::new(),
            wake: TICK_INTERVAL,
            end: None,
        }
    }

    pub(super) fn finish(self) -> Decision {
        Decision {
            record: self.record,
            actions: self.actions,
            act_before_saving: self.urgent,
            events: self.events,
            next_tick_in: self.wake,
            end: self.end,
            reclaim: false,
        }
    }

    /// Stops this run if another one holds a higher number. Only if traffic is split does it stay: it observes until
    /// the other run acts, and claims again if that run dies first.
    pub(super) fn superseded(&mut self) -> Option<Decision> {
        let is_newest = self.observation.claim.highest <= self.record.number;
        if is_newest || mutant::on(Mutant::NoFence) {
            return None;
        }
        let mut next = Tick::new(self.plan, &self.record, self.observation).finish();
        let alive = self.observation.claim.successor.as_ref();
        if gate::is_split(self.plan, self.observation) && !alive.is_some_and(|s| s.is_acting) {
            if alive.is_none_or(|s| self.elapsed_since(s.heartbeat) > SUCCESSOR_TIMEOUT) {
                next.reclaim = true;
            } else {
                next.events.push(Event::Waiting {
                    message: "a newer run holds the claim; traffic is split, so this run watches until the newer one acts".to_owned(),
                    until: None,
                });
            }
            return Some(next);
        }
        next.end = Some(Exit {
            status: Status::Superseded,
            message: format!(
                "rollout {} has taken over from rollout {}; this run stops and changes nothing more",
                self.observation.claim.highest, self.record.number
            ),
            hint: Some("run `cutover status` to see what the newer run is doing".to_owned()),
        });
        Some(next)
    }

    /// Returns the time from `then` until now; zero if `then` is in the future.
    pub(super) fn elapsed_since(&self, then: Timestamp) -> Duration {
        Duration::try_from(self.observation.now.duration_since(then)).unwrap_or_default()
    }

    /// Enters a phase; the next observation follows at once.
    pub(super) fn enter(&mut self, phase: Phase, message: impl Into<String>) {
        self.record.phase = phase;
        self.record.since = self.observation.now;
        self.events.push(Event::Phase { phase: phase.name(), message: message.into() });
        self.observe_soon();
    }

    /// Observes again as soon as a change can be visible.
    pub(super) fn observe_soon(&mut self) {
        self.wake = Duration::from_secs(1);
    }

    /// Observes again after `left`, before which there is nothing to decide; earlier if `left` is long, to notice
    /// external changes.
    pub(super) fn observe_after(&mut self, left: Duration) {
        self.wake = left.clamp(Duration::from_secs(1), LONGEST_INTERVAL);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn notice(&mut self, message: impl Into<String>) {
        self.events.push(Event::Notice { message: message.into() });
    }

    /// Reports what the run waits for, and the deadline `limit` after the phase began.
    pub(super) fn report_waiting(&mut self, message: impl Into<String>, limit: Option<Duration>) {
        let until = limit.and_then(|limit| self.record.since.checked_add(limit).ok());
        self.events.push(Event::Waiting { message: message.into(), until });
    }

    /// Reports what is not ready as waited for, without a deadline of its own.
    pub(super) fn wait_unless_ready(&mut self, ready: Result<(), NotReady>) {
        if let Err(why) = ready {
            self.report_waiting(why.to_string(), None);
        }
    }

    pub(super) fn send(&mut self, action: Action) {
        self.actions.push(action);
        self.observe_soon();
    }

    /// Sends a change before the record is saved.
    pub(super) fn send_before_saving(&mut self, action: Action) {
        self.urgent = true;
        self.send(action);
    }

    /// Returns whether the phase has lasted longer than `limit`.
    pub(super) fn is_overdue(&self, limit: Duration) -> bool {
        self.elapsed_since(self.record.since) > limit
    }

    pub(super) fn end(&mut self, ending: Status, message: impl Into<String>, hint: Option<String>) {
        self.record.phase = Phase::Done;
        self.record.status = Some(ending);
        self.end = Some(Exit { status: ending, message: message.into(), hint });
    }

    /// Ends the run and leaves traffic as it is, because no change would improve it. The record stays unfinished, so
    /// that the next run resumes here.
    pub(super) fn stuck(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        let message = message.into();
        self.record.set_reason(&message);
        self.end = Some(Exit { status: Status::Stuck, message, hint: Some(hint.into()) });
    }

    /// Returns a group of the plan.
    pub(super) fn observed_group(&self, name: &str) -> Result<&'a ObservedGroup, NotReady> {
        let missing = || NotReady::new(format!("the Auto Scaling group `{name}` does not exist"));
        self.observation.groups.get(name).ok_or_else(missing)
    }

    /// Returns the version to roll out.
    pub(super) fn version(&self) -> Result<u64, NotReady> {
        self.record.version.ok_or_else(|| NotReady::new("the record has no version"))
    }

    /// Checks what the final verification read about the claim, the rules and the version's user data.
    pub(super) fn check_proof(&self, version: u64) -> Result<(), NotReady> {
        let unread = || NotReady::new("the proof of success has not been read");
        let proof = self.observation.proof.ok_or_else(unread)?;
        NotReady::unless(proof.unchanged_during_read, || {
            "the claim or the rules changed while they were read".into()
        })?;
        NotReady::unless(proof.user_data_is_pinned, || {
            format!(
                "the user data of version {version} does not name the image by its digest alone"
            )
        })
    }

    /// Returns a group of the plan. If it no longer exists, the run is stuck, because nothing can be proven.
    pub(super) fn group_or_stuck(&mut self, name: &str) -> Option<&'a ObservedGroup> {
        let observed = self.observed_group(name).ok();
        if observed.is_none() {
            self.stuck(
                format!("the Auto Scaling group `{name}` was deleted during the rollout"),
                "create the group again, then run `cutover rollback`",
            );
        }
        observed
    }
}

impl Plan {
    /// Returns the two groups, if the plan has that shape.
    pub fn pair(&self) -> Option<&super::Pair> {
        match &self.shape {
            Shape::TwoGroups(pair) => Some(pair),
            Shape::OneGroup(_) => None,
        }
    }
}
