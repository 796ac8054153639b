//! The gate of promise 1: which targets count, and how many of them a share requires.

use std::collections::BTreeSet;

use super::mutant::{self, Mutant};
use super::{NotReady, Observation, ObservedGroup, Pair, Plan, Side};
use crate::model::{Color, Forward, Lifecycle, Rule, RuleId, TargetHealth};

/// Returns the Availability Zone of each ready target of a group: healthy, its instance InService and launched from one
/// of the `versions` of `template`.
pub fn ready_targets<'a>(
    observed: &'a ObservedGroup,
    template: &str,
    versions: &[u64],
) -> Vec<&'a str> {
    observed
        .group
        .instances
        .iter()
        .filter(|instance| {
            instance.lifecycle == Lifecycle::InService
                && instance
                    .template
                    .as_ref()
                    .is_some_and(|t| versions.iter().any(|version| t.is(template, *version)))
                && observed
                    .targets
                    .iter()
                    .any(|t| t.id == instance.id && t.health == TargetHealth::Healthy)
        })
        .map(|instance| instance.zone.as_str())
        .collect()
}

/// Returns how many ready targets a share of `percent` requires if all traffic requires `desired` instances:
/// ⌈percent · desired / 100⌉, at least 1 unless the share is 0.
///
/// ```
/// use cutover_rollout::required_targets;
///
/// // A first step of 1% needs one target, half of the traffic half of them.
/// assert_eq!(required_targets(1, 6), 1);
/// assert_eq!(required_targets(50, 5), 3);
/// assert_eq!(required_targets(0, 6), 0);
/// ```
pub fn required_targets(percent: u8, desired: u32) -> u32 {
    if percent == 0 {
        return 0;
    }
    u64::from(desired).saturating_mul(u64::from(percent)).div_ceil(100).max(1) as u32
}

/// How many ready targets a side has, and how many its share requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readiness {
    /// The number of ready targets.
    pub ready: u32,
    /// The number of ready targets that the share requires.
    pub needed: u32,
    /// The number of instances in the group.
    pub instances: u32,
    /// False if a zone that must have a ready target has none.
    pub zones: bool,
}

impl Readiness {
    /// Returns whether the side may receive the share.
    pub(super) fn passes(self) -> bool {
        (self.ready >= self.needed && self.zones) || mutant::on(Mutant::WeightsBeforeHealth)
    }
}

/// Returns D for a step forward: the larger DesiredCapacity of the two groups.
pub(super) fn largest_desired(pair: &Pair, observation: &Observation) -> u32 {
    let desired = |color: &Color| {
        observation
            .groups
            .get(&pair.sides[*color].group)
            .map_or(0, |observed| observed.group.capacity.desired)
    };
    Color::BOTH.iter().map(desired).max().unwrap_or(0)
}

/// Returns D for restoring all traffic to `old`, which has lost `share` percent. While it still has the larger part,
/// its own DesiredCapacity says what it needs: a broken canary that scales out by itself must not block the rollback. D
/// is at most the group's MaxSize.
pub(super) fn desired_for_rollback(
    pair: &Pair,
    observation: &Observation,
    old: Color,
    share: u8,
) -> u32 {
    let Some(group) = observation.groups.get(&pair.sides[old].group) else { return 0 };
    let capacity = group.group.capacity;
    let desired = if share < 50 { capacity.desired } else { largest_desired(pair, observation) };
    desired.min(capacity.max)
}

/// Compares the ready targets of `color` with what a share of `percent` requires if all traffic requires `desired`
/// instances.
pub(super) fn readiness(
    plan: &Plan,
    pair: &Pair,
    observation: &Observation,
    color: Color,
    versions: &[u64],
    (percent, desired): (u8, u32),
) -> Readiness {
    let needed = required_targets(percent, desired);
    let Some(group) = observation.groups.get(&pair.sides[color].group) else {
        return Readiness { ready: 0, needed, instances: 0, zones: false };
    };
    let ready = ready_targets(group, &plan.template, versions);
    let zones: BTreeSet<&str> = ready.iter().copied().collect();
    Readiness {
        ready: ready.len() as u32,
        needed,
        instances: group.group.instances.len() as u32,
        zones: percent == 0 || pair.zones.iter().all(|z| zones.contains(z.as_str())),
    }
}

/// Returns the observed rules of the plan, without the test rule and without rules that no longer exist or forward.
pub(super) fn observed_rules<'a>(pair: &Pair, observation: &'a Observation) -> Vec<&'a Rule> {
    let forwarding =
        |id: &RuleId| observation.rules.iter().find(|r| r.id == *id && r.forward.is_some());
    pair.rules.iter().filter_map(forwarding).collect()
}

/// Returns the largest share that any rule of the plan gives to a side.
pub(super) fn largest_share(pair: &Pair, observation: &Observation, side: &Side) -> u8 {
    shares(pair, observation, side).max().unwrap_or(0)
}

/// Returns the smallest share that any rule of the plan gives to a side.
pub(super) fn smallest_share(pair: &Pair, observation: &Observation, side: &Side) -> u8 {
    shares(pair, observation, side).min().unwrap_or(0)
}

/// Returns whether every observed rule of the plan sends all of its traffic to a side. A share of 100% does not say
/// that, because shares are rounded up.
pub(super) fn receives_all(pair: &Pair, observation: &Observation, side: &Side) -> bool {
    let rules = observed_rules(pair, observation);
    let alone = |forward: &Forward| {
        let mut weighted = forward.weights.iter().filter(|(_, weight)| *weight > 0).peekable();
        weighted.peek().is_some() && weighted.all(|(arn, _)| *arn == side.target_group)
    };
    !rules.is_empty() && rules.iter().all(|rule| rule.forward.as_ref().is_some_and(alone))
}

fn shares<'a>(
    pair: &'a Pair,
    observation: &'a Observation,
    side: &'a Side,
) -> impl Iterator<Item = u8> + 'a {
    pair.rules.iter().filter_map(|id| {
        let rule = observation.rules.iter().find(|r| r.id == *id)?;
        Some(rule.forward.as_ref()?.share(&side.target_group))
    })
}

/// Returns a rule outside the plan that sends traffic to a side, if there is one.
///
/// # Errors
/// If these rules have not been read.
pub(super) fn other_rule<'a>(
    observation: &'a Observation,
    side: &Side,
) -> Result<Option<&'a Rule>, NotReady> {
    let gives = |rule: &&Rule| {
        rule.forward.as_ref().is_some_and(|forward| forward.share(&side.target_group) > 0)
    };
    Ok(observation.other_rules.get("the rules outside the plan")?.iter().find(gives))
}

/// Returns a rule of the plan that sends traffic to a target group of neither side, and that target group's ARN.
pub(super) fn third_target_group<'a>(
    pair: &'a Pair,
    observation: &'a Observation,
) -> Option<(&'a RuleId, &'a str)> {
    observed_rules(pair, observation).into_iter().find_map(|rule| {
        let mut thirds = third_target_groups(pair, rule.forward.as_ref()?);
        thirds.next().map(|(arn, _)| (&rule.id, arn.as_str()))
    })
}

/// Returns the target groups of a forward action that have weight and belong to neither side.
pub(super) fn third_target_groups<'a>(
    pair: &'a Pair,
    forward: &'a Forward,
) -> impl Iterator<Item = &'a (String, u16)> {
    let ours = |arn: &String| Color::BOTH.iter().any(|c| pair.sides[*c].target_group == *arn);
    forward.weights.iter().filter(move |(arn, weight)| *weight > 0 && !ours(arn))
}

/// Returns whether both sides receive traffic.
pub(super) fn is_split(plan: &Plan, observation: &Observation) -> bool {
    plan.pair().is_some_and(|pair| {
        Color::BOTH.iter().all(|c| largest_share(pair, observation, &pair.sides[*c]) > 0)
    })
}
