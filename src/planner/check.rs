//! Reads and checks the account before anything is changed: `cutover verify`, and the first part of every run.

use super::registries::inaccessible_repositories;
use super::target;
use crate::preflight::{self, Facts, Finding, Severity};
use crate::publish::RegistryAccess;
use crate::runner::{Ledger, RolloutSpec, newest_state};
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_rollout::model::{Failure, FleetFacts, Record, Repository, Status};

/// The account's state before anything is changed, and what was found in it.
pub struct CheckedAccount {
    /// What was read of the account.
    pub facts: Facts,
    /// The preflight findings.
    pub findings: Vec<Finding>,
    /// The ledger's records, oldest first.
    pub records: Vec<Record>,
}

impl CheckedAccount {
    /// Returns whether a rollout may start.
    pub fn may_start(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    /// Checks that the registries other than ECR accept the logins, if an image is to be pushed.
    pub(super) async fn check_registries(&mut self, access: RegistryAccess<'_>, config: &Config) {
        self.findings.extend(inaccessible_repositories(access, config).await);
    }

    /// Checks that nothing blocks a rollout.
    ///
    /// # Errors
    /// If a finding is an error.
    pub fn require_no_errors(&self) -> Result<(), Failure> {
        let errors = self.findings.iter().filter(|f| f.severity == Severity::Error).count();
        let message = match errors {
            0 => return Ok(()),
            1 => "preflight found one error; nothing was changed".to_owned(),
            n => format!("preflight found {n} errors; nothing was changed"),
        };
        let hint = match self.unfinished() {
            None => "fix what is marked as an error, then run `cutover verify` again",
            Some(_) => {
                "fix what is marked as an error, or run `cutover rollback` to roll back the unfinished rollout"
            }
        };
        Err(Failure::refused(message).hint(hint))
    }

    /// Returns the unfinished rollout, if there is one.
    pub fn unfinished(&self) -> Option<&Record> {
        self.records.last().filter(|record| !record.is_finished())
    }

    /// Makes the plan of what a run would do.
    ///
    /// # Errors
    /// If something that the configuration names does not exist or is not suitable.
    pub fn target(&self, config: &Config) -> Result<RolloutSpec, target::PlanError> {
        let from = self.unfinished().and_then(|record| match &record.fleet {
            FleetFacts::TwoGroups(facts) => Some(facts.old),
            FleetFacts::OneGroup(_) => None,
        });
        let mut target = target::resolve(config, &self.facts, from)?;
        target.origin.newest_state = newest_state(&self.records);
        target.origin.previous_commit = self
            .succeeded_rollout_of(target.origin.previous)
            .and_then(|record| record.commit.clone());
        Ok(target)
    }

    /// Returns the rollout that shifted all traffic to this version, if the ledger still has it.
    pub(super) fn succeeded_rollout_of(&self, version: u64) -> Option<&Record> {
        let is_it = |r: &&Record| r.status == Some(Status::Succeeded) && r.version == Some(version);
        self.records.iter().rev().find(is_it)
    }
}

/// Reads and checks the account. The image is in these `repositories`, or is to be pushed to them.
///
/// # Errors
/// If AWS does not respond, or the ledger cannot be read.
pub async fn check(
    cloud: &Aws,
    config: &Config,
    repositories: &[Repository],
) -> Result<CheckedAccount, Failure> {
    let records = Ledger::new(cloud, &config.service).records().await?;
    let unfinished = records.last().filter(|record| !record.is_finished());
    let doing = unfinished.map(|r| format!("rollout {} in phase `{}`", r.number, r.phase.name()));
    let facts = preflight::gather(cloud, config, repositories, doing).await?;
    let findings = preflight::findings(config, &facts);
    Ok(CheckedAccount { facts, findings, records })
}
