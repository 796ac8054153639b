//! Promise 1, no blind traffic: a weight is given only while enough targets are ready, and taken back
//! when they no longer are.

use std::time::Duration;

use cutover_lab::world::{elapsed, later};
use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::runs::Run;
use super::truth::{Ready, Share, SideTruth, Truth};
use super::{Found, Scene};

pub(super) const PROMISE: &str = "1 no blind traffic";

/// A retirement may run up to two minutes late (user guide), and clocks differ a little: nothing is
/// done to a group so near to it (DESIGN.md §4).
const AROUND: SignedDuration = SignedDuration::from_secs(180);

/// How near it was when the run looked is not to the second what it is when the change arrives.
const ABOUT: SignedDuration = SignedDuration::from_secs(170);

/// What is known of the sides.
#[derive(Debug)]
pub(super) struct Blind(Vec<Bearing>);

/// What is known of one side.
#[derive(Debug, Clone, Default)]
struct Bearing {
    /// The version that counts: what a run asked for last, or else what the group had saved.
    expected: Option<u64>,
    /// How many ready targets the last rise of its share needed.
    floor: u64,
    /// True once a run has let it shrink again, because all of its work was done.
    handed_over: bool,
    short: Watch,
    refreshed: Watch,
    broken: Watch,
}

/// For how long something has been wrong that a run should have mended.
#[derive(Debug, Clone, Default)]
struct Watch {
    since: Option<Timestamp>,
    told: bool,
}

impl Watch {
    /// True once it has been wrong for longer than `bound` in calm weather, and only once. Trouble
    /// begins the time anew, but not for ever: between two calls that fail, others are answered.
    fn lasts(
        &mut self,
        wrong: bool,
        now: Timestamp,
        bound: Duration,
        (troubled, outage): (Option<Timestamp>, Duration),
    ) -> bool {
        if !wrong {
            *self = Watch::default();
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let excused = later(since, bound.saturating_mul(2).saturating_add(outage));
        let since = troubled.map_or(since, |troubled| since.max(troubled.min(excused)));
        let lasts = !self.told && elapsed(since, now) > bound;
        self.told |= lasts;
        lasts
    }
}

impl Blind {
    pub(super) fn new(truth: &Truth) -> Blind {
        let saved = |side: &Option<SideTruth>| side.as_ref().and_then(|side| side.saved);
        let known = truth.sides.iter();
        Blind(known.map(|s| Bearing { expected: saved(s), ..Bearing::default() }).collect())
    }

    /// A change, by whomever.
    pub(super) fn call(&mut self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        if call.is_run() {
            self.learn(scene, call);
        }
        for (rule, (was, is)) in scene.was.shares.iter().zip(&scene.is.shares).enumerate() {
            for side in 0..self.0.len() {
                if is[side].exceeds(was[side]) {
                    self.rises(scene, call, (rule, side), is[side], found);
                }
            }
        }
    }

    /// What a run's call tells of the version that it expects on a side.
    fn learn(&mut self, scene: &Scene<'_>, call: &Call) {
        let Some(side) = call.group().and_then(|group| scene.names.side(group)) else { return };
        if call.operation == "StartInstanceRefresh" && call.done {
            let asked = call.launches().and_then(|(_, version)| version.parse().ok());
            self.0[side].expected = asked.or(self.0[side].expected);
        }
        let min = |truth: &Truth| truth.sides[side].as_ref().map_or(0, |side| side.min);
        if scene.is.is_all(side) && min(scene.is) < min(scene.was) {
            self.0[side].handed_over = true;
        }
    }

    /// A side's share of a rule has risen.
    fn rises(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (rule, side): (usize, usize),
        share: Share,
        found: &mut Found,
    ) {
        let now = scene.world.now;
        let bearing = &mut self.0[side];
        bearing.handed_over = false;
        if !call.is_run() {
            bearing.floor = share.enough(scene.is.largest_desired());
            return;
        }
        let group = &scene.names.sides[side].group;
        let gets =
            format!("{} gave {group} {} % of rule {}", call.sender, share.percent(), rule + 1);
        let Some(looked) =
            scene.runs.get(&call.sender).and_then(|run| looked(scene, run, side, call.sent))
        else {
            found.tell(PROMISE, now, format!("{gets} without having looked at its health"));
            return;
        };
        let back = scene.home.is_none_or(|home| home == side);
        // Traffic goes back on the last look there is: claim and rules alone have to be fresh.
        if !back && elapsed(looked, call.sent) > scene.tolerance.look {
            let age = elapsed(looked, call.sent).as_secs();
            found.tell(PROMISE, now, format!("{gets} on a look of {age} s ago"));
        }
        let from = earlier(looked, scene.tolerance.staleness);
        let desired = |truth: &Truth| match back {
            true => truth.desired_back(side),
            false => truth.largest_desired(),
        };
        let enough = share.enough(scene.past.since(from).map(desired).min().unwrap_or(0));
        let version = bearing.expected.unwrap_or(0);
        let is_enough =
            |ready: Ready| ready.targets >= enough && !SideTruth::lacks_zones(ready, scene.names);
        if !scene.past.since(from).any(|truth| is_enough(truth.ready(side, version))) {
            let ready = scene.was.ready(side, version).targets;
            found.tell(
                PROMISE,
                now,
                format!("{gets}, which needs {enough} ready targets of version {version}, and has {ready}"),
            );
        }
        bearing.floor = enough;
        free_to_bear(scene, side, from, &gets, found);
    }

    /// Any moment: is weight borne by what cannot bear it, though somebody is there to take it back?
    pub(super) fn moment(&mut self, scene: &Scene<'_>, found: &mut Found) {
        let (now, tolerance) = (scene.world.now, scene.tolerance);
        let acting = scene.runs.acting(now);
        let troubled = acting.and_then(|run| scene.runs.get(run)?.troubled);
        let trouble = (troubled, tolerance.outage);
        let home_bears = scene.home.is_some_and(|home| self.could_bear(scene, scene.is, home));
        for side in 0..self.0.len() {
            let share = scene.is.most(side);
            let away = scene.home.is_some_and(|home| home != side) && share.is_some();
            let bearing = &self.0[side];
            let version = bearing.expected.unwrap_or(0);
            let ready = scene.is.ready(side, version);
            let needed = bearing.floor.min(share.enough(scene.is.largest_desired()));
            let short = ready.targets < needed && !bearing.handed_over
                || SideTruth::lacks_zones(ready, scene.names);
            let truth = scene.is.sides[side].as_ref();
            let refreshed = truth.is_some_and(|truth| truth.refresh.is_some());
            let broken = truth.is_some_and(|truth| truth.errors >= tolerance.broken);
            let group = &scene.names.sides[side].group;
            let wrong = away && acting.is_some() && home_bears;
            let bearing = &mut self.0[side];
            if bearing.short.lasts(wrong && short, now, tolerance.react, trouble) {
                let what = format!(
                    "{group} has borne {} % with {} of {needed} ready targets for more than {} s",
                    share.percent(),
                    ready.targets,
                    tolerance.react.as_secs()
                );
                found.tell(PROMISE, now, what);
            }
            if bearing.refreshed.lasts(wrong && refreshed, now, tolerance.react, trouble) {
                let what = format!("{group} has borne {} % under a refresh", share.percent());
                found.tell(PROMISE, now, what);
            }
            if bearing.broken.lasts(wrong && broken, now, tolerance.judged, trouble) {
                let what = format!(
                    "{group} has borne {} % with a broken version for more than {} s",
                    share.percent(),
                    tolerance.judged.as_secs()
                );
                found.tell("2 kill it anywhere", now, what);
            }
        }
    }

    /// Whether all traffic could go to a side, by what held at some moment of late.
    pub(super) fn could_bear(&self, scene: &Scene<'_>, truth: &Truth, side: usize) -> bool {
        let Some(group) = &truth.sides[side] else { return false };
        let ready = truth.ready(side, self.0[side].expected.unwrap_or(0));
        let due = |at: Timestamp| at.duration_since(scene.world.now).abs() <= AROUND * 2;
        ready.targets >= truth.desired_back(side).max(1)
            && !SideTruth::lacks_zones(ready, scene.names)
            && !group.retirement.is_some_and(due)
    }
}

/// When a run that sends something looked at a side's health last: the older of its two readings.
fn looked(scene: &Scene<'_>, run: &Run, side: usize, sent: Timestamp) -> Option<Timestamp> {
    let target_group = scene.names.sides[side].target_group.as_ref()?;
    Some(run.read.groups.by(sent)?.min(run.read.health.get(target_group)?.by(sent)?))
}

/// Whether a side that gets weight was free of what would take its instances: a refresh, and our own
/// retirement. On the way back traffic comes first, unless the retirement is due about now.
fn free_to_bear(scene: &Scene<'_>, side: usize, from: Timestamp, gets: &str, found: &mut Found) {
    let now = scene.world.now;
    let always = |holds: fn(&SideTruth, Timestamp) -> bool| {
        scene.past.since(from).all(|t| t.sides[side].as_ref().is_some_and(|s| holds(s, now)))
    };
    let forward = scene.home.is_some_and(|home| home != side);
    if forward && always(|side, _| side.refresh.is_some()) {
        found.tell(PROMISE, now, format!("{gets} under an instance refresh"));
    }
    if forward && always(|side, _| side.retirement.is_some()) {
        found.tell(PROMISE, now, format!("{gets} with its retirement still to come"));
    }
    let due = |side: &SideTruth, now: Timestamp| {
        side.retirement.is_some_and(|at| at.duration_since(now).abs() <= ABOUT)
    };
    if always(due) {
        found.tell(PROMISE, now, format!("{gets} with its retirement due about now"));
    }
}

/// `duration` before `at`.
pub(super) fn earlier(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(at)
}
