//! Promise 2, kill it anywhere: traffic is served. What users lose, beyond what they lose in the same
//! world without a deployer, is the deployer's.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::traffic::{NO_VERSION, Tally};
use cutover_lab::world::{World, elapsed};
use jiff::Timestamp;

use super::call::Call;
use super::touch::Touch;
use super::truth::SideTruth;
use super::{Found, Scene, Side};

const PROMISE: &str = "2 kill it anywhere";

/// How requests ended, by the version that answered.
pub type Totals = BTreeMap<String, Tally>;

/// From when until when.
pub type Window = (Timestamp, Timestamp);

/// Losses that chance alone can make where there are none without a deployer: a target that is
/// leaving may be asked once more.
const FEW: u64 = 5;

/// What was lost before, and which versions are broken by what their images say.
#[derive(Debug)]
pub(super) struct Losses {
    before: Totals,
    broken: BTreeMap<String, bool>,
    /// Requests that nothing answered so far; and those of them that a run made to try out the new
    /// side, or that fell into `windows`.
    unanswered: u64,
    excused: u64,
    /// When what nothing answered does not count, with a deployer or without: while a program that ends
    /// by itself was in traffic (how long it stays there is the first promise's), or a zone was lost.
    windows: Vec<Window>,
    /// The moment before this one.
    at: Timestamp,
    /// When such a program was in traffic last.
    crashing: Option<Timestamp>,
    /// How many zones are lost, and when the last of them was.
    zones: usize,
    zone_lost: Option<Timestamp>,
}

/// So long after a zone was lost what it took may not be replaced yet. How much that was depends on
/// which instances there were, and without a deployer there were others.
const REPLACEMENT: Duration = Duration::from_secs(300);

/// So long after a program that ends by itself was in traffic, instances may still be missing for it.
const AFTERMATH: Duration = Duration::from_secs(600);

impl Losses {
    pub(super) fn new(world: &World) -> Losses {
        let before = world.traffic.totals().clone();
        let unanswered = unanswered(world);
        let mut losses = Losses {
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

    /// Learns of the versions that there are: an hour after its end an instance is forgotten.
    pub(super) fn learn(&mut self, world: &World) {
        for instance in world.ec2.instances.values() {
            let program = &instance.program;
            let broken = program.error_rate > 0.0 || !program.healthy || program.crash.is_some();
            *self.broken.entry(program.version.clone()).or_default() |= broken;
        }
    }

    /// A call: a run's own requests to the site are no user's.
    pub(super) fn call(&mut self, call: &Call) {
        if call.is_run() && call.service == "site" && call.status >= 400 {
            self.excused += 1;
        }
    }

    /// Any moment.
    pub(super) fn moment(&mut self, scene: &Scene<'_>) {
        let now = unanswered(scene.world);
        let recent = |at: Option<Timestamp>, length| {
            at.is_some_and(|at| elapsed(at, scene.world.now) <= length)
        };
        let any = |so: fn(&SideTruth) -> bool| {
            scene.was.sides.iter().enumerate().any(|(side, truth)| {
                let bears = scene.names.sides.len() == 1 || scene.was.most(side).is_some();
                bears && truth.as_ref().is_some_and(so)
            })
        };
        // What has ended is missing for as long as nothing can be launched in its place, or what is does
        // not become healthy.
        let short =
            |side: &SideTruth| side.ready.values().map(|r| r.targets).sum::<u64>() < side.desired;
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
        // Programs may go wrong, and mend, at any time.
        if scene.is.sides.iter().flatten().any(|side| side.errors > 0) {
            self.learn(scene.world);
        }
    }

    /// When what nothing answered does not count.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    pub(super) fn finish(&self, scene: &Scene<'_>, baseline: &Totals, found: &mut Found) {
        // A hand that takes capacity away meets another fleet where there is a rollout than where there is
        // none: the one instance that was left may be the one that it ends; and who cancels a refresh
        // leaves it to the group which version it keeps.
        let shrunk = |side: &Side| {
            let touches = [Touch::Size(side.group.clone()), Touch::Refresh(side.group.clone())];
            touches.iter().any(|touch| scene.hands.touched(touch))
        };
        if scene.hands.touched(&Touch::Instances) || scene.names.sides.iter().any(shrunk) {
            return;
        }
        let lost = self.lost(scene.world.traffic.totals()) - self.lost(&self.before);
        let lost = lost.saturating_sub(self.excused);
        let without = self.lost(baseline).saturating_sub(self.lost(&self.before));
        // The same losses fall differently: counts of chance differ by some roots of their mean.
        let allowed = without + without / 5 + 3 * without.isqrt() + FEW;
        if lost > allowed {
            let what = format!("{lost} requests were lost; without a deployer {without} are");
            found.tell(PROMISE, scene.world.now, what);
        }
    }

    /// Requests that failed, apart from those that a broken version failed by its own.
    fn lost(&self, totals: &Totals) -> u64 {
        let broken = |version: &str| self.broken.get(version).is_some_and(|broken| *broken);
        let whole = totals.iter().filter(|(version, _)| *version == NO_VERSION || !broken(version));
        whole.map(|(_, tally)| tally.failed).sum()
    }
}

/// Requests so far that no program answered.
fn unanswered(world: &World) -> u64 {
    world.traffic.totals().get(NO_VERSION).map_or(0, |tally| tally.failed)
}
