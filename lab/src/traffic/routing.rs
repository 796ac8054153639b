//! Where a load balancer node sends a request: by the rules as the node knows them, and by the health of
//! the targets.

use crate::services::ec2;
use crate::services::elbv2::action::ActionKind;
use crate::services::elbv2::load_balancer::LoadBalancer;
use crate::services::elbv2::node::Node;
use crate::services::elbv2::rule::Rule;
use crate::services::elbv2::target_group::TargetGroup;
use crate::services::elbv2::target_state::TargetState;
use crate::world::World;

/// What a rule does with a request.
#[derive(Debug, Clone)]
pub(super) enum RuleResult<'w> {
    /// Forwards to one of these target groups, by these shares, which sum to 1. `None` is a deleted
    /// target group that a node still names: its share is refused.
    Groups(Vec<(Option<&'w TargetGroup>, f64)>),
    /// A response of the load balancer itself.
    Fixed { status: u16, content_type: Option<&'w str>, body: Option<&'w str> },
}

/// Returns the nodes that users reach: those in zones that are up. Here users' resolvers drop the
/// address of a lost zone at once; in reality that takes up to a minute (a simplification).
pub(super) fn nodes<'w>(world: &'w World, balancer: &'w LoadBalancer) -> Vec<(&'w str, &'w Node)> {
    let alive = |zone: &str| world.ec2.zones.get(zone).is_none_or(|zone| zone.alive);
    balancer.nodes.iter().filter(|(zone, _)| alive(zone)).map(|(z, n)| (z.as_str(), n)).collect()
}

/// Returns what a rule does, where `shares` divides a forward action's requests over its groups. Forward
/// actions without any weight, and rules that a node does not know yet, end in 503 (a guess).
pub(super) fn evaluate_rule<'w>(
    world: &'w World,
    rule: Option<&'w Rule>,
    shares: impl Fn(&Rule) -> Vec<(String, f64)>,
) -> RuleResult<'w> {
    let unavailable = RuleResult::Fixed { status: 503, content_type: None, body: None };
    let end = rule.and_then(|r| {
        r.actions.iter().find(|a| match &a.kind {
            ActionKind::Other { name, .. } => name == "redirect",
            _ => true,
        })
    });
    match end.map(|action| &action.kind) {
        Some(ActionKind::Forward(_)) => {
            let shares = rule.map(shares).unwrap_or_default();
            let groups = shares
                .iter()
                .filter(|(_, share)| *share > 0.0)
                .map(|(arn, share)| (world.elbv2.target_groups.get(arn), *share));
            match groups.collect::<Vec<_>>() {
                groups if groups.is_empty() => unavailable,
                groups => RuleResult::Groups(groups),
            }
        }
        Some(ActionKind::FixedResponse { status, content_type, body }) => RuleResult::Fixed {
            status: *status,
            content_type: content_type.as_deref(),
            body: body.as_deref(),
        },
        Some(ActionKind::Other { .. }) => {
            RuleResult::Fixed { status: 302, content_type: None, body: None }
        }
        None => unavailable,
    }
}

/// Returns the instances of a group that a node in `zone` chooses from, evenly: the healthy ones if
/// there are enough; else all that are registered and in use (fail-open: user guide; that targets in
/// their initial checks are included is a guess). Empty means 503.
pub(super) fn routable_targets<'w>(group: &'w TargetGroup, zone: &str) -> Vec<&'w str> {
    let cross_zone = group.cross_zone();
    let reachable = || {
        group.targets.iter().filter(move |(_, t)| cross_zone || t.zone == zone).filter(|(_, t)| {
            matches!(t.state, TargetState::Initial | TargetState::Healthy | TargetState::Unhealthy)
        })
    };
    let healthy: Vec<&str> = reachable()
        .filter(|(_, t)| t.state == TargetState::Healthy)
        .map(|(id, _)| id.as_str())
        .collect();
    if !healthy.is_empty() && enough(group, healthy.len(), reachable().count()) {
        return healthy;
    }
    reachable().map(|(id, _)| id.as_str()).collect()
}

/// Returns whether this many healthy targets are enough not to fail open: one by default, or as the
/// group's attributes say.
fn enough(group: &TargetGroup, healthy: usize, all: usize) -> bool {
    let setting = |unit: &str| {
        let key =
            format!("target_group_health.unhealthy_state_routing.minimum_healthy_targets.{unit}");
        group.attributes.get(&key).and_then(|v| v.parse::<usize>().ok())
    };
    setting("count").is_none_or(|least| healthy >= least)
        && setting("percentage").is_none_or(|least| healthy * 100 >= least * all)
}

/// Returns the program on an instance; `None` if nothing answers there.
pub(super) fn program<'w>(world: &'w World, instance: &str) -> Option<&'w super::program::Program> {
    let answers = ec2::is_responding(world, instance);
    world.ec2.instances.get(instance).filter(|_| answers).map(|i| &i.program)
}
