//! What a lab holds, told by the world itself.

use std::collections::BTreeMap;

use cutover_lab::doors::InProcess;

/// What a rollout may change, and must put back where it is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rehearse) struct Truth {
    /// The weights of each rule that forwards, by its priority and target group's name. A target
    /// group of weight 0 is as good as none, and one that is alone has all.
    pub(in crate::rehearse) weights: BTreeMap<u32, BTreeMap<String, u32>>,
    /// The groups by name.
    pub(in crate::rehearse) groups: BTreeMap<String, GroupTruth>,
    /// Requests that were answered with an error, or not at all.
    pub(in crate::rehearse) failed: u64,
}

/// What a group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rehearse) struct GroupTruth {
    pub(in crate::rehearse) min: u64,
    pub(in crate::rehearse) max: u64,
    pub(in crate::rehearse) desired: u64,
    pub(in crate::rehearse) version: String,
    /// Scheduled actions by name.
    pub(in crate::rehearse) scheduled: Vec<String>,
    /// Whether a refresh is active.
    pub(in crate::rehearse) refreshed: bool,
}

impl Truth {
    pub(super) fn of(lab: &InProcess) -> Truth {
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
                let truth = GroupTruth {
                    min: group.min,
                    max: group.max,
                    desired: group.desired,
                    version: group.template.version.to_string(),
                    scheduled: group.scheduled.keys().cloned().collect(),
                    refreshed: group.active_refresh().is_some(),
                };
                (group.name.clone(), truth)
            });
            Truth {
                weights,
                groups: groups.collect(),
                failed: world.traffic.totals().values().map(|tally| tally.failed).sum(),
            }
        })
    }

    /// The users' rule: what it gives to whom.
    pub(in crate::rehearse) fn users(&self) -> Vec<(&str, u32)> {
        let rule = self.weights.get(&10).into_iter().flatten();
        rule.map(|(name, weight)| (name.as_str(), *weight)).collect()
    }

    /// A group's MinSize and DesiredCapacity and the version that it launches from.
    pub(in crate::rehearse) fn group(&self, name: &str) -> (u64, u64, &str) {
        let group = &self.groups[name];
        (group.min, group.desired, &group.version)
    }
}
