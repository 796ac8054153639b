//! An Auto Scaling group and its instances.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::activity::Activity;
use super::hooks::action::LifecycleAction;
use super::hooks::hook::LifecycleHook;
use super::policies::policy::Policy;
use super::refresh::instance_refresh::{Refresh, Status};
use super::scheduled_action::ScheduledAction;
use super::template_spec::TemplateSpec;
use crate::wire::Value;

/// One Auto Scaling group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name, unique within the account and Region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it launches from: the *saved* template, which a refresh changes only when it succeeds.
    pub template: TemplateSpec,
    /// MinSize.
    pub min: u64,
    /// MaxSize.
    pub max: u64,
    /// DesiredCapacity.
    pub desired: u64,
    /// DefaultCooldown: the seconds after a simple scaling activity in which no other one starts.
    pub cooldown: u64,
    /// The end of the current cooldown.
    pub cooldown_until: Option<Timestamp>,
    /// Whether the alarms of its policies are being evaluated.
    pub watched: bool,
    /// Its Availability Zones, in the order of its subnets.
    pub zones: Vec<String>,
    /// The ids of its subnets.
    pub subnets: Vec<String>,
    /// The ARNs of its target groups, in the order of attachment.
    pub target_groups: Vec<String>,
    /// When each target group was attached.
    pub(super) attached: BTreeMap<String, Timestamp>,
    /// When each former target group was detached: instances may still be draining there.
    pub(super) detached: BTreeMap<String, Timestamp>,
    /// `EC2`, `ELB`, or a comma-separated list.
    pub health_check_type: String,
    /// HealthCheckGracePeriod: the seconds after InService in which ELB's health checks are ignored.
    pub grace: u64,
    /// `DefaultInstanceWarmup` in seconds.
    pub warmup: Option<u64>,
    /// The instance maintenance policy: MinHealthyPercentage and MaxHealthyPercentage, −1 where unset.
    pub maintenance: Option<(i64, i64)>,
    /// Whether new instances are protected from scale-in.
    pub protects_new: bool,
    /// The termination policies, in order of precedence.
    pub termination_policies: Vec<String>,
    /// The suspended processes, and when each was suspended.
    pub suspended: BTreeMap<String, Timestamp>,
    /// Its tags by key.
    pub tags: BTreeMap<String, Tag>,
    /// When it was created.
    pub created: Timestamp,
    /// Its instances by id, including those that are launching or leaving.
    pub members: BTreeMap<String, Member>,
    /// Its instance refreshes, oldest first; only the last may be active.
    pub refreshes: Vec<Refresh>,
    /// Its activities, oldest first.
    pub activities: Vec<Activity>,
    /// Its scheduled actions by name.
    pub scheduled: BTreeMap<String, ScheduledAction>,
    /// Its scaling policies by name.
    pub policies: BTreeMap<String, Policy>,
    /// Its lifecycle hooks by name.
    pub hooks: BTreeMap<String, LifecycleHook>,
    /// The group metrics that it collects (namespace `AWS/AutoScaling`).
    pub metrics: BTreeSet<String>,
    /// Whether sampling is scheduled.
    pub sampled: bool,
    /// The collected samples, by minute.
    pub samples: BTreeMap<Timestamp, MetricSample>,
    /// Its warm pool, as put. The lab stores and describes it but never fills it.
    pub warm_pool: Option<Value>,
    /// Settings that the lab stores and describes but doesn't act on.
    pub stored_settings: BTreeMap<String, Value>,
    /// The zones that recently had no capacity, and when each may be tried again.
    pub zones_without_capacity: BTreeMap<String, Timestamp>,
    /// The state of its launch retries.
    pub backoff: Backoff,
    /// Why DesiredCapacity has its value: the beginning of an activity's cause.
    pub reason: Option<String>,
    /// True once deletion has begun.
    pub deleting: bool,
}

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its value.
    pub value: String,
    /// PropagateAtLaunch: whether new instances get it.
    pub propagates: bool,
}

/// The values of [`Group::metrics`] in one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricSample {
    /// MinSize, MaxSize and DesiredCapacity.
    pub bounds: (u64, u64, u64),
    /// Instances in service.
    pub in_service: u64,
    /// Instances that are launching.
    pub pending: u64,
    /// Instances in standby, or entering it.
    pub standby: u64,
    /// Instances that are leaving.
    pub terminating: u64,
}

/// The back-off after launches have failed in every zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Consecutive failures.
    pub failures: u32,
    /// When the next launch is allowed.
    pub until: Option<Timestamp>,
}

/// The lifecycle state of an instance in its group (API model: `LifecycleState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LifecycleState {
    /// Launching.
    Pending,
    /// Waiting for its launch hooks.
    PendingWait,
    /// Past its launch hooks.
    PendingProceed,
    /// In service.
    InService,
    /// Being deregistered, before standby.
    EnteringStandby,
    /// Set aside at the user's request.
    Standby,
    /// Draining, or terminating.
    Terminating,
    /// Waiting for its termination hooks.
    TerminatingWait,
    /// Past its termination hooks.
    TerminatingProceed,
    /// Being deregistered, before it leaves the group; it keeps running.
    Detaching,
}

impl LifecycleState {
    /// Returns the API's name of the state.
    pub fn as_str(self) -> &'static str {
        match self {
            LifecycleState::Pending => "Pending",
            LifecycleState::PendingWait => "Pending:Wait",
            LifecycleState::PendingProceed => "Pending:Proceed",
            LifecycleState::InService => "InService",
            LifecycleState::EnteringStandby => "EnteringStandby",
            LifecycleState::Standby => "Standby",
            LifecycleState::Terminating => "Terminating",
            LifecycleState::TerminatingWait => "Terminating:Wait",
            LifecycleState::TerminatingProceed => "Terminating:Proceed",
            LifecycleState::Detaching => "Detaching",
        }
    }

    /// Returns whether the instance is launching.
    pub fn is_launching(self) -> bool {
        matches!(
            self,
            LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed
        )
    }

    /// Returns whether the instance is terminating or being detached.
    pub fn is_leaving(self) -> bool {
        matches!(
            self,
            LifecycleState::Terminating
                | LifecycleState::TerminatingWait
                | LifecycleState::TerminatingProceed
                | LifecycleState::Detaching
        )
    }

    /// Returns whether the instance is in standby, or entering it.
    pub fn is_standby(self) -> bool {
        matches!(self, LifecycleState::EnteringStandby | LifecycleState::Standby)
    }
}

/// An instance of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its lifecycle state.
    pub state: LifecycleState,
    /// False once it has been found unhealthy.
    pub healthy: bool,
    /// Whether it is protected from scale-in.
    pub protected: bool,
    /// Its zone.
    pub zone: String,
    /// Its instance type.
    pub instance_type: Option<String>,
    /// Id, name and version number of the launch template that it was launched from.
    pub template: (String, String, u64),
    /// When it was launched.
    pub launched: Timestamp,
    /// When it came into service.
    pub in_service: Option<Timestamp>,
    /// The id of its current scaling activity.
    pub activity: String,
    /// The lifecycle actions that it waits for.
    pub actions: Vec<LifecycleAction>,
    /// When EC2's status checks began to fail.
    pub impaired: Option<Timestamp>,
    /// Launched beyond DesiredCapacity, to balance zones: not counted as surplus until it is in service.
    pub launched_ahead: bool,
}

impl Member {
    /// Returns whether it counts toward DesiredCapacity: launching, or in service.
    pub fn counts_toward_capacity(&self) -> bool {
        self.state.is_launching() || self.state == LifecycleState::InService
    }
}

impl Group {
    /// Returns the refresh that has not ended, if there is one.
    pub fn active_refresh(&self) -> Option<&Refresh> {
        self.refreshes.last().filter(|refresh| refresh.status.is_active())
    }

    /// Returns the active refresh, mutably.
    pub(super) fn active_refresh_mut(&mut self) -> Option<&mut Refresh> {
        self.refreshes.last_mut().filter(|refresh| refresh.status.is_active())
    }

    /// Returns what an instance is launched from now: the desired configuration of an active refresh,
    /// otherwise the saved template (user guide).
    pub fn effective_template(&self) -> &TemplateSpec {
        match self.active_refresh() {
            Some(refresh)
                if matches!(
                    refresh.status,
                    Status::Pending | Status::InProgress | Status::Baking
                ) =>
            {
                refresh.desired.as_ref().unwrap_or(&self.template)
            }
            _ => &self.template,
        }
    }

    /// Returns the instances that count toward DesiredCapacity.
    pub fn live(&self) -> impl Iterator<Item = (&String, &Member)> {
        self.members.iter().filter(|(_, member)| member.counts_toward_capacity())
    }

    /// Returns whether a process is not suspended.
    pub fn is_process_active(&self, process: &str) -> bool {
        !self.suspended.contains_key(process)
    }

    /// Returns whether load balancer health checks count.
    pub fn uses_elb_health(&self) -> bool {
        self.health_check_type.split(',').any(|kind| kind.trim() == "ELB")
    }
}
