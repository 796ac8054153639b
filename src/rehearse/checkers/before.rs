//! What a rollout found: the picture that taking it back has to restore.

use std::collections::{BTreeMap, BTreeSet};

use cutover_lab::services::elbv2::Action;
use cutover_lab::world::World;
use jiff::Timestamp;

use super::FleetNames;
use super::truth::Truth;

/// The world as it was when a fresh rollout claimed.
#[derive(Debug)]
pub(super) struct Before {
    /// When the run that claimed began: what another hand did after that it may not have seen.
    pub at: Timestamp,
    pub truth: Truth,
    /// The whole action lists of the service's rules and the test rule.
    pub rules: BTreeMap<String, Vec<Action>>,
    /// The launch template's default version.
    pub default: Option<u64>,
    /// With one group: the versions that all of it has been at since. A successor may begin from such
    /// a one, although its predecessor never said that it was done.
    pub whole: BTreeSet<u64>,
    /// Whether a successor may have taken it for done, with all traffic on its new side.
    pub may_turn: bool,
}

impl Before {
    pub(super) fn of(world: &World, names: &FleetNames, truth: &Truth, at: Timestamp) -> Before {
        let template = world.ec2.templates.get(&names.template);
        Before {
            at,
            truth: truth.clone(),
            rules: actions(world, names),
            default: template.map(|template| template.default),
            whole: BTreeSet::new(),
            may_turn: false,
        }
    }

    /// Learns from the truth of a later moment.
    pub(super) fn learn(&mut self, truth: &Truth) {
        let [Some(side)] = truth.sides.as_slice() else { return };
        if let (Some(saved), 1) = (side.saved, side.ready.len())
            && side.ready.contains_key(&saved)
        {
            self.whole.insert(saved);
        }
    }

    /// A group's MinSize then, and the one that a retirement then planned would have set.
    pub(super) fn minimums(&self, side: usize) -> Vec<u64> {
        let side = self.truth.sides[side].as_ref();
        side.map(|side| [Some(side.min), side.retires_to].into_iter().flatten().collect())
            .unwrap_or_default()
    }
}

/// The action lists of the service's rules and of the test rule.
pub(super) fn actions(world: &World, names: &FleetNames) -> BTreeMap<String, Vec<Action>> {
    let named = names.rules.iter().chain(&names.test_rule);
    let found = named.filter_map(|arn| Some((arn.clone(), world.elbv2.rules.get(arn)?)));
    found.map(|(arn, rule)| (arn, rule.actions.clone())).collect()
}
