//! EC2 Auto Scaling: groups, their instances, instance refreshes and scheduled actions.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use serde::{Deserialize, Serialize};

/// A group's MinSize, MaxSize and DesiredCapacity, in instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// MinSize.
    pub min: u32,
    /// MaxSize.
    pub max: u32,
    /// DesiredCapacity.
    pub desired: u32,
}

/// A launch template version as it is specified in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionSpec {
    /// A version number.
    Number(u64),
    /// `$Latest`: the newest version.
    Latest,
    /// `$Default`, or not specified.
    Default,
}

impl VersionSpec {
    /// Returns the number, if the version is a number.
    pub fn number(self) -> Option<u64> {
        match self {
            VersionSpec::Number(n) => Some(n),
            VersionSpec::Latest | VersionSpec::Default => None,
        }
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VersionSpec::Number(n) => write!(f, "{n}"),
            VersionSpec::Latest => f.write_str("$Latest"),
            VersionSpec::Default => f.write_str("$Default"),
        }
    }
}

/// A launch template with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version.
    pub version: VersionSpec,
}

impl LaunchTemplate {
    /// Returns true if this is version `number` of the template `id`.
    pub fn is(&self, id: &str, number: u64) -> bool {
        self.id == id && self.version == VersionSpec::Number(number)
    }
}

/// What a group launches its instances from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// A launch template.
    Template(LaunchTemplate),
    /// A mixed instances policy over a launch template. A refresh may replace only the version.
    Mixed {
        /// The policy's launch template.
        template: LaunchTemplate,
        /// True if the policy selects instances by attributes: a refresh cannot have a desired configuration then.
        attribute_based: bool,
        /// True if an override has its own launch template.
        overrides_have_templates: bool,
    },
    /// A launch configuration, or nothing: there is no version to pin.
    Other,
}

impl TemplateSource {
    /// Returns the launch template, if there is one.
    pub fn template(&self) -> Option<&LaunchTemplate> {
        match self {
            TemplateSource::Template(template) | TemplateSource::Mixed { template, .. } => {
                Some(template)
            }
            TemplateSource::Other => None,
        }
    }
}

/// The lifecycle states of an instance that a rollout distinguishes (botocore `LifecycleState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// Launching, including lifecycle hooks.
    Pending,
    /// In service: registered with the target groups, but not necessarily healthy.
    InService,
    /// Terminating, including lifecycle hooks.
    Terminating,
    /// Taken out of service with EnterStandby.
    Standby,
    /// Any other state: detaching, warm pool, quarantined.
    Other,
}

/// An instance of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// The Availability Zone.
    pub zone: String,
    /// The lifecycle state.
    pub lifecycle: Lifecycle,
    /// The health status according to Auto Scaling.
    pub healthy: bool,
    /// What it was launched from; `None` if AWS no longer has it.
    pub template: Option<LaunchTemplate>,
    /// ProtectedFromScaleIn.
    pub protected: bool,
}

/// A group and its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// AutoScalingGroupName.
    pub name: String,
    /// MinSize, MaxSize and DesiredCapacity.
    pub capacity: Capacity,
    /// What it launches from: the saved configuration, which a refresh changes only at its end.
    pub source: TemplateSource,
    /// The instances, ordered by id.
    pub instances: Vec<Instance>,
    /// The Availability Zones, sorted.
    pub zones: Vec<String>,
    /// The ARNs of the attached target groups, sorted.
    pub target_groups: Vec<String>,
    /// True if HealthCheckType includes `ELB`.
    pub elb_health: bool,
    /// HealthCheckGracePeriod.
    pub grace: Duration,
    /// Suspended processes, sorted.
    pub suspended: Vec<String>,
}

impl Group {
    /// Returns the version of the group's own launch template that all instances in service run; `None` if there are
    /// none or they differ.
    pub fn running_version(&self) -> Option<u64> {
        let own = self.source.template()?;
        let serving = self.instances.iter().filter(|i| i.lifecycle == Lifecycle::InService);
        let mut versions = serving.map(|instance| {
            let launched = instance.template.as_ref().filter(|launched| launched.id == own.id);
            launched.and_then(|launched| launched.version.number())
        });
        let first = versions.next()??;
        versions.all(|version| version == Some(first)).then_some(first)
    }

    /// Returns the versions of the group's own launch template other than `version` that instances in service run,
    /// ascending.
    pub fn other_running_versions(&self, version: u64) -> Vec<u64> {
        let Some(template) = self.source.template() else { return Vec::new() };
        let serving = self.instances.iter().filter(|i| i.lifecycle == Lifecycle::InService);
        let own = serving.filter_map(|instance| {
            instance.template.as_ref().filter(|launched| launched.id == template.id)
        });
        let others: BTreeSet<u64> = own
            .filter_map(|launched| launched.version.number())
            .filter(|running| *running != version)
            .collect();
        others.into_iter().collect()
    }
}

/// The states of an instance refresh (botocore `InstanceRefreshStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshStatus {
    /// Accepted, but not started.
    Pending,
    /// Replacing instances.
    InProgress,
    /// All instances are replaced; waiting for BakeTime to pass.
    Baking,
    /// Done; the group's saved configuration is now the desired one.
    Successful,
    /// The refresh failed.
    Failed,
    /// The refresh is being canceled.
    Cancelling,
    /// The refresh was canceled.
    Cancelled,
    /// AWS is rolling back.
    RollbackInProgress,
    /// AWS's rollback failed.
    RollbackFailed,
    /// AWS's rollback is complete.
    RollbackSuccessful,
}

impl RefreshStatus {
    /// Returns true if the refresh still changes the group: a group has at most one active refresh.
    pub fn is_active(self) -> bool {
        match self {
            RefreshStatus::Pending
            | RefreshStatus::InProgress
            | RefreshStatus::Baking
            | RefreshStatus::Cancelling
            | RefreshStatus::RollbackInProgress => true,
            RefreshStatus::Successful
            | RefreshStatus::Failed
            | RefreshStatus::Cancelled
            | RefreshStatus::RollbackFailed
            | RefreshStatus::RollbackSuccessful => false,
        }
    }
}

/// How a refresh replaces instances (botocore `RefreshPreferences`). cutover sends preferences explicitly
/// instead of relying on AWS's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RefreshPreferences {
    /// MinHealthyPercentage, 0–100.
    pub min_healthy: u32,
    /// MaxHealthyPercentage, 100–200; `None` omits it, which differs from an explicit 100.
    pub max_healthy: Option<u32>,
    /// InstanceWarmup; `None` uses the group's default.
    #[serde(with = "friendly::optional")]
    pub warmup: Option<Duration>,
    /// CheckpointPercentages, ascending; unless the last is 100, the remaining instances are not replaced.
    pub checkpoints: Vec<u32>,
    /// CheckpointDelay.
    #[serde(with = "friendly::required")]
    pub checkpoint_delay: Duration,
    /// BakeTime.
    #[serde(with = "friendly::required")]
    pub bake: Duration,
    /// AutoRollback.
    pub auto_rollback: bool,
    /// SkipMatching.
    pub skip_matching: bool,
    /// Alarms that fail the refresh.
    pub alarms: Vec<String>,
}

/// An instance refresh as returned by DescribeInstanceRefreshes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRefresh {
    /// InstanceRefreshId.
    pub id: String,
    /// The status.
    pub status: RefreshStatus,
    /// StatusReason, for messages.
    pub reason: Option<String>,
    /// PercentageComplete. It falls to zero in a rollback, so it never proves completion.
    pub percent: Option<u32>,
    /// InstancesToUpdate.
    pub remaining: Option<u32>,
    /// StartTime; `None` while Pending.
    pub started: Option<Timestamp>,
    /// The launch template of the desired configuration, if there is one.
    pub desired: Option<LaunchTemplate>,
    /// The preferences; `None` if AWS does not return any.
    pub preferences: Option<RefreshPreferences>,
}

/// A scheduled action of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledAction {
    /// ScheduledActionName.
    pub name: String,
    /// When it next runs.
    pub at: Option<Timestamp>,
    /// The MinSize that it sets.
    pub min: Option<u32>,
    /// The MaxSize that it sets.
    pub max: Option<u32>,
    /// The DesiredCapacity that it sets.
    pub desired: Option<u32>,
    /// True if it has a recurrence.
    pub recurring: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(id: &str, version: VersionSpec) -> LaunchTemplate {
        LaunchTemplate { id: id.to_owned(), name: "web".to_owned(), version }
    }

    /// A group that launches from `lt-1`, and what its instances were launched from.
    fn group(launched: &[(Lifecycle, Option<LaunchTemplate>)]) -> Group {
        let instances = launched.iter().map(|(lifecycle, template)| Instance {
            id: "i-1".to_owned(),
            zone: "a".to_owned(),
            lifecycle: *lifecycle,
            healthy: true,
            template: template.clone(),
            protected: false,
        });
        Group {
            name: "blue".to_owned(),
            capacity: Capacity { min: 0, max: 4, desired: 2 },
            source: TemplateSource::Template(template("lt-1", VersionSpec::Latest)),
            instances: instances.collect(),
            zones: Vec::new(),
            target_groups: Vec::new(),
            elb_health: true,
            grace: Duration::ZERO,
            suspended: Vec::new(),
        }
    }

    fn launched(
        lifecycle: Lifecycle,
        id: &str,
        version: u64,
    ) -> (Lifecycle, Option<LaunchTemplate>) {
        (lifecycle, Some(template(id, VersionSpec::Number(version))))
    }

    #[test]
    fn a_group_runs_a_version_if_all_instances_in_service_do() {
        use Lifecycle::{InService, Pending, Terminating};
        let serving = [launched(InService, "lt-1", 7)];
        let running = |others: &[(Lifecycle, Option<LaunchTemplate>)]| {
            group(&[serving.as_slice(), others].concat()).running_version()
        };
        assert_eq!(running(&[]), Some(7));
        assert_eq!(running(&serving), Some(7));
        assert_eq!(
            running(&[launched(Pending, "lt-1", 8), launched(Terminating, "lt-1", 6)]),
            Some(7)
        );
        assert_eq!(running(&[launched(InService, "lt-1", 8)]), None);
        assert_eq!(running(&[launched(InService, "lt-2", 7)]), None);
        assert_eq!(running(&[(InService, None)]), None);
        assert_eq!(group(&[]).running_version(), None);
        assert_eq!(group(&[launched(InService, "lt-2", 7)]).running_version(), None);
    }

    #[test]
    fn other_running_versions_are_of_the_groups_own_template_and_in_service() {
        use Lifecycle::{InService, Pending};
        let group = group(&[
            launched(InService, "lt-1", 9),
            launched(InService, "lt-1", 7),
            launched(InService, "lt-1", 5),
            launched(InService, "lt-1", 5),
            launched(InService, "lt-2", 4),
            launched(Pending, "lt-1", 8),
            (InService, None),
        ]);
        assert_eq!(group.other_running_versions(7), [5, 9]);
        assert_eq!(group.other_running_versions(3), [5, 7, 9]);
        let none = Group { source: TemplateSource::Other, ..group };
        assert_eq!(none.other_running_versions(7), [0; 0]);
    }

    #[test]
    fn versions_are_shown_as_aws_writes_them() {
        let shown = |version: VersionSpec| (version.to_string(), version.number());
        assert_eq!(shown(VersionSpec::Number(7)), ("7".to_owned(), Some(7)));
        assert_eq!(shown(VersionSpec::Latest), ("$Latest".to_owned(), None));
        assert_eq!(shown(VersionSpec::Default), ("$Default".to_owned(), None));
    }

    /// A group has at most one refresh that still changes it.
    #[test]
    fn a_refresh_is_active_until_it_has_ended() {
        use RefreshStatus::*;
        let active = [Pending, InProgress, Baking, Cancelling, RollbackInProgress];
        let ended = [Successful, Failed, Cancelled, RollbackFailed, RollbackSuccessful];
        assert!(active.into_iter().all(RefreshStatus::is_active));
        assert!(!ended.into_iter().any(RefreshStatus::is_active));
    }
}
