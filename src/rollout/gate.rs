//! The gate of promise 1: which targets count, and how many are enough for a weight.

use std::collections::BTreeSet;

use super::mutant::{self, Mutant};
use super::{GroupSeen, Pair, Plan, Seen, Side};
use crate::model::{Colour, Forward, Lifecycle, Rule, RuleId, TargetHealth};

/// The targets of a side that may receive traffic: healthy, their instance InService and launched from one of the
/// `versions` of `template`. Their zones, one entry a target.
pub fn ready<'a>(seen: &'a GroupSeen, template: &str, versions: &[u64]) -> Vec<&'a str> {
    seen.group
        .instances
        .iter()
        .filter(|instance| {
            instance.lifecycle == Lifecycle::InService
                && instance
                    .template
                    .as_ref()
                    .is_some_and(|t| versions.iter().any(|version| t.is(template, *version)))
                && seen
                    .targets
                    .iter()
                    .any(|t| t.id == instance.id && t.health == TargetHealth::Healthy)
        })
        .map(|instance| instance.zone.as_str())
        .collect()
}

/// How many ready targets a share of `percent` needs where the larger group wants `desired`
/// instances: ⌈percent · desired⌉, and never none.
pub fn wanted(percent: u8, desired: u32) -> u32 {
    if percent == 0 {
        return 0;
    }
    u64::from(desired).saturating_mul(u64::from(percent)).div_ceil(100).max(1) as u32
}

/// What the gate says of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Ready targets.
    pub ready: u32,
    /// How many are needed.
    pub needed: u32,
    /// The group's instances.
    pub instances: u32,
    /// False where a zone that must have a ready target has none.
    pub zones: bool,
}

impl Standing {
    /// Whether the weight may be borne.
    pub(super) fn passes(self) -> bool {
        (self.ready >= self.needed && self.zones) || mutant::on(Mutant::WeightsBeforeHealth)
    }
}

/// D for a step forward: the larger Desired of the two groups.
pub(super) fn largest_desired(pair: &Pair, seen: &Seen) -> u32 {
    let desired = |colour: &Colour| {
        seen.groups.get(&pair.sides[*colour].group).map_or(0, |seen| seen.group.capacity.desired)
    };
    Colour::BOTH.iter().map(desired).max().unwrap_or(0)
}

/// D for the way back to `old`, from which `share` percent have been taken. While it still bears the
/// larger part, its own Desired tells what it needs: a broken canary that grows by itself must not
/// block the way back. More than its MaxSize no group can have.
pub(super) fn desired_back(pair: &Pair, seen: &Seen, old: Colour, share: u8) -> u32 {
    let Some(group) = seen.groups.get(&pair.sides[old].group) else { return 0 };
    let capacity = group.group.capacity;
    let desired = if share < 50 { capacity.desired } else { largest_desired(pair, seen) };
    desired.min(capacity.max)
}

/// How `colour` stands against a share of `percent`, where all of the traffic wants `desired`
/// instances.
pub(super) fn standing(
    plan: &Plan,
    pair: &Pair,
    seen: &Seen,
    colour: Colour,
    versions: &[u64],
    (percent, desired): (u8, u32),
) -> Standing {
    let needed = wanted(percent, desired);
    let Some(group) = seen.groups.get(&pair.sides[colour].group) else {
        return Standing { ready: 0, needed, instances: 0, zones: false };
    };
    let ready = ready(group, &plan.template, versions);
    let zones: BTreeSet<&str> = ready.iter().copied().collect();
    Standing {
        ready: ready.len() as u32,
        needed,
        instances: group.group.instances.len() as u32,
        zones: percent == 0 || pair.zones.iter().all(|z| zones.contains(z.as_str())),
    }
}

/// The plan's rules as seen, without the test rule; fewer, where one is gone or forwards no more.
pub(super) fn rules<'a>(pair: &Pair, seen: &'a Seen) -> Vec<&'a Rule> {
    let forwarding = |id: &RuleId| seen.rules.iter().find(|r| r.id == *id && r.forward.is_some());
    pair.rules.iter().filter_map(forwarding).collect()
}

/// The largest share that any rule of the plan gives to a side.
pub(super) fn largest_share(pair: &Pair, seen: &Seen, side: &Side) -> u8 {
    shares(pair, seen, side).max().unwrap_or(0)
}

/// The smallest share that any rule of the plan gives to a side.
pub(super) fn smallest_share(pair: &Pair, seen: &Seen, side: &Side) -> u8 {
    shares(pair, seen, side).min().unwrap_or(0)
}

fn shares<'a>(pair: &'a Pair, seen: &'a Seen, side: &'a Side) -> impl Iterator<Item = u8> + 'a {
    pair.rules.iter().filter_map(|id| {
        let rule = seen.rules.iter().find(|r| r.id == *id)?;
        Some(rule.forward.as_ref()?.share(&side.target_group))
    })
}

/// A rule that is none of the plan's and gives traffic to a side, where one was looked for and seen.
pub(super) fn other_rule<'a>(seen: &'a Seen, side: &Side) -> Option<&'a Rule> {
    let gives = |rule: &&Rule| {
        rule.forward.as_ref().is_some_and(|forward| forward.share(&side.target_group) > 0)
    };
    seen.others.iter().find(gives)
}

/// A target group that is neither side's and gets traffic from a rule of the plan: the rule, and the
/// group.
pub(super) fn third<'a>(pair: &'a Pair, seen: &'a Seen) -> Option<(&'a RuleId, &'a str)> {
    rules(pair, seen).into_iter().find_map(|rule| {
        let mut thirds = third_groups(pair, rule.forward.as_ref()?);
        thirds.next().map(|(arn, _)| (&rule.id, arn.as_str()))
    })
}

/// The target groups of a forward that are neither side's and have weight.
pub(super) fn third_groups<'a>(
    pair: &'a Pair,
    forward: &'a Forward,
) -> impl Iterator<Item = &'a (String, u16)> {
    let ours = |arn: &String| Colour::BOTH.iter().any(|c| pair.sides[*c].target_group == *arn);
    forward.weights.iter().filter(move |(arn, weight)| *weight > 0 && !ours(arn))
}

/// Whether both sides bear weight somewhere.
pub(super) fn split(plan: &Plan, seen: &Seen) -> bool {
    plan.pair().is_some_and(|pair| {
        Colour::BOTH.iter().all(|c| largest_share(pair, seen, &pair.sides[*c]) > 0)
    })
}
