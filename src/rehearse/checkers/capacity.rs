//! The other part of promise 1: nothing that lowers a group's healthy capacity starts while the
//! group receives traffic, or within T of its last traffic.

use std::time::Duration;

use cutover_lab::world::elapsed;
use jiff::Timestamp;

use super::call::Call;
use super::readiness::{PROMISE, earlier};
use super::snapshot::Snapshot;
use super::{CheckContext, Violations};
use cutover_rollout::T;

/// Time for a request and the read before it.
const SLACK: Duration = Duration::from_secs(1);

/// Since when each side has had a weight of 0 in every rule that names it; `None` while it receives
/// traffic.
#[derive(Debug)]
pub(super) struct CapacityChecker(Vec<Option<Timestamp>>);

impl CapacityChecker {
    pub(super) fn new(truth: &Snapshot) -> CapacityChecker {
        let sides = 0..truth.sides.len();
        // Whatever held at the start is taken to have held forever.
        CapacityChecker(
            sides.map(|side| (!truth.receives_traffic[side]).then_some(Timestamp::MIN)).collect(),
        )
    }

    /// Checks a run's change.
    pub(super) fn call(&mut self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        if scene.names.sides.len() < 2 || !call.is_run() || !call.done {
            return;
        }
        let Some(side) = call.group().and_then(|group| scene.names.side(group)) else { return };
        let desired = |truth: &Snapshot| truth.sides[side].as_ref().map_or(0, |side| side.desired);
        let what = match call.operation.as_str() {
            "StartInstanceRefresh" => "started an instance refresh of",
            "RollbackInstanceRefresh" => "rolled back an instance refresh of",
            "UpdateAutoScalingGroup" if desired(scene.is) < desired(scene.was) => "shrank",
            "PutScheduledUpdateGroupAction" => "scheduled a scale-in of",
            _ => return,
        };
        let now = scene.world.now;
        // An operator who moves weights within that time does so without the run's knowledge.
        let since = earlier(now, T + scene.tolerance.react + scene.tolerance.staleness);
        if scene.hands.weights_moved_since(since) {
            return;
        }
        let group = &scene.names.sides[side].group;
        let at_once = call.operation != "PutScheduledUpdateGroupAction";
        let window = T.saturating_sub(SLACK + scene.tolerance.staleness);
        match self.0[side] {
            None => {
                let share = scene.was.most(side).percent();
                found.report(
                    PROMISE,
                    now,
                    format!(
                        "{} {what} {group}, which receives {share}% of the traffic",
                        call.sender
                    ),
                );
            }
            Some(since) if at_once && elapsed(since, call.sent) < window => {
                let idle = elapsed(since, call.sent).as_secs();
                found.report(
                    PROMISE,
                    now,
                    format!(
                        "{} {what} {group}, whose traffic ended only {idle} s ago",
                        call.sender
                    ),
                );
            }
            Some(_) if at_once && node_still_routes_to(scene, side) => {
                found.report(
                    PROMISE,
                    now,
                    format!(
                        "{} {what} {group}, to which a load balancer node still sends traffic",
                        call.sender
                    ),
                );
            }
            Some(_) => {}
        }
    }

    /// Updates, at any moment, since when sides are idle, and detects a scheduled scale-in that ran
    /// under traffic.
    pub(super) fn moment(&mut self, scene: &CheckContext<'_>, found: &mut Violations) {
        let now = scene.world.now;
        for (side, since) in self.0.iter_mut().enumerate() {
            let (was, is) = (scene.was.sides[side].as_ref(), scene.is.sides[side].as_ref());
            let fired = was.zip(is).is_some_and(|(was, is)| {
                was.scale_in.is_some_and(|at| at <= now)
                    && is.scale_in.is_none()
                    && is.desired < was.desired
            });
            let by_hand = scene.hands.weights_moved_since(earlier(now, Duration::from_secs(600)));
            if fired && scene.was.receives_traffic[side] && !by_hand {
                let group = &scene.names.sides[side].group;
                let share = scene.was.most(side).percent();
                let what =
                    format!("{group} was scaled in while it received {share}% of the traffic");
                found.report(PROMISE, now, what);
            }
            if scene.is.receives_traffic[side] {
                *since = None;
            } else {
                since.get_or_insert(now);
            }
        }
    }
}

/// Whether a running load balancer node has yet to learn that a side receives no traffic.
pub(super) fn node_still_routes_to(scene: &CheckContext<'_>, side: usize) -> bool {
    let Some(target_group) = &scene.names.sides[side].target_group else { return false };
    let world = scene.world;
    let alive = |zone: &str| world.ec2.zones.get(zone).is_none_or(|zone| zone.alive);
    let nodes = world.elbv2.load_balancers.values().flat_map(|balancer| &balancer.nodes);
    let mut living = nodes.filter(|(zone, _)| alive(zone)).map(|(_, node)| node);
    living.any(|node| {
        let test = scene.names.test_rule.as_ref();
        let rules = world.elbv2.rules.keys().filter(|arn| Some(*arn) != test);
        rules.filter_map(|rule| node.rule(rule)?.forward()).any(|forward| {
            forward.groups.iter().any(|(arn, weight)| arn == target_group && *weight > 0)
        })
    })
}
