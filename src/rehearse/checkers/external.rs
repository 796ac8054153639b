//! External changes: what senders other than deployers have changed, and when. They are not held
//! against the deployer, and what an operator touches during a rollout is excused until that
//! rollout ends. A later rollout starts from it.

use std::collections::BTreeMap;

use cutover_lab::world::World;
use jiff::Timestamp;

use super::FleetNames;
use super::call::Call;

/// Something that an operator can change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ExternalChange {
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
    /// Instances or targets of any group.
    Instances,
    /// The launch template.
    Template,
    /// The ledger.
    Ledger,
}

/// When each thing was last touched.
#[derive(Debug, Default)]
pub(super) struct ExternalChanges(BTreeMap<ExternalChange, Timestamp>);

impl ExternalChanges {
    /// Whether something was ever touched.
    pub(super) fn touched(&self, what: &ExternalChange) -> bool {
        self.0.contains_key(what)
    }

    /// Whether something was touched at `from` or later.
    pub(super) fn touched_since(&self, what: &ExternalChange, from: Timestamp) -> bool {
        self.0.get(what).is_some_and(|at| *at >= from)
    }

    /// Whether any rule was touched at `from` or later.
    pub(super) fn weights_moved_since(&self, from: Timestamp) -> bool {
        let is_rule = |what: &ExternalChange| matches!(what, ExternalChange::Rule(_));
        self.0.iter().any(|(what, at)| is_rule(what) && *at >= from)
    }

    /// Notes an operator's call. What keeps changing things by itself counts as touched forever.
    pub(super) fn note(&mut self, world: &World, call: &Call, names: &FleetNames) {
        if call.is_read() || !call.done {
            return;
        }
        let group = call.group().unwrap_or_default().to_owned();
        let has = |field: &str| call.names().any(|name| name.starts_with(field));
        let mut touched: Vec<ExternalChange> = Vec::new();
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
                touched.extend(
                    call.rule().and_then(|arn| names.rule(world, arn)).map(ExternalChange::Rule),
                );
            }
            "CreateRule" | "SetRulePriorities" | "DeleteListener" => {
                touched.extend(names.rules.iter().cloned().map(ExternalChange::Rule));
            }
            "UpdateAutoScalingGroup" => {
                if has("MinSize") {
                    touched.push(ExternalChange::Min(group.clone()));
                }
                if has("LaunchTemplate") || has("MixedInstancesPolicy") {
                    touched.push(ExternalChange::Source(group.clone()));
                }
                touched.push(ExternalChange::Size(group));
            }
            "SetDesiredCapacity" | "ExecutePolicy" | "PutScalingPolicy" => {
                touched.push(ExternalChange::Size(group));
            }
            "PutScheduledUpdateGroupAction" | "BatchPutScheduledUpdateGroupAction" => {
                touched.extend([
                    ExternalChange::Schedule(group.clone()),
                    ExternalChange::Min(group.clone()),
                    ExternalChange::Size(group),
                ]);
            }
            "DeleteScheduledAction" | "BatchDeleteScheduledAction" => {
                touched.push(ExternalChange::Schedule(group));
            }
            "StartInstanceRefresh" | "CancelInstanceRefresh" | "RollbackInstanceRefresh" => {
                touched.extend([
                    ExternalChange::Refresh(group.clone()),
                    ExternalChange::Source(group),
                ]);
            }
            "CreateLaunchTemplateVersion"
            | "ModifyLaunchTemplate"
            | "DeleteLaunchTemplateVersions"
            | "DeleteLaunchTemplate" => {
                touched.push(ExternalChange::Template);
            }
            "PutParameter" | "DeleteParameter" | "DeleteParameters" => {
                let ledger = names.ledger();
                let of_ledger = |value: &str| value.starts_with(&ledger);
                let named = call.field("Name").into_iter().chain(call.list("Names"));
                touched
                    .extend(named.filter(|name| of_ledger(name)).map(|_| ExternalChange::Ledger));
            }
            _ => touched.push(ExternalChange::Instances),
        }
        for touch in touched {
            let lasts = lasts
                && matches!(
                    touch,
                    ExternalChange::Min(_) | ExternalChange::Size(_) | ExternalChange::Source(_)
                );
            let at = self.0.entry(touch).or_insert(world.now);
            *at = if lasts { Timestamp::MAX } else { world.now.max(*at) };
        }
    }
}
