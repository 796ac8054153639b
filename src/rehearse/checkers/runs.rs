//! The deployer's processes, as observed from outside: whether they are alive, what they claimed,
//! what they last read and what they wrote since.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cutover_lab::services::ssm;
use cutover_lab::world::{World, elapsed, later};
use jiff::Timestamp;

use super::FleetNames;
use super::call::{ATTEMPT, Call};
use cutover_rollout::T;
use cutover_rollout::model::{Outcome, Record};

/// How long a call may take to count as prompt.
const PROMPT: Duration = Duration::from_secs(1);

/// One process.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Whether it has started and neither ended nor died.
    pub alive: bool,
    /// When it began.
    pub began: Option<Timestamp>,
    /// Its claims, the newest last.
    pub claims: Vec<Claim>,
    /// When it last read what.
    pub read: Reads,
    /// Its changes that arrived since it began its latest observation.
    pub wrote: Vec<SentChange>,
    /// When one of its calls last failed, was lost or was slow: it can't be expected to act at
    /// once.
    pub last_fault: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// A change, and when it was sent: a later one may have overtaken it.
#[derive(Debug, Clone)]
pub(super) struct SentChange {
    pub operation: String,
    pub sent: Timestamp,
}

/// A record's number, and what its creation meant.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub number: u64,
    /// When it was created.
    pub at: Timestamp,
    /// Whether the record before it had not ended.
    pub takes_over: bool,
    /// Whether it rolls back what a predecessor began, and starts again.
    pub restarts: bool,
}

/// When a run's latest successful reads of each kind arrived in the lab.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Of the ledger, showing whether there is a newer record.
    pub claim: Readings,
    pub rules: Readings,
    pub groups: Readings,
    pub refreshes: Readings,
    /// By target group.
    pub health: BTreeMap<String, Readings>,
    /// Of one version of the template: of its user data, before success is reported.
    pub version: Readings,
    /// When the latest answer to any read came, or its wait timed out.
    pub any: Option<Timestamp>,
}

/// When the latest reads of one kind arrived, newest last. A change may arrive long after it was
/// sent, and reads that came later are not what it was based on.
#[derive(Debug, Default)]
pub(super) struct Readings(VecDeque<Timestamp>);

impl Readings {
    /// More than can happen while a change is on its way.
    const KEPT: usize = 64;

    fn note(&mut self, at: Timestamp) {
        if self.0.len() == Readings::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(at);
    }

    /// Returns the newest.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.0.back().copied()
    }

    /// Returns the newest that a call sent at `sent` can be based on.
    pub(super) fn by(&self, sent: Timestamp) -> Option<Timestamp> {
        self.0.iter().rev().find(|at| **at <= sent).copied()
    }
}

impl Run {
    /// Returns its newest claim.
    pub(super) fn claim(&self) -> Option<&Claim> {
        self.claims.last()
    }

    /// Notes one of its calls, which arrived now.
    pub(super) fn note(&mut self, world: &World, call: &Call, names: &FleetNames) {
        let now = world.now;
        // A parameter that does not exist is an answer, too; a denied read is not.
        let is_absent = || {
            call.operation == "GetParameter"
                && call.status == 400
                && call.field("Name").is_some_and(|name| ssm::current_value(world, name).is_none())
        };
        let tells = call.done || is_absent();
        let in_time = call.answered.is_some_and(|at| elapsed(call.sent, at) <= PROMPT);
        if !in_time || !tells {
            self.last_fault = Some(call.answered.unwrap_or(later(call.sent, ATTEMPT)));
        }
        if !call.is_read() {
            self.wrote.push(SentChange { operation: call.operation.clone(), sent: call.sent });
            return;
        }
        let read = &mut self.read;
        let gave_up = later(call.sent, ATTEMPT);
        read.any = read.any.max(Some(call.answered.unwrap_or(gave_up)));
        if call.answered.is_none() || !tells {
            return;
        }
        match call.operation.as_str() {
            "GetParameter" | "GetParameters" => {
                let named = call.field("Name").into_iter().chain(call.list("Names"));
                let highest = named.filter_map(|name| names.number(name)).max();
                let own = self.claims.last().map(|claim| claim.number);
                if highest.is_some() && highest > own {
                    read.claim.note(now);
                }
            }
            "GetParametersByPath" => read.claim.note(now),
            "DescribeRules" | "DescribeListeners" => read.rules.note(now),
            "DescribeAutoScalingGroups" => {
                read.groups.note(now);
                self.wrote.clear();
            }
            "DescribeInstanceRefreshes" => read.refreshes.note(now),
            "DescribeTargetHealth" => {
                if let Some(arn) = call.field("TargetGroupArn") {
                    read.health.entry(arn.to_owned()).or_default().note(now);
                }
            }
            "DescribeLaunchTemplateVersions"
                if call.list("LaunchTemplateVersion").next().is_some() =>
            {
                read.version.note(now);
            }
            _ => {}
        }
    }
}

/// All processes by name, and the ledger's numbers by who created them.
#[derive(Debug, Default)]
pub(super) struct Runs {
    by_name: BTreeMap<String, Run>,
    /// Which process created each number, and when.
    claims: BTreeMap<u64, (String, Timestamp)>,
}

impl Runs {
    /// Returns the process of this name, known or new.
    pub(super) fn get_mut(&mut self, name: &str) -> &mut Run {
        self.by_name.entry(name.to_owned()).or_default()
    }

    /// Returns the process of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Run> {
        self.by_name.get(name)
    }

    /// Returns how many rollouts have been begun, new or again: each may create a version of its
    /// own.
    pub(super) fn begun(&self) -> usize {
        let claims = self.by_name.values().flat_map(|run| &run.claims);
        claims.filter(|claim| !claim.takes_over || claim.restarts).count()
    }

    /// Notes a claim, if the call has created a record, and returns it.
    pub(super) fn note_claim(
        &mut self,
        world: &World,
        call: &Call,
        names: &FleetNames,
    ) -> Option<Claim> {
        let number = claimed(call, names)?;
        let own = record(world, names, number);
        let before = number.checked_sub(1).and_then(|before| record(world, names, before));
        let claim = Claim {
            number,
            at: world.now,
            takes_over: before.is_some_and(|record| !record.is_finished()),
            restarts: own.is_some_and(|record| record.restart),
        };
        self.claims.insert(number, (call.sender.clone(), world.now));
        self.get_mut(&call.sender).claims.push(claim.clone());
        Some(claim)
    }

    /// Returns when the first number above `number` was created by a process other than `name`.
    pub(super) fn newer(&self, number: u64, name: &str) -> Option<Timestamp> {
        let above = self.claims.range(number + 1..);
        above.filter(|(_, (holder, _))| holder != name).map(|(_, (_, at))| *at).min()
    }

    /// Returns the newest number that a run has claimed.
    pub(super) fn newest(&self) -> Option<u64> {
        self.claims.last_key_value().map(|(number, _)| *number)
    }

    /// Returns the process that created a number.
    pub(super) fn holder(&self, number: u64) -> Option<&str> {
        self.claims.get(&number).map(|(holder, _)| holder.as_str())
    }

    /// Returns the run that holds the highest number, if it is alive and past the time in which a
    /// run that takes over only reads. Until then no run can be expected to act.
    pub(super) fn acting(&self, now: Timestamp) -> Option<&str> {
        let (_, (holder, _)) = self.claims.last_key_value()?;
        let run = self.by_name.get(holder).filter(|run| run.alive)?;
        let claim = run.claim()?;
        let silent = if claim.takes_over { T } else { Duration::ZERO };
        (elapsed(claim.at, now) > silent).then_some(holder.as_str())
    }
}

/// Returns the number of the record that a call has created.
fn claimed(call: &Call, names: &FleetNames) -> Option<u64> {
    let creates = call.operation == "PutParameter" && call.field("Overwrite") != Some("true");
    (creates && call.done).then(|| names.number(call.field("Name")?)).flatten()
}

/// Returns a record as it is now.
pub(super) fn record(world: &World, names: &FleetNames, number: u64) -> Option<Record> {
    let name = format!("{}{number:08}", names.ledger());
    serde_json::from_str(ssm::current_value(world, &name)?).ok()
}
