//! The promises of the design, held against the lab's truth after every event and every call. The
//! checkers know nothing of how the deployer decides: they see what a process sends, and what the
//! world is like. They share with it only the nouns of `model`, and the few numbers that the design
//! promises.

mod back;
mod before;
mod blind;
mod call;
mod end;
mod fence;
mod hands;
mod idle;
mod losses;
mod names;
mod past;
mod runs;
mod success;
#[cfg(test)]
mod tests;
mod tolerance;
mod touch;
mod truth;

use cutover_lab::doors::Moment;
use cutover_lab::world::World;
use jiff::Timestamp;

pub use losses::{Totals, Window};
pub use names::{FleetNames, Side};
pub use tolerance::Tolerance;

use crate::model::{Event, Outcome};
use before::Before;
use call::Call;
use past::Past;
use runs::Runs;
use touch::Hands;
use truth::Truth;

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which, with its number in the design where it has one.
    pub promise: &'static str,
    /// When.
    pub at: Timestamp,
    /// What was seen instead.
    pub what: String,
}

/// What every checker may look at.
struct Scene<'a> {
    world: &'a World,
    names: &'a FleetNames,
    tolerance: &'a Tolerance,
    /// What held until now.
    past: &'a Past,
    /// What held just before.
    was: &'a Truth,
    /// What holds now.
    is: &'a Truth,
    runs: &'a Runs,
    hands: &'a Hands,
    before: &'a Before,
    /// The side that traffic goes back to; none with one group, or where the unfinished rollout
    /// leaves it open which that is.
    home: Option<usize>,
}

impl Scene<'_> {
    /// Whether another hand has touched something since the rollout began.
    fn touched(&self, what: &touch::Touch) -> bool {
        self.hands.touched_since(what, self.before.at)
    }
}

/// The violations found so far.
#[derive(Debug, Default)]
struct Found(Vec<Violation>);

impl Found {
    fn tell(&mut self, promise: &'static str, at: Timestamp, what: impl Into<String>) {
        self.0.push(Violation { promise, at, what: what.into() });
    }
}

/// Holds the promises against the truth. Deployers' doors have names that begin with `run-`; whatever
/// else calls is another hand, and what it does is not held against a deployer.
#[derive(Debug)]
pub struct Checkers {
    names: FleetNames,
    tolerance: Tolerance,
    past: Past,
    truth: Truth,
    runs: Runs,
    hands: Hands,
    before: Before,
    home: Option<usize>,
    blind: blind::Blind,
    idle: idle::Idle,
    back: back::Back,
    fence: fence::Fence,
    six: hands::Restraint,
    losses: losses::Losses,
    found: Found,
}

impl Checkers {
    /// Begins with the world as it is before any deployer.
    pub fn new(world: &World, names: &FleetNames, tolerance: Tolerance) -> Checkers {
        let truth = Truth::of(world, names);
        Checkers {
            past: Past::new(world.now, truth.clone()),
            runs: Runs::default(),
            hands: Hands::default(),
            before: Before::of(world, names, &truth, world.now),
            home: truth.live(),
            blind: blind::Blind::new(&truth),
            idle: idle::Idle::new(&truth),
            back: back::Back::new(world, names),
            fence: fence::Fence,
            six: hands::Restraint::new(world, names, &truth),
            losses: losses::Losses::new(world),
            found: Found::default(),
            names: names.clone(),
            tolerance,
            truth,
        }
    }

    /// What was found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.found.0
    }

    /// After every world event and every call, and whenever a call is sent.
    pub fn see(&mut self, world: &World, moment: &Moment<'_>) {
        if let Moment::Sent { sender, sent, operation, .. } = moment {
            self.back.sent(sender, *sent, operation);
            return;
        }
        let is = Truth::of(world, &self.names);
        if let Moment::Cut { sender, .. } = moment
            && sender.starts_with(call::RUN)
        {
            self.runs.get_mut(sender).troubled = Some(world.now);
        }
        let call = Call::of(moment);
        if let Some(call) = &call {
            self.claimed(world, call, &is);
        }
        let was = std::mem::replace(&mut self.truth, is.clone());
        self.before.learn(&is);
        let scene = Scene {
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

    /// A process began.
    pub fn began(&mut self, now: Timestamp, run: &str) {
        let run = self.runs.get_mut(run);
        run.alive = true;
        run.began = Some(now);
    }

    /// A process died: nothing was run on the way out, and its requests still arrive.
    pub fn died(&mut self, _now: Timestamp, run: &str) {
        self.runs.get_mut(run).alive = false;
        self.back.over(run);
    }

    /// A process told something.
    pub fn told(&mut self, now: Timestamp, run: &str, event: &Event) {
        if let Event::TakingBack { .. } = event {
            self.back.told(now, run);
        }
    }

    /// A process came to its end.
    pub fn ended(&mut self, world: &World, run: &str, outcome: &Outcome) {
        let process = self.runs.get_mut(run);
        process.alive = false;
        process.outcome = Some(outcome.clone());
        self.back.over(run);
        self.losses.learn(world);
        let scene = Scene {
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

    /// When what nothing answered does not count, so far.
    pub fn uncounted(&self) -> &[Window] {
        self.losses.windows()
    }

    /// After the last process's end and some quiet time: nothing of ours is left, and everything is as
    /// it must be. `baseline`: what users got in the same world without a deployer, apart from what
    /// nothing answered in the [windows](Checkers::uncounted) that do not count.
    pub fn finish(mut self, world: &World, baseline: &Totals) -> Vec<Violation> {
        let truth = Truth::of(world, &self.names);
        let scene = Scene {
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
        end::finish(&scene, &self.six, &mut self.found);
        self.found.0
    }

    /// A claim begins a rollout, or goes on with one: that decides where traffic goes back to.
    fn claimed(&mut self, world: &World, call: &Call, is: &Truth) {
        if !call.is_run() {
            return;
        }
        let Some(claim) = self.runs.note_claim(world, call, &self.names) else { return };
        self.losses.learn(world);
        let live = is.live();
        if !claim.takes_over {
            let began = self.runs.get(&call.sender).and_then(|run| run.began);
            self.before = Before::of(world, &self.names, is, began.unwrap_or(world.now));
            self.home = live.or(self.home);
            self.six.begins();
        } else if claim.restarts && live.is_some() && live != self.home {
            // What the predecessor promoted may be the live one from now on, or be taken back.
            self.home = None;
            self.before.may_turn = true;
        }
    }
}
