//! Other hands: what somebody who is no deployer has changed, and when. What a hand does is not held
//! against the deployer, and what it touches during a rollout is the hand's until that one's end. A
//! rollout that begins later finds it as it is.

use std::collections::BTreeMap;

use cutover_lab::world::World;
use jiff::Timestamp;

use super::FleetNames;
use super::call::Call;

/// Something that a hand can change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Touch {
    /// A rule, by its ARN.
    Rule(String),
    /// A group's MinSize.
    Min(String),
    /// A group's MaxSize or DesiredCapacity.
    Size(String),
    /// What a group launches from.
    Source(String),
    /// A group's instance refreshes.
    Refresh(String),
    /// A group's scheduled actions.
    Schedule(String),
    /// Instances and targets, anywhere.
    Instances,
    /// The launch template.
    Template,
    /// The ledger.
    Ledger,
}

/// When something was touched last.
#[derive(Debug, Default)]
pub(super) struct Hands(BTreeMap<Touch, Timestamp>);

impl Hands {
    /// Whether something was ever touched.
    pub(super) fn touched(&self, what: &Touch) -> bool {
        self.0.contains_key(what)
    }

    /// Whether something was touched at `from` or later.
    pub(super) fn touched_since(&self, what: &Touch, from: Timestamp) -> bool {
        self.0.get(what).is_some_and(|at| *at >= from)
    }

    /// Whether any rule was touched at `from` or later.
    pub(super) fn moved_since(&self, from: Timestamp) -> bool {
        let is_rule = |what: &Touch| matches!(what, Touch::Rule(_));
        self.0.iter().any(|(what, at)| is_rule(what) && *at >= from)
    }

    /// Notes a hand's call. What goes on doing something is touched for good.
    pub(super) fn note(&mut self, world: &World, call: &Call, names: &FleetNames) {
        if call.is_read() || !call.done {
            return;
        }
        let group = call.group().unwrap_or_default().to_owned();
        let has = |field: &str| call.names().any(|name| name.starts_with(field));
        let mut touched: Vec<Touch> = Vec::new();
        let lasts = matches!(
            call.operation.as_str(),
            "PutScalingPolicy"
                | "PutScheduledUpdateGroupAction"
                | "BatchPutScheduledUpdateGroupAction"
                | "StartInstanceRefresh"
                | "RollbackInstanceRefresh"
        );
        match call.operation.as_str() {
            "ModifyRule" | "DeleteRule" | "ModifyListener" => {
                touched.extend(call.rule().and_then(|arn| names.rule(world, arn)).map(Touch::Rule));
            }
            "CreateRule" | "SetRulePriorities" | "DeleteListener" => {
                touched.extend(names.rules.iter().cloned().map(Touch::Rule));
            }
            "UpdateAutoScalingGroup" => {
                if has("MinSize") {
                    touched.push(Touch::Min(group.clone()));
                }
                if has("LaunchTemplate") || has("MixedInstancesPolicy") {
                    touched.push(Touch::Source(group.clone()));
                }
                touched.push(Touch::Size(group));
            }
            "SetDesiredCapacity" | "ExecutePolicy" | "PutScalingPolicy" => {
                touched.push(Touch::Size(group));
            }
            "PutScheduledUpdateGroupAction" | "BatchPutScheduledUpdateGroupAction" => {
                touched.extend([
                    Touch::Schedule(group.clone()),
                    Touch::Min(group.clone()),
                    Touch::Size(group),
                ]);
            }
            "DeleteScheduledAction" | "BatchDeleteScheduledAction" => {
                touched.push(Touch::Schedule(group));
            }
            "StartInstanceRefresh" | "CancelInstanceRefresh" | "RollbackInstanceRefresh" => {
                touched.extend([Touch::Refresh(group.clone()), Touch::Source(group)]);
            }
            "CreateLaunchTemplateVersion"
            | "ModifyLaunchTemplate"
            | "DeleteLaunchTemplateVersions"
            | "DeleteLaunchTemplate" => {
                touched.push(Touch::Template);
            }
            "PutParameter" | "DeleteParameter" | "DeleteParameters" => {
                let ledger = names.ledger();
                let of_ledger = |value: &str| value.starts_with(&ledger);
                let named = call.field("Name").into_iter().chain(call.list("Names"));
                touched.extend(named.filter(|name| of_ledger(name)).map(|_| Touch::Ledger));
            }
            _ => touched.push(Touch::Instances),
        }
        for touch in touched {
            let lasts = lasts && matches!(touch, Touch::Min(_) | Touch::Size(_) | Touch::Source(_));
            let at = self.0.entry(touch).or_insert(world.now);
            *at = if lasts { Timestamp::MAX } else { world.now.max(*at) };
        }
    }
}
