//! The promises of the design, checked against the lab's own state after every event and every
//! call. The checkers know nothing of how the deployer decides: they see what a process sends, and
//! the state of the world. They share with it only the types of `model`, and the few numbers that
//! the design promises.

mod aftermath;
mod call;
mod capacity;
mod external;
mod fence;
mod history;
mod initial;
mod interference;
mod losses;
mod names;
mod readiness;
mod rollback;
mod runs;
mod snapshot;
mod success;
#[cfg(test)]
mod tests;
mod tolerance;

use cutover_lab::transport::WatchEvent;
use cutover_lab::world::World;
use jiff::Timestamp;

pub use losses::{Totals, Window};
pub use names::{FleetNames, Side};
pub use tolerance::Tolerance;

use call::Call;
use cutover_rollout::model::{Event, Outcome};
use external::ExternalChanges;
use history::SnapshotHistory;
use initial::InitialState;
use runs::Runs;
use snapshot::Snapshot;

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise, with its number in the design if it has one.
    pub promise: &'static str,
    /// When it was broken.
    pub at: Timestamp,
    /// What happened instead.
    pub what: String,
}

/// What every checker may read.
struct CheckContext<'a> {
    world: &'a World,
    names: &'a FleetNames,
    tolerance: &'a Tolerance,
    /// Earlier snapshots.
    past: &'a SnapshotHistory,
    /// The previous snapshot.
    was: &'a Snapshot,
    /// The current snapshot.
    is: &'a Snapshot,
    runs: &'a Runs,
    hands: &'a ExternalChanges,
    before: &'a InitialState,
    /// The side that traffic returns to in a rollback; `None` with one group, or while the
    /// unfinished rollout leaves it open.
    home: Option<usize>,
}

impl CheckContext<'_> {
    /// Whether an operator has touched something since the rollout began.
    fn touched(&self, what: &external::ExternalChange) -> bool {
        self.hands.touched_since(what, self.before.at)
    }
}

/// The violations found so far.
#[derive(Debug, Default)]
struct Violations(Vec<Violation>);

impl Violations {
    fn report(&mut self, promise: &'static str, at: Timestamp, what: impl Into<String>) {
        self.0.push(Violation { promise, at, what: what.into() });
    }
}

/// Checks the promises against the lab's state. Senders whose names begin with `run-` are
/// deployers; every other sender is an operator, whose changes are not held against a deployer.
#[derive(Debug)]
pub struct Checkers {
    names: FleetNames,
    tolerance: Tolerance,
    past: SnapshotHistory,
    truth: Snapshot,
    runs: Runs,
    hands: ExternalChanges,
    before: InitialState,
    home: Option<usize>,
    blind: readiness::ReadinessChecker,
    idle: capacity::CapacityChecker,
    back: rollback::RollbackChecker,
    fence: fence::FenceChecker,
    six: interference::InterferenceChecker,
    losses: losses::LossChecker,
    found: Violations,
}

impl Checkers {
    /// Creates checkers for a world in which no deployer has run yet.
    pub fn new(world: &World, names: &FleetNames, tolerance: Tolerance) -> Checkers {
        let truth = Snapshot::of(world, names);
        Checkers {
            past: SnapshotHistory::new(world.now, truth.clone()),
            runs: Runs::default(),
            hands: ExternalChanges::default(),
            before: InitialState::of(world, names, &truth, world.now),
            home: truth.live(),
            blind: readiness::ReadinessChecker::new(&truth),
            idle: capacity::CapacityChecker::new(&truth),
            back: rollback::RollbackChecker::new(world, names),
            fence: fence::FenceChecker,
            six: interference::InterferenceChecker::new(world, names, &truth),
            losses: losses::LossChecker::new(world),
            found: Violations::default(),
            names: names.clone(),
            tolerance,
            truth,
        }
    }

    /// Returns the violations found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.found.0
    }

    /// Checks the world after an event or a call, or notes that a call was sent.
    pub fn see(&mut self, world: &World, moment: &WatchEvent<'_>) {
        if let WatchEvent::Sent { sender, sent, operation, .. } = moment {
            self.back.sent(sender, *sent, operation);
            return;
        }
        let is = Snapshot::of(world, &self.names);
        if let WatchEvent::Cut { sender, .. } = moment
            && sender.starts_with(call::RUN)
        {
            self.runs.get_mut(sender).last_fault = Some(world.now);
        }
        let call = Call::of(moment);
        if let Some(call) = &call {
            self.claimed(world, call, &is);
        }
        let was = std::mem::replace(&mut self.truth, is.clone());
        self.before.learn(&is);
        let scene = CheckContext {
            world,
            names: &self.names,
            tolerance: &self.tolerance,
            past: &self.past,
            was: &was,
            is: &is,
            runs: &self.runs,
            hands: &self.hands,
            before: &self.before,
            home: self.home,
        };
        let found = &mut self.found;
        if let Some(call) = call.as_ref().filter(|call| !call.is_read()) {
            if call.is_run() {
                self.fence.call(&scene, call, found);
            }
            self.six.call(&scene, call, found);
            self.back.call(&scene, call, &self.blind, found);
            self.idle.call(&scene, call, found);
            self.blind.call(&scene, call, found);
        }
        self.idle.moment(&scene, found);
        self.blind.moment(&scene, found);
        self.back.moment(&scene, &self.blind, found);
        self.losses.moment(&scene);
        self.past.note(world.now, &is);
        if let Some(call) = &call {
            self.losses.call(call);
            if call.is_run() {
                self.runs.get_mut(&call.sender).note(world, call, &self.names);
            } else {
                self.hands.note(world, call, &self.names);
            }
        }
    }

    /// Notes that a process started.
    pub fn began(&mut self, now: Timestamp, run: &str) {
        let run = self.runs.get_mut(run);
        run.alive = true;
        run.began = Some(now);
    }

    /// Notes that a process died: it ran no cleanup, and its requests still arrive.
    pub fn died(&mut self, _now: Timestamp, run: &str) {
        self.runs.get_mut(run).alive = false;
        self.back.over(run);
    }

    /// Notes an event that a process reported.
    pub fn reported(&mut self, now: Timestamp, run: &str, event: &Event) {
        if let Event::RollingBack { .. } = event {
            self.back.reported(now, run);
        }
    }

    /// Checks a process that ended with an outcome.
    pub fn ended(&mut self, world: &World, run: &str, outcome: &Outcome) {
        let process = self.runs.get_mut(run);
        process.alive = false;
        process.outcome = Some(outcome.clone());
        self.back.over(run);
        self.losses.learn(world);
        let scene = CheckContext {
            world,
            names: &self.names,
            tolerance: &self.tolerance,
            past: &self.past,
            was: &self.truth,
            is: &self.truth,
            runs: &self.runs,
            hands: &self.hands,
            before: &self.before,
            home: self.home,
        };
        success::ended(&scene, run, outcome, &mut self.found);
        let newest = self.runs.newest().and_then(|n| runs::record(world, &self.names, n));
        if newest.is_some_and(|record| record.is_finished()) {
            self.home = self.truth.live().or(self.home);
        }
    }

    /// Returns when unanswered requests don't count, so far.
    pub fn excused_windows(&self) -> &[Window] {
        self.losses.windows()
    }

    /// Checks the world after the last process has ended and some quiet time has passed: nothing of
    /// cutover's is left behind, and everything is as it must be. `baseline` is what users got in
    /// the same world without a deployer, apart from unanswered requests in the
    /// [windows](Checkers::excused_windows) that don't count.
    pub fn finish(mut self, world: &World, baseline: &Totals) -> Vec<Violation> {
        let truth = Snapshot::of(world, &self.names);
        let scene = CheckContext {
            world,
            names: &self.names,
            tolerance: &self.tolerance,
            past: &self.past,
            was: &self.truth,
            is: &truth,
            runs: &self.runs,
            hands: &self.hands,
            before: &self.before,
            home: self.home,
        };
        self.losses.learn(world);
        // Time has passed since the last event.
        self.losses.moment(&scene);
        self.losses.finish(&scene, baseline, &mut self.found);
        aftermath::finish(&scene, &self.six, &mut self.found);
        self.found.0
    }

    /// Notes a claim, which begins or resumes a rollout: that decides which side traffic returns to
    /// in a rollback.
    fn claimed(&mut self, world: &World, call: &Call, is: &Snapshot) {
        if !call.is_run() {
            return;
        }
        let Some(claim) = self.runs.note_claim(world, call, &self.names) else { return };
        self.losses.learn(world);
        let live = is.live();
        if !claim.takes_over {
            let began = self.runs.get(&call.sender).and_then(|run| run.began);
            self.before = InitialState::of(world, &self.names, is, began.unwrap_or(world.now));
            self.home = live.or(self.home);
            self.six.begins();
        } else if claim.restarts && live.is_some() && live != self.home {
            // The side that the predecessor made live may stay live, or be rolled back.
            self.home = None;
            self.before.may_be_swapped = true;
        }
    }
}
