//! The ledger in Parameter Store: `/cutover/<service>/rollouts/<n>`. Creating number n+1 without
//! overwriting is atomic create-if-absent (ParameterAlreadyExists, API model): exactly one process
//! gets it. That is the claim, and n is the fence.

use crate::cloud::{Change, Class, Cloud, CloudError};
use crate::model::Record;
use crate::rollout::mutant::{self, Mutant};

/// How many records stay.
const KEPT: usize = 20;

/// How often a run tries to get a number.
pub(super) const CLAIMS: usize = 10;

/// A standard parameter holds at most this many bytes.
const LIMIT: usize = 4096;

/// One service's records.
#[derive(Debug, Clone)]
pub struct Ledger {
    cloud: Cloud,
    path: String,
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// AWS said no, or nothing.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A record that this version cannot read.
    #[error(
        "the ledger's record {name} cannot be read ({cause}): it was written by another version of cutover, or by another hand; finish that rollout with the version that began it"
    )]
    Unreadable {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// More facts than fit.
    #[error(
        "the record would be {size} bytes long, Parameter Store takes {LIMIT}: name fewer rules in one service"
    )]
    TooLarge {
        /// Its length.
        size: usize,
    },
    /// The newest record is another one than the one that was decided on.
    #[error("another run has claimed or finished meanwhile")]
    Moved,
    /// Every number that was asked for was somebody else's already.
    #[error("other runs keep claiming: this one gave up after {CLAIMS} times")]
    Crowded,
    /// It is not known whether a write took effect.
    #[error("the record could not be written: {0}")]
    Unwritten(String),
}

impl LedgerError {
    /// Whether trying again would bring the same.
    pub(super) fn is_final(&self) -> bool {
        match self {
            LedgerError::Cloud(error) => error.class == Class::Denied,
            LedgerError::Unreadable { .. } | LedgerError::TooLarge { .. } => true,
            LedgerError::Moved | LedgerError::Crowded | LedgerError::Unwritten(_) => false,
        }
    }
}

impl Ledger {
    /// The ledger of `service`.
    pub fn new(cloud: &Cloud, service: &str) -> Ledger {
        Ledger { cloud: cloud.clone(), path: format!("/cutover/{service}/rollouts") }
    }

    fn name(&self, number: u64) -> String {
        format!("{}/{number:08}", self.path)
    }

    /// All records, oldest first.
    ///
    /// # Errors
    /// Where AWS does not answer, or a record is not ours to read.
    pub async fn records(&self) -> Result<Vec<Record>, LedgerError> {
        let mut values = self.cloud.by_path(&self.path).await?;
        values.sort();
        values.iter().map(|(name, value)| read(name, value)).collect()
    }

    /// The record of a number, if it exists.
    ///
    /// # Errors
    /// As [`Ledger::records`].
    pub async fn record(&self, number: u64) -> Result<Option<Record>, LedgerError> {
        let name = self.name(number);
        let value = self.cloud.get(&name).await?;
        value.map(|value| read(&name, &value)).transpose()
    }

    /// The newest record above `own`. Numbers have no gaps above the oldest kept, so that usually
    /// one read of two names tells that there is none: the next number is free, and the own one
    /// still there. One that is gone may have been pruned by twenty runs since.
    ///
    /// # Errors
    /// As [`Ledger::records`].
    pub async fn newer_than(&self, own: u64) -> Result<Option<Record>, LedgerError> {
        let (own_name, next_name) = (self.name(own), self.name(own + 1));
        let values = self.cloud.values(&[&own_name, &next_name]).await?;
        let found = |name| values.get(name).map(|value| read(name, value)).transpose();
        let (own_record, next) = (found(&own_name)?, found(&next_name)?);
        if own_record.is_some() && next.is_none() {
            return Ok(None);
        }
        let newest = self.records().await?.pop().filter(|record| record.number > own);
        Ok(newest.or(next))
    }

    /// Creates the record under its number. False where somebody else holds that number.
    ///
    /// # Errors
    /// Where it stays unknown whether the claim was made.
    pub async fn claim(&self, record: &Record) -> Result<bool, LedgerError> {
        let value = write(record)?;
        match self.cloud.put_new(&self.name(record.number), &value).await {
            Change::Done(()) => Ok(true),
            Change::Refused(error) if error.class == Class::Conflict => {
                Ok(self.record(record.number).await?.is_some_and(|r| r.holder == record.holder))
            }
            Change::Refused(error) => Err(error.into()),
            Change::Unknown(_) if mutant::on(Mutant::AssumesSuccess) => Ok(true),
            Change::Unknown(error) => match self.record(record.number).await? {
                Some(found) => Ok(found.holder == record.holder),
                None => Err(LedgerError::Unwritten(error.to_string())),
            },
        }
    }

    /// Writes a record that this run has claimed.
    ///
    /// # Errors
    /// Where it is not surely written.
    pub async fn save(&self, record: &Record) -> Result<(), LedgerError> {
        let value = write(record)?;
        match self.cloud.overwrite(&self.name(record.number), &value).await {
            Change::Done(()) => Ok(()),
            Change::Refused(error) => Err(error.into()),
            Change::Unknown(_) if mutant::on(Mutant::AssumesSuccess) => Ok(()),
            Change::Unknown(error) => Err(LedgerError::Unwritten(error.to_string())),
        }
    }

    /// Deletes all but the newest records. Failing is no harm: a later run does it.
    pub async fn prune(&self, records: &[Record]) {
        let surplus = records.len().saturating_sub(KEPT);
        let names: Vec<String> = records[..surplus].iter().map(|r| self.name(r.number)).collect();
        for chunk in names.chunks(10) {
            let names: Vec<&str> = chunk.iter().map(String::as_str).collect();
            if let Some(error) = self.cloud.delete(&names).await.error() {
                tracing::warn!(%error, "old records could not be deleted");
            }
        }
    }
}

fn read(name: &str, value: &str) -> Result<Record, LedgerError> {
    serde_json::from_str(value)
        .map_err(|cause| LedgerError::Unreadable { name: name.to_owned(), cause })
}

fn write(record: &Record) -> Result<String, LedgerError> {
    let value =
        serde_json::to_string(record).map_err(|cause| LedgerError::Unwritten(cause.to_string()))?;
    if value.len() > LIMIT {
        return Err(LedgerError::TooLarge { size: value.len() });
    }
    Ok(value)
}
