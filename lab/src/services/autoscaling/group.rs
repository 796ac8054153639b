//! A group and its instances.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::activities::Activity;
use super::hooks::{Action, Hook};
use super::policies::Policy;
use super::refresh::{Refresh, Status};
use super::scheduled::Scheduled;
use super::template::TemplateSpec;
use crate::wire::Value;

/// One Auto Scaling group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name, unique in account and Region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it launches from: the *saved* template, which a refresh changes only when it succeeds.
    pub template: TemplateSpec,
    /// The least instances.
    pub min: u64,
    /// The most instances.
    pub max: u64,
    /// The wanted instances.
    pub desired: u64,
    /// Seconds after a simple scaling in which there is no other.
    pub cooldown: u64,
    /// Until when that is.
    pub cooling: Option<Timestamp>,
    /// Whether alarms are watched for its policies.
    pub watched: bool,
    /// Its zones, in the order of its subnets.
    pub zones: Vec<String>,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// The ARNs of its target groups, in the order of attachment.
    pub target_groups: Vec<String>,
    /// Since when it has them.
    pub(super) attached: BTreeMap<String, Timestamp>,
    /// Those that it had, and since when not: instances may still be draining there.
    pub(super) detached: BTreeMap<String, Timestamp>,
    /// `EC2`, `ELB` or a list of both.
    pub health_check_type: String,
    /// Seconds from InService in which ELB's word on an instance is not heard.
    pub grace: u64,
    /// `DefaultInstanceWarmup` in seconds.
    pub warmup: Option<u64>,
    /// The instance maintenance policy: least and most healthy percentage, −1 where unset.
    pub maintenance: Option<(i64, i64)>,
    /// Whether new instances are protected from scale-in.
    pub protects_new: bool,
    /// How instances are chosen for termination, the most important way first.
    pub termination_policies: Vec<String>,
    /// Suspended processes, and since when.
    pub suspended: BTreeMap<String, Timestamp>,
    /// Its tags by key.
    pub tags: BTreeMap<String, Tag>,
    /// When it was created.
    pub created: Timestamp,
    /// Its instances by id, those on their way in and out too.
    pub members: BTreeMap<String, Member>,
    /// Its refreshes, oldest first; at most the last is active.
    pub refreshes: Vec<Refresh>,
    /// Its activities, oldest first.
    pub activities: Vec<Activity>,
    /// Its scheduled actions by name.
    pub scheduled: BTreeMap<String, Scheduled>,
    /// Its scaling policies by name.
    pub policies: BTreeMap<String, Policy>,
    /// Its lifecycle hooks by name.
    pub hooks: BTreeMap<String, Hook>,
    /// The group metrics that it collects (`AWS/AutoScaling`).
    pub metrics: BTreeSet<String>,
    /// Whether they are counted.
    pub sampled: bool,
    /// What was collected, by minute.
    pub samples: BTreeMap<Timestamp, Counts>,
    /// Its warm pool, as put. It is kept and described, never filled: a limit of the lab.
    pub warm_pool: Option<Value>,
    /// Members of the API that the lab keeps and answers without acting on them.
    pub kept: BTreeMap<String, Value>,
    /// Zones that lately had no capacity, and until when they are passed over.
    pub shunned: BTreeMap<String, Timestamp>,
    /// How launches fail.
    pub backoff: Backoff,
    /// Why the desired capacity is what it is: the beginning of an activity's cause.
    pub reason: Option<String>,
    /// True once it is being deleted.
    pub deleting: bool,
}

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its value.
    pub value: String,
    /// Whether new instances get it.
    pub propagates: bool,
}

/// What [`Group::metrics`] count in one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Minimum, maximum and desired capacity.
    pub bounds: (u64, u64, u64),
    /// Instances in service.
    pub in_service: u64,
    /// On their way in.
    pub pending: u64,
    /// Set aside.
    pub standby: u64,
    /// On their way out.
    pub terminating: u64,
}

/// How long launches wait after they have failed in every zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Failures in a row.
    pub failures: u32,
    /// Until when nothing is launched.
    pub until: Option<Timestamp>,
}

/// Where an instance is in the group (API model: `LifecycleState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// On its way in.
    Pending,
    /// Waiting for the hooks of its launch.
    PendingWait,
    /// Past them.
    PendingProceed,
    /// In.
    InService,
    /// Leaving its target groups to be set aside.
    EnteringStandby,
    /// Set aside by a person.
    Standby,
    /// On its way out: draining, then ending.
    Terminating,
    /// Waiting for the hooks of its termination.
    TerminatingWait,
    /// Past them.
    TerminatingProceed,
    /// Leaving its target groups, and the group, to live on.
    Detaching,
}

impl Lifecycle {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Lifecycle::Pending => "Pending",
            Lifecycle::PendingWait => "Pending:Wait",
            Lifecycle::PendingProceed => "Pending:Proceed",
            Lifecycle::InService => "InService",
            Lifecycle::EnteringStandby => "EnteringStandby",
            Lifecycle::Standby => "Standby",
            Lifecycle::Terminating => "Terminating",
            Lifecycle::TerminatingWait => "Terminating:Wait",
            Lifecycle::TerminatingProceed => "Terminating:Proceed",
            Lifecycle::Detaching => "Detaching",
        }
    }

    /// On its way in.
    pub fn is_arriving(self) -> bool {
        matches!(self, Lifecycle::Pending | Lifecycle::PendingWait | Lifecycle::PendingProceed)
    }

    /// On its way out.
    pub fn is_leaving(self) -> bool {
        matches!(
            self,
            Lifecycle::Terminating
                | Lifecycle::TerminatingWait
                | Lifecycle::TerminatingProceed
                | Lifecycle::Detaching
        )
    }

    /// Set aside, or about to be.
    pub fn is_aside(self) -> bool {
        matches!(self, Lifecycle::EnteringStandby | Lifecycle::Standby)
    }
}

/// An instance of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Where it is in the group.
    pub state: Lifecycle,
    /// False once a health check has found it unhealthy.
    pub healthy: bool,
    /// Whether it is protected from scale-in.
    pub protected: bool,
    /// Its zone.
    pub zone: String,
    /// Its type.
    pub machine: Option<String>,
    /// Id, name and number of the template version that it was launched from.
    pub template: (String, String, u64),
    /// When it was launched.
    pub launched: Timestamp,
    /// When it came into service.
    pub in_service: Option<Timestamp>,
    /// The activity that it is part of.
    pub activity: String,
    /// The hooks that it waits for.
    pub actions: Vec<Action>,
    /// Since when EC2's status checks fail.
    pub impaired: Option<Timestamp>,
    /// Launched beyond the desired capacity, to balance zones: not too many until it is in service.
    pub ahead: bool,
}

impl Member {
    /// Counts towards the desired capacity: on its way in, or in.
    pub fn is_live(&self) -> bool {
        self.state.is_arriving() || self.state == Lifecycle::InService
    }
}

impl Group {
    /// The refresh that is not at an end, if there is one.
    pub fn active_refresh(&self) -> Option<&Refresh> {
        self.refreshes.last().filter(|refresh| refresh.status.is_active())
    }

    /// The same, to change.
    pub(super) fn active_refresh_mut(&mut self) -> Option<&mut Refresh> {
        self.refreshes.last_mut().filter(|refresh| refresh.status.is_active())
    }

    /// What an instance that is launched now is launched from: the desired configuration of an active
    /// refresh, else the saved template (user guide).
    pub fn launches_from(&self) -> &TemplateSpec {
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

    /// The instances that count towards the desired capacity.
    pub fn live(&self) -> impl Iterator<Item = (&String, &Member)> {
        self.members.iter().filter(|(_, member)| member.is_live())
    }

    /// Whether a process runs.
    pub fn runs(&self, process: &str) -> bool {
        !self.suspended.contains_key(process)
    }

    /// Whether the load balancer's word decides on health.
    pub fn checks_elb(&self) -> bool {
        self.health_check_type.split(',').any(|kind| kind.trim() == "ELB")
    }
}
