//! What is read and found before anything is changed: `cutover verify`, and what every run does first.

use super::claim::basis;
use super::push::closed;
use super::{Ledger, Target, target};
use crate::cloud::{Cloud, CloudError};
use crate::config::Config;
use crate::model::{Ending, FleetFacts, Outcome, Record, Repository};
use crate::net::Net;
use crate::preflight::{self, Facts, Finding, Severity};
use crate::publish::Logins;

/// What was read and found before anything is changed.
pub struct Checked {
    /// The account's state.
    pub facts: Facts,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// The ledger, oldest first.
    pub records: Vec<Record>,
}

impl Checked {
    /// Whether a rollout may begin.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    /// Asks the registries that are not AWS's whether they let us in, where an image is to be pushed.
    pub(super) async fn ask_registries(
        &mut self,
        at: (&Net, &Cloud),
        config: &Config,
        logins: &Logins,
    ) {
        self.findings.extend(closed(at, config, logins).await);
    }

    /// The outcome of a deployment that may not begin; `None` where it may.
    pub fn refusal(&self) -> Option<Outcome> {
        let errors = self.findings.iter().filter(|f| f.severity == Severity::Error).count();
        let message = match errors {
            0 => return None,
            1 => "preflight found one error; nothing was changed".to_owned(),
            n => format!("preflight found {n} errors; nothing was changed"),
        };
        let hint = match self.unfinished() {
            None => "mend what is marked as an error, then `cutover verify` again",
            Some(_) => "`cutover rollback` takes the unfinished rollout back all the same",
        };
        Some(Outcome::new(Ending::Refused, message).hint(hint))
    }

    /// The rollout that did not finish, if there is one.
    pub fn unfinished(&self) -> Option<&Record> {
        self.records.last().filter(|record| !record.is_finished())
    }

    /// The plan of what a run would do.
    ///
    /// # Errors
    /// Where something that it names does not exist or fit.
    pub fn target(&self, config: &Config) -> Result<Target, target::Unresolved> {
        let from = self.unfinished().and_then(|record| match &record.fleet {
            FleetFacts::TwoGroups(facts) => Some(facts.from),
            FleetFacts::OneGroup(_) => None,
        });
        let mut target = target::resolve(config, &self.facts, from)?;
        target.origin.basis = basis(&self.records);
        target.origin.previous_commit =
            self.proven(target.origin.previous).and_then(|record| record.commit.clone());
        Ok(target)
    }

    /// The rollout that brought this version to all traffic, where the ledger still has it.
    pub(super) fn proven(&self, version: u64) -> Option<&Record> {
        let is_it = |r: &&Record| r.ending == Some(Ending::Succeeded) && r.version == Some(version);
        self.records.iter().rev().find(is_it)
    }
}

/// Why checking was not possible.
#[derive(Debug, thiserror::Error)]
pub enum Unchecked {
    /// AWS did not answer.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] super::LedgerError),
}

impl Unchecked {
    /// The outcome of what was to be checked.
    pub fn outcome(&self) -> Outcome {
        let hint = match self {
            Unchecked::Cloud(error) => Some(error.hint()),
            Unchecked::Ledger(error) => error.hint(),
        };
        Outcome { hint, ..Outcome::new(Ending::Failed, self.to_string()) }
    }
}

/// Reads the account and judges it: `cutover verify`, and what `deploy` does first. The image is in these
/// `repositories`, or is to be.
///
/// # Errors
/// Where AWS does not answer, or the ledger is not ours to read.
pub async fn check(
    cloud: &Cloud,
    config: &Config,
    repositories: &[Repository],
) -> Result<Checked, Unchecked> {
    let records = Ledger::new(cloud, &config.service).records().await?;
    let unfinished = records.last().filter(|record| !record.is_finished());
    let doing = unfinished.map(|r| format!("run {} in phase `{}`", r.number, r.phase.name()));
    let facts = preflight::gather(cloud, config, repositories, doing).await?;
    let findings = preflight::findings(config, &facts);
    Ok(Checked { facts, findings, records })
}
