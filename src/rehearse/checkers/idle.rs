//! Promise 1, its other half: nothing that lowers a group's healthy capacity starts while the group
//! bears weight, or has borne any within T.

use std::time::Duration;

use cutover_lab::world::elapsed;
use jiff::Timestamp;

use super::blind::{PROMISE, earlier};
use super::call::Call;
use super::truth::Truth;
use super::{Found, Scene};
use crate::rollout::T;

/// A request and the reading before it take their time.
const SLACK: Duration = Duration::from_secs(1);

/// Since when each side has had no weight in any rule that names it.
#[derive(Debug)]
pub(super) struct Idle(Vec<Option<Timestamp>>);

impl Idle {
    pub(super) fn new(truth: &Truth) -> Idle {
        let sides = 0..truth.sides.len();
        // What was before the beginning is taken to have been so for ever.
        Idle(sides.map(|side| (!truth.borne[side]).then_some(Timestamp::MIN)).collect())
    }

    /// A change.
    pub(super) fn call(&mut self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        if scene.names.sides.len() < 2 || !call.is_run() || !call.done {
            return;
        }
        let Some(side) = call.group().and_then(|group| scene.names.side(group)) else { return };
        let desired = |truth: &Truth| truth.sides[side].as_ref().map_or(0, |side| side.desired);
        let what = match call.operation.as_str() {
            "StartInstanceRefresh" => "started an instance refresh of",
            "RollbackInstanceRefresh" => "rolled back an instance refresh of",
            "UpdateAutoScalingGroup" if desired(scene.is) < desired(scene.was) => "shrank",
            "PutScheduledUpdateGroupAction" => "scheduled the retirement of",
            _ => return,
        };
        let now = scene.world.now;
        // A hand that moves weights within that time does so behind the run's back.
        let since = earlier(now, T + scene.tolerance.react + scene.tolerance.staleness);
        if scene.hands.moved_since(since) {
            return;
        }
        let group = &scene.names.sides[side].group;
        let at_once = call.operation != "PutScheduledUpdateGroupAction";
        let window = T.saturating_sub(SLACK + scene.tolerance.staleness);
        match self.0[side] {
            None => {
                let share = scene.was.most(side).percent();
                found.tell(
                    PROMISE,
                    now,
                    format!("{} {what} {group}, which bears {share} %", call.sender),
                );
            }
            Some(since) if at_once && elapsed(since, call.sent) < window => {
                let idle = elapsed(since, call.sent).as_secs();
                found.tell(
                    PROMISE,
                    now,
                    format!(
                        "{} {what} {group}, which has been without weight for only {idle} s",
                        call.sender
                    ),
                );
            }
            Some(_) if at_once && a_node_sends_to(scene, side) => {
                found.tell(
                    PROMISE,
                    now,
                    format!(
                        "{} {what} {group}, which a node of the load balancer still sends to",
                        call.sender
                    ),
                );
            }
            Some(_) => {}
        }
    }

    /// Any moment: keeps the time, and sees a retirement fire under traffic.
    pub(super) fn moment(&mut self, scene: &Scene<'_>, found: &mut Found) {
        let now = scene.world.now;
        for (side, since) in self.0.iter_mut().enumerate() {
            let (was, is) = (scene.was.sides[side].as_ref(), scene.is.sides[side].as_ref());
            let fired = was.zip(is).is_some_and(|(was, is)| {
                was.retirement.is_some_and(|at| at <= now)
                    && is.retirement.is_none()
                    && is.desired < was.desired
            });
            let by_hand = scene.hands.moved_since(earlier(now, Duration::from_secs(600)));
            if fired && scene.was.borne[side] && !by_hand {
                let group = &scene.names.sides[side].group;
                let share = scene.was.most(side).percent();
                found.tell(PROMISE, now, format!("{group} was retired while it bore {share} %"));
            }
            if scene.is.borne[side] {
                *since = None;
            } else {
                since.get_or_insert(now);
            }
        }
    }
}

/// Whether a living node of a load balancer has yet to learn that a side gets nothing.
pub(super) fn a_node_sends_to(scene: &Scene<'_>, side: usize) -> bool {
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
