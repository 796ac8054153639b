//! The state that a rollout found, which its rollback has to restore.

use std::collections::{BTreeMap, BTreeSet};

use cutover_lab::services::elbv2::Action;
use cutover_lab::world::World;
use jiff::Timestamp;

use super::FleetNames;
use super::snapshot::Snapshot;

/// The world when a new rollout claimed.
#[derive(Debug)]
pub(super) struct InitialState {
    /// When the claiming run began: it may have missed external changes made after that.
    pub at: Timestamp,
    pub truth: Snapshot,
    /// The complete action lists of the service's rules and of the test rule.
    pub rules: BTreeMap<String, Vec<Action>>,
    /// The launch template's default version.
    pub default: Option<u64>,
    /// With one group: the versions that the whole group has run since. A successor may start from
    /// any of them, even if its predecessor never recorded success.
    pub whole: BTreeSet<u64>,
    /// Whether a successor may have taken the rollout for finished, with all traffic on its new
    /// side.
    pub may_be_swapped: bool,
}

impl InitialState {
    pub(super) fn of(
        world: &World,
        names: &FleetNames,
        truth: &Snapshot,
        at: Timestamp,
    ) -> InitialState {
        let template = world.ec2.templates.get(&names.template);
        InitialState {
            at,
            truth: truth.clone(),
            rules: actions(world, names),
            default: template.map(|template| template.default),
            whole: BTreeSet::new(),
            may_be_swapped: false,
        }
    }

    /// Notes a whole group's version from the state at a later moment.
    pub(super) fn learn(&mut self, truth: &Snapshot) {
        let [Some(side)] = truth.sides.as_slice() else { return };
        if let (Some(saved), 1) = (side.saved, side.ready.len())
            && side.ready.contains_key(&saved)
        {
            self.whole.insert(saved);
        }
    }

    /// Returns the group's MinSize at that time, and the one that a scale-in scheduled then would
    /// have set.
    pub(super) fn minimums(&self, side: usize) -> Vec<u64> {
        let side = self.truth.sides[side].as_ref();
        side.map(|side| [Some(side.min), side.scale_in_min].into_iter().flatten().collect())
            .unwrap_or_default()
    }
}

/// Returns the action lists of the service's rules and of the test rule.
pub(super) fn actions(world: &World, names: &FleetNames) -> BTreeMap<String, Vec<Action>> {
    let named = names.rules.iter().chain(&names.test_rule);
    let found = named.filter_map(|arn| Some((arn.clone(), world.elbv2.rules.get(arn)?)));
    found.map(|(arn, rule)| (arn, rule.actions.clone())).collect()
}
