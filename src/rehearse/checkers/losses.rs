//! Promise 2, kill it anywhere: traffic is served. Requests that users lose, beyond those they lose
//! in the same world without a deployer, are the deployer's fault.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::traffic::{NO_VERSION, Tally};
use cutover_lab::world::{World, elapsed};
use jiff::Timestamp;

use super::call::Call;
use super::external::ExternalChange;
use super::snapshot::SideSnapshot;
use super::{CheckContext, Side, Violations};

const PROMISE: &str = "2 kill it anywhere";

/// How requests ended, by the version that answered.
pub type Totals = BTreeMap<String, Tally>;

/// A span of time: from when until when.
pub type Window = (Timestamp, Timestamp);

/// How many requests chance alone can lose where none are lost without a deployer: a leaving target
/// may be sent one more request.
const FEW: u64 = 5;

/// What was lost before, and which versions are broken according to their images.
#[derive(Debug)]
pub(super) struct LossChecker {
    before: Totals,
    broken: BTreeMap<String, bool>,
    /// How many requests nothing answered so far; and how many of those a run sent as smoke tests,
    /// or fell into `windows`.
    unanswered: u64,
    excused: u64,
    /// When unanswered requests don't count, with a deployer or without: while a program that exits
    /// by itself received traffic (promise 1 says how long it may), or after a zone was lost.
    windows: Vec<Window>,
    /// The moment of the previous check.
    at: Timestamp,
    /// When a program that exits by itself last received traffic.
    crashing: Option<Timestamp>,
    /// How many zones are lost, and when the last one was.
    zones: usize,
    zone_lost: Option<Timestamp>,
}

/// How long after the loss of a zone its instances may not be replaced yet. How many that are
/// depends on the fleet, which differs without a deployer.
const REPLACEMENT: Duration = Duration::from_secs(300);

/// How long after a program that exits by itself last received traffic instances may still be
/// missing.
const AFTERMATH: Duration = Duration::from_secs(600);

impl LossChecker {
    pub(super) fn new(world: &World) -> LossChecker {
        let before = world.traffic.totals().clone();
        let unanswered = unanswered(world);
        let mut losses = LossChecker {
            before,
            broken: BTreeMap::new(),
            unanswered,
            excused: 0,
            windows: Vec::new(),
            at: world.now,
            crashing: None,
            zones: 0,
            zone_lost: None,
        };
        losses.learn(world);
        losses
    }

    /// Notes which versions are broken: the lab forgets an instance an hour after its end.
    pub(super) fn learn(&mut self, world: &World) {
        for instance in world.ec2.instances.values() {
            let program = &instance.program;
            let broken = program.error_rate > 0.0 || !program.healthy || program.crash.is_some();
            *self.broken.entry(program.version.clone()).or_default() |= broken;
        }
    }

    /// Notes a call: a run's own requests to the site are not users' requests.
    pub(super) fn call(&mut self, call: &Call) {
        if call.is_run() && call.service == "site" && call.status >= 400 {
            self.excused += 1;
        }
    }

    /// Updates, at any moment, what is excused.
    pub(super) fn moment(&mut self, scene: &CheckContext<'_>) {
        let now = unanswered(scene.world);
        let recent = |at: Option<Timestamp>, length| {
            at.is_some_and(|at| elapsed(at, scene.world.now) <= length)
        };
        let any = |so: fn(&SideSnapshot) -> bool| {
            scene.was.sides.iter().enumerate().any(|(side, truth)| {
                let bears = scene.names.sides.len() == 1 || scene.was.most(side).is_some();
                bears && truth.as_ref().is_some_and(so)
            })
        };
        // An instance that has ended is missing as long as none can be launched in its place, or as
        // long as the new one is not healthy.
        let short = |side: &SideSnapshot| {
            side.ready.values().map(|r| r.targets).sum::<u64>() < side.desired
        };
        if any(|side| side.crashes) || (recent(self.crashing, AFTERMATH) && any(short)) {
            self.crashing = Some(scene.world.now);
        }
        let lost = scene.world.ec2.zones.values().filter(|zone| !zone.alive).count();
        if lost > self.zones {
            self.zone_lost = Some(scene.world.now);
        }
        self.zones = lost;
        if recent(self.crashing, AFTERMATH) || recent(self.zone_lost, REPLACEMENT) {
            self.excused += now - self.unanswered;
            match self.windows.last_mut().filter(|(_, until)| *until == self.at) {
                Some((_, until)) => *until = scene.world.now,
                None => self.windows.push((self.at, scene.world.now)),
            }
        }
        self.unanswered = now;
        self.at = scene.world.now;
        // A program may start or stop failing at any time.
        if scene.is.sides.iter().flatten().any(|side| side.errors > 0) {
            self.learn(scene.world);
        }
    }

    /// Returns when unanswered requests don't count.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    pub(super) fn finish(
        &self,
        scene: &CheckContext<'_>,
        baseline: &Totals,
        found: &mut Violations,
    ) {
        // An operator who takes capacity away finds another fleet during a rollout than without
        // one: it may end the only instance that was left. And one who cancels a refresh leaves it
        // to the group which version it keeps.
        let shrunk = |side: &Side| {
            let touches = [
                ExternalChange::Size(side.group.clone()),
                ExternalChange::Refresh(side.group.clone()),
            ];
            touches.iter().any(|touch| scene.hands.touched(touch))
        };
        if scene.hands.touched(&ExternalChange::Instances) || scene.names.sides.iter().any(shrunk) {
            return;
        }
        let lost = self.lost(scene.world.traffic.totals()) - self.lost(&self.before);
        let lost = lost.saturating_sub(self.excused);
        let without = self.lost(baseline).saturating_sub(self.lost(&self.before));
        // The same losses come at other times: random counts differ by a few square roots of their
        // mean.
        let allowed = without + without / 5 + 3 * without.isqrt() + FEW;
        if lost > allowed {
            let what = format!("{lost} requests were lost, {without} without a deployer");
            found.report(PROMISE, scene.world.now, what);
        }
    }

    /// Returns how many requests failed, apart from those that a broken version failed itself.
    fn lost(&self, totals: &Totals) -> u64 {
        let broken = |version: &str| self.broken.get(version).is_some_and(|broken| *broken);
        let whole = totals.iter().filter(|(version, _)| *version == NO_VERSION || !broken(version));
        whole.map(|(_, tally)| tally.failed).sum()
    }
}

/// Returns how many requests no program has answered so far.
fn unanswered(world: &World) -> u64 {
    world.traffic.totals().get(NO_VERSION).map_or(0, |tally| tally.failed)
}
