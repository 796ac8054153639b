//! Promise 1, no blind traffic: a side's share is raised only while enough of its targets are
//! ready, and traffic is restored when they no longer are.

use std::time::Duration;

use cutover_lab::world::{elapsed, later};
use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::runs::Run;
use super::snapshot::{ReadyTargets, Share, SideSnapshot, Snapshot};
use super::{CheckContext, Violations};

pub(super) const PROMISE: &str = "1 no blind traffic";

/// A scheduled action may run up to two minutes late (user guide), and clocks differ a little:
/// nothing is done to a group this close to its scheduled scale-in (DESIGN.md §4).
const AROUND: SignedDuration = SignedDuration::from_secs(180);

/// The same bound, less the time from the run's observation to the arrival of its change.
const ABOUT: SignedDuration = SignedDuration::from_secs(170);

/// What is known about each side.
#[derive(Debug)]
pub(super) struct ReadinessChecker(Vec<SideReadiness>);

/// What is known about one side.
#[derive(Debug, Clone, Default)]
struct SideReadiness {
    /// The version that counts: the one a run last requested, or else the one that the group had
    /// saved.
    expected: Option<u64>,
    /// How many ready targets the last increase of its share required.
    floor: u64,
    /// Whether a run has let it shrink again because the rollout was done.
    handed_over: bool,
    short: OverdueTimer,
    refreshed: OverdueTimer,
    broken: OverdueTimer,
}

/// How long a condition has held that a run should have fixed.
#[derive(Debug, Clone, Default)]
struct OverdueTimer {
    since: Option<Timestamp>,
    reported: bool,
}

impl OverdueTimer {
    /// Returns true once, when the condition has held for longer than `bound` without faults. A
    /// failed or slow call restarts the time, but not indefinitely: between two calls that fail,
    /// others are answered.
    fn is_overdue(
        &mut self,
        wrong: bool,
        now: Timestamp,
        bound: Duration,
        (troubled, outage): (Option<Timestamp>, Duration),
    ) -> bool {
        if !wrong {
            *self = OverdueTimer::default();
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let excused = later(since, bound.saturating_mul(2).saturating_add(outage));
        let since = troubled.map_or(since, |troubled| since.max(troubled.min(excused)));
        let lasts = !self.reported && elapsed(since, now) > bound;
        self.reported |= lasts;
        lasts
    }
}

impl ReadinessChecker {
    pub(super) fn new(truth: &Snapshot) -> ReadinessChecker {
        let saved = |side: &Option<SideSnapshot>| side.as_ref().and_then(|side| side.saved);
        let known = truth.sides.iter();
        ReadinessChecker(
            known
                .map(|s| SideReadiness { expected: saved(s), ..SideReadiness::default() })
                .collect(),
        )
    }

    /// Checks a change, whoever sent it.
    pub(super) fn call(&mut self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
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

    /// Learns from a run's call which version it expects on a side.
    fn learn(&mut self, scene: &CheckContext<'_>, call: &Call) {
        let Some(side) = call.group().and_then(|group| scene.names.side(group)) else { return };
        if call.operation == "StartInstanceRefresh" && call.done {
            let asked = call.launches().and_then(|(_, version)| version.parse().ok());
            self.0[side].expected = asked.or(self.0[side].expected);
        }
        let min = |truth: &Snapshot| truth.sides[side].as_ref().map_or(0, |side| side.min);
        if scene.is.is_all(side) && min(scene.is) < min(scene.was) {
            self.0[side].handed_over = true;
        }
    }

    /// Checks an increase of a side's share of a rule.
    fn rises(
        &mut self,
        scene: &CheckContext<'_>,
        call: &Call,
        (rule, side): (usize, usize),
        share: Share,
        found: &mut Violations,
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
            format!("{} gave {group} {}% of rule {}", call.sender, share.percent(), rule + 1);
        let Some(looked) =
            scene.runs.get(&call.sender).and_then(|run| looked(scene, run, side, call.sent))
        else {
            found.report(PROMISE, now, format!("{gets} without having read its health"));
            return;
        };
        let back = scene.home.is_none_or(|home| home == side);
        // Traffic is restored on the latest observation there is: only the claim and the rules have
        // to be fresh.
        if !back && elapsed(looked, call.sent) > scene.tolerance.look {
            let age = elapsed(looked, call.sent).as_secs();
            found.report(PROMISE, now, format!("{gets} on health read {age} s earlier"));
        }
        let from = earlier(looked, scene.tolerance.staleness);
        let desired = |truth: &Snapshot| match back {
            true => truth.desired_for_rollback(side),
            false => truth.largest_desired(),
        };
        let enough = share.enough(scene.past.since(from).map(desired).min().unwrap_or(0));
        let version = bearing.expected.unwrap_or(0);
        let is_enough = |ready: ReadyTargets| {
            ready.targets >= enough && !SideSnapshot::lacks_zones(ready, scene.names)
        };
        if !scene.past.since(from).any(|truth| is_enough(truth.ready(side, version))) {
            let ready = scene.was.ready(side, version).targets;
            found.report(
                PROMISE,
                now,
                format!("{gets}, which needs {enough} ready targets of version {version} and has {ready}"),
            );
        }
        bearing.floor = enough;
        check_stable_capacity(scene, side, from, &gets, found);
    }

    /// Checks, at any moment, whether a side receives traffic that it cannot serve although a run
    /// could restore it.
    pub(super) fn moment(&mut self, scene: &CheckContext<'_>, found: &mut Violations) {
        let (now, tolerance) = (scene.world.now, scene.tolerance);
        let acting = scene.runs.acting(now);
        let troubled = acting.and_then(|run| scene.runs.get(run)?.last_fault);
        let trouble = (troubled, tolerance.outage);
        let home_bears = scene.home.is_some_and(|home| self.could_serve_all(scene, scene.is, home));
        for side in 0..self.0.len() {
            let share = scene.is.most(side);
            let away = scene.home.is_some_and(|home| home != side) && share.is_some();
            let bearing = &self.0[side];
            let version = bearing.expected.unwrap_or(0);
            let ready = scene.is.ready(side, version);
            let needed = bearing.floor.min(share.enough(scene.is.largest_desired()));
            let short = ready.targets < needed && !bearing.handed_over
                || SideSnapshot::lacks_zones(ready, scene.names);
            let truth = scene.is.sides[side].as_ref();
            let refreshed = truth.is_some_and(|truth| truth.refresh.is_some());
            let broken = truth.is_some_and(|truth| truth.errors >= tolerance.broken);
            let group = &scene.names.sides[side].group;
            let wrong = away && acting.is_some() && home_bears;
            let bearing = &mut self.0[side];
            if bearing.short.is_overdue(wrong && short, now, tolerance.react, trouble) {
                let what = format!(
                    "{group} has received {}% of the traffic with {} of {needed} ready targets for more than {} s",
                    share.percent(),
                    ready.targets,
                    tolerance.react.as_secs()
                );
                found.report(PROMISE, now, what);
            }
            if bearing.refreshed.is_overdue(wrong && refreshed, now, tolerance.react, trouble) {
                let what = format!(
                    "{group} has received {}% of the traffic during an instance refresh",
                    share.percent()
                );
                found.report(PROMISE, now, what);
            }
            if bearing.broken.is_overdue(wrong && broken, now, tolerance.judged, trouble) {
                let what = format!(
                    "{group} has received {}% of the traffic with a broken version for more than {} s",
                    share.percent(),
                    tolerance.judged.as_secs()
                );
                found.report("2 kill it anywhere", now, what);
            }
        }
    }

    /// Whether a side could have received all traffic in `truth`, a recent state.
    pub(super) fn could_serve_all(
        &self,
        scene: &CheckContext<'_>,
        truth: &Snapshot,
        side: usize,
    ) -> bool {
        let Some(group) = &truth.sides[side] else { return false };
        let ready = truth.ready(side, self.0[side].expected.unwrap_or(0));
        let due = |at: Timestamp| at.duration_since(scene.world.now).abs() <= AROUND * 2;
        ready.targets >= truth.desired_for_rollback(side).max(1)
            && !SideSnapshot::lacks_zones(ready, scene.names)
            && !group.scale_in.is_some_and(due)
    }
}

/// Returns when a run last read a side's health before sending: the older of its two reads.
fn looked(scene: &CheckContext<'_>, run: &Run, side: usize, sent: Timestamp) -> Option<Timestamp> {
    let target_group = scene.names.sides[side].target_group.as_ref()?;
    Some(run.read.groups.by(sent)?.min(run.read.health.get(target_group)?.by(sent)?))
}

/// Checks that nothing is about to take the instances of a side whose share rises: no instance
/// refresh, and no scale-in scheduled by cutover. In a rollback traffic comes first, unless the
/// scale-in is due about now.
fn check_stable_capacity(
    scene: &CheckContext<'_>,
    side: usize,
    from: Timestamp,
    gets: &str,
    found: &mut Violations,
) {
    let now = scene.world.now;
    let always = |holds: fn(&SideSnapshot, Timestamp) -> bool| {
        scene.past.since(from).all(|t| t.sides[side].as_ref().is_some_and(|s| holds(s, now)))
    };
    let forward = scene.home.is_some_and(|home| home != side);
    if forward && always(|side, _| side.refresh.is_some()) {
        found.report(PROMISE, now, format!("{gets} during an instance refresh"));
    }
    if forward && always(|side, _| side.scale_in.is_some()) {
        found.report(PROMISE, now, format!("{gets} with its scale-in still scheduled"));
    }
    let due = |side: &SideSnapshot, now: Timestamp| {
        side.scale_in.is_some_and(|at| at.duration_since(now).abs() <= ABOUT)
    };
    if always(due) {
        found.report(PROMISE, now, format!("{gets} with its scheduled scale-in due about now"));
    }
}

/// Returns the moment `duration` before `at`.
pub(super) fn earlier(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(at)
}
