//! The state of a lab, read from its world.

use std::collections::BTreeMap;

use cutover_lab::transport::InProcess;

/// What a rollout may change, and a rollback must restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rehearse) struct AccountState {
    /// The weights of each rule that forwards, by its priority and the target group's name. Target
    /// groups of weight 0 are left out, and a single one counts as 100.
    pub(in crate::rehearse) weights: BTreeMap<u32, BTreeMap<String, u32>>,
    /// The groups by name.
    pub(in crate::rehearse) groups: BTreeMap<String, GroupState>,
    /// Requests that were answered with an error, or not at all.
    pub(in crate::rehearse) failed: u64,
}

/// A group's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rehearse) struct GroupState {
    pub(in crate::rehearse) min: u64,
    pub(in crate::rehearse) max: u64,
    pub(in crate::rehearse) desired: u64,
    pub(in crate::rehearse) version: String,
    /// The names of its scheduled actions.
    pub(in crate::rehearse) scheduled: Vec<String>,
    /// Whether an instance refresh is active.
    pub(in crate::rehearse) refreshed: bool,
}

impl AccountState {
    pub(super) fn of(lab: &InProcess) -> AccountState {
        lab.world(|world| {
            let name = |arn: &str| world.elbv2.target_groups[arn].name.clone();
            let mut weights = BTreeMap::new();
            for rule in world.elbv2.rules.values() {
                let (Some(priority), Some(forward)) = (rule.priority, rule.forward()) else {
                    continue;
                };
                let alone = forward.groups.len() == 1;
                let shares = forward
                    .groups
                    .iter()
                    .filter(|(_, weight)| alone || *weight > 0)
                    .map(|(arn, weight)| (name(arn), if alone { 100 } else { *weight }))
                    .collect();
                weights.insert(priority, shares);
            }
            let groups = world.autoscaling.groups.values().map(|group| {
                let truth = GroupState {
                    min: group.min,
                    max: group.max,
                    desired: group.desired,
                    version: group.template.version.to_string(),
                    scheduled: group.scheduled.keys().cloned().collect(),
                    refreshed: group.active_refresh().is_some(),
                };
                (group.name.clone(), truth)
            });
            AccountState {
                weights,
                groups: groups.collect(),
                failed: world.traffic.totals().values().map(|tally| tally.failed).sum(),
            }
        })
    }

    /// Returns the weights of the users' rule.
    pub(in crate::rehearse) fn users(&self) -> Vec<(&str, u32)> {
        let rule = self.weights.get(&10).into_iter().flatten();
        rule.map(|(name, weight)| (name.as_str(), *weight)).collect()
    }

    /// Returns a group's MinSize and DesiredCapacity and the version that it launches from.
    pub(in crate::rehearse) fn group(&self, name: &str) -> (u64, u64, &str) {
        let group = &self.groups[name];
        (group.min, group.desired, &group.version)
    }
}
