//! Fleets as EC2 Auto Scaling describes them: groups, their instances, instance refreshes and
//! scheduled actions.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use serde::{Deserialize, Serialize};

/// Bounds and target of a group's size, in instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// MinSize.
    pub min: u32,
    /// MaxSize.
    pub max: u32,
    /// DesiredCapacity.
    pub desired: u32,
}

/// A launch template's version as someone wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionSpec {
    /// A number: what launches is fixed.
    Number(u64),
    /// `$Latest`: whatever was made last.
    Latest,
    /// `$Default`, or nothing.
    Default,
}

impl VersionSpec {
    /// The number, where it is one.
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

/// A launch template and a version of it.
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
    /// Whether this is version `number` of template `id`.
    pub fn is(&self, id: &str, number: u64) -> bool {
        self.id == id && self.version == VersionSpec::Number(number)
    }
}

/// What a group launches from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// A launch template of its own.
    Template(LaunchTemplate),
    /// A mixed-instances policy over a launch template, whose version alone may be replaced.
    Mixed {
        /// The policy's launch template.
        template: LaunchTemplate,
        /// True where it selects instances by attributes: no desired configuration is possible then.
        attribute_based: bool,
        /// True where an override brings a launch template of its own.
        own_templates: bool,
    },
    /// A launch configuration, or nothing: no version can be pinned.
    Other,
}

impl TemplateSource {
    /// The launch template, where there is one.
    pub fn template(&self) -> Option<&LaunchTemplate> {
        match self {
            TemplateSource::Template(template) | TemplateSource::Mixed { template, .. } => {
                Some(template)
            }
            TemplateSource::Other => None,
        }
    }
}

/// The states of an instance's life that a rollout tells apart (BC `LifecycleState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// Coming up, hooks included.
    Pending,
    /// In service: registered, not necessarily healthy.
    InService,
    /// Going, hooks included.
    Terminating,
    /// Set aside by a person.
    Standby,
    /// Anything else: detaching, warmed, quarantined.
    Other,
}

/// An instance of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Where in its life it is.
    pub lifecycle: Lifecycle,
    /// Auto Scaling's own opinion of its health.
    pub healthy: bool,
    /// What it was launched from; `None` where AWS has it no longer.
    pub template: Option<LaunchTemplate>,
    /// ProtectedFromScaleIn.
    pub protected: bool,
}

/// A group and its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// AutoScalingGroupName.
    pub name: String,
    /// Its size.
    pub capacity: Capacity,
    /// What it launches from: the saved configuration, which a refresh changes only at its end.
    pub source: TemplateSource,
    /// Its instances, in the order of their ids.
    pub instances: Vec<Instance>,
    /// The zones that it launches into, sorted.
    pub zones: Vec<String>,
    /// The attached target groups' ARNs, sorted.
    pub target_groups: Vec<String>,
    /// True where HealthCheckType includes `ELB`.
    pub elb_health: bool,
    /// HealthCheckGracePeriod.
    pub grace: Duration,
    /// Suspended processes, sorted.
    pub suspended: Vec<String>,
}

impl Group {
    /// The version of the group's own launch template that all instances in service run; `None` where there are none, or
    /// they differ.
    pub fn running(&self) -> Option<u64> {
        let own = self.source.template()?;
        let serving = self.instances.iter().filter(|i| i.lifecycle == Lifecycle::InService);
        let mut versions = serving.map(|instance| {
            let launched = instance.template.as_ref().filter(|launched| launched.id == own.id);
            launched.and_then(|launched| launched.version.number())
        });
        let first = versions.next()??;
        versions.all(|version| version == Some(first)).then_some(first)
    }

    /// The versions of the group's own launch template that its instances in service run besides `version`, ascending.
    pub fn running_instead_of(&self, version: u64) -> Vec<u64> {
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

/// The states of an instance refresh (BC `InstanceRefreshStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshStatus {
    /// Accepted, not begun.
    Pending,
    /// Replacing.
    InProgress,
    /// All replaced, waiting out BakeTime.
    Baking,
    /// Done; the group's own configuration is now the desired one.
    Successful,
    /// Ended without success.
    Failed,
    /// Being cancelled.
    Cancelling,
    /// Was cancelled.
    Cancelled,
    /// Going back.
    RollbackInProgress,
    /// Went back without success.
    RollbackFailed,
    /// Went back.
    RollbackSuccessful,
}

impl RefreshStatus {
    /// Whether it still changes the group: at most one refresh of a group is active.
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

/// How a refresh is to replace instances (BC `RefreshPreferences`); everything that has a default
/// worth knowing is sent explicitly.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preferences {
    /// MinHealthyPercentage, 0–100.
    pub min_healthy: u32,
    /// MaxHealthyPercentage, 100–200; `None` leaves it out, which differs from an explicit 100.
    pub max_healthy: Option<u32>,
    /// InstanceWarmup; `None` leaves the group's default.
    #[serde(with = "friendly::optional")]
    pub warmup: Option<Duration>,
    /// CheckpointPercentages, ascending; the last is 100, or the rest is not replaced.
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

/// An instance refresh as DescribeInstanceRefreshes tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRefresh {
    /// InstanceRefreshId.
    pub id: String,
    /// Its state.
    pub status: RefreshStatus,
    /// AWS's reason, for messages.
    pub reason: Option<String>,
    /// PercentageComplete. Falls back to zero in a rollback: never a sign of completion.
    pub percent: Option<u32>,
    /// InstancesToUpdate.
    pub remaining: Option<u32>,
    /// When it began; `None` while Pending.
    pub started: Option<Timestamp>,
    /// The desired configuration's launch template, if it had one.
    pub desired: Option<LaunchTemplate>,
    /// The preferences that it runs under; `None` where AWS gives none.
    pub preferences: Option<Preferences>,
}

/// A scheduled action of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledAction {
    /// ScheduledActionName.
    pub name: String,
    /// When it runs next.
    pub at: Option<Timestamp>,
    /// MinSize to set.
    pub min: Option<u32>,
    /// MaxSize to set.
    pub max: Option<u32>,
    /// DesiredCapacity to set.
    pub desired: Option<u32>,
    /// True where it recurs.
    pub recurring: bool,
}
