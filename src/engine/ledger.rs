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
    /// A record that stands under another number than its own.
    #[error(
        "the ledger's record {0} is a copy of another one: another hand put it there; delete it, then run the same command again"
    )]
    Misplaced(String),
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
    /// What to do about it, where AWS said no.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            LedgerError::Cloud(error) => Some(error.hint()),
            _ => None,
        }
    }

    /// Whether trying again would bring the same.
    pub(super) fn is_final(&self) -> bool {
        match self {
            LedgerError::Cloud(error) => error.class == Class::Denied,
            LedgerError::Unreadable { .. }
            | LedgerError::Misplaced(_)
            | LedgerError::TooLarge { .. } => true,
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

    /// All records, oldest first. One that cannot be read is passed over where a newer one can be:
    /// nothing is continued from it.
    ///
    /// # Errors
    /// Where AWS does not answer, or the newest record is not ours to read.
    pub async fn records(&self) -> Result<Vec<Record>, LedgerError> {
        let values = self.values().await?;
        let mut records = Vec::with_capacity(values.len());
        for (age, (number, value)) in values.iter().rev().enumerate() {
            match read(&self.name(*number), value) {
                Ok(record) if record.number == *number => records.push(record),
                Err(error) if age == 0 => return Err(error),
                Ok(_) if age == 0 => return Err(LedgerError::Misplaced(self.name(*number))),
                Ok(_) | Err(_) => {
                    tracing::warn!(number, "an old record cannot be read: passed over");
                }
            }
        }
        records.reverse();
        Ok(records)
    }

    /// What is under each number, the lowest first. Names that we would write otherwise are not ours.
    async fn values(&self) -> Result<Vec<(u64, String)>, LedgerError> {
        let found = self.cloud.by_path(&self.path).await?;
        let numbered = found.into_iter().filter_map(|(name, value)| {
            let number: u32 = name.strip_prefix(&self.path)?.strip_prefix('/')?.parse().ok()?;
            let number = u64::from(number);
            (self.name(number) == name).then_some((number, value))
        });
        let mut values: Vec<(u64, String)> = numbered.collect();
        values.sort();
        Ok(values)
    }

    /// What is under a number, if anything.
    async fn value(&self, number: u64) -> Result<Option<String>, LedgerError> {
        Ok(self.cloud.get(&self.name(number)).await?)
    }

    /// The record of a number, if it exists.
    async fn record(&self, number: u64) -> Result<Option<Record>, LedgerError> {
        let value = self.value(number).await?;
        value.map(|value| read(&self.name(number), &value)).transpose()
    }

    /// Who holds the claim, seen by the run of `own`. Numbers have no gaps above the oldest kept, so
    /// that one read of two names tells: the next number is free, and the own one still there. One that is gone may
    /// have been pruned by twenty runs since, or another hand was here: then, and where `whole` asks
    /// for it, everything is read.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn standing(&self, own: &Record, whole: bool) -> Result<Standing, LedgerError> {
        let next = own.number + 1;
        let (own_name, next_name) = (self.name(own.number), self.name(next));
        let mut values = self.cloud.values(&[&own_name, &next_name]).await?;
        let mine = Mine::of(values.get(&own_name).map(String::as_str), own);
        let mut newest = values.remove(&next_name).map(|value| (next, value));
        if whole || newest.is_some() || mine != Mine::There {
            let all = self.values().await?.pop();
            newest = all.filter(|(number, _)| *number > own.number).or(newest);
        }
        let newer = newest.map(|(number, value)| {
            let record = read(&self.name(number), &value).ok();
            Newer { number, record }
        });
        Ok(Standing { mine, newer })
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

    /// Deletes all but the newest records. Failing is no harm, since a later run does it; gives what people should know.
    pub async fn prune(&self, records: &[Record]) -> Option<String> {
        let surplus = records.len().saturating_sub(KEPT);
        let names: Vec<String> = records[..surplus].iter().map(|r| self.name(r.number)).collect();
        for chunk in names.chunks(10) {
            let names: Vec<&str> = chunk.iter().map(String::as_str).collect();
            if let Some(error) = self.cloud.delete(&names).await.error() {
                let hint = error.hint();
                return Some(format!("old records could not be deleted: {error}. To do: {hint}"));
            }
        }
        None
    }
}

/// The ledger, seen by a run that has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// What became of its own record.
    pub mine: Mine,
    /// The newest record of a higher number.
    pub newer: Option<Newer>,
}

/// What is under a run's own number.
#[derive(Debug, Clone, PartialEq)]
pub enum Mine {
    /// Its record.
    There,
    /// Nothing.
    Gone,
    /// Something that no run has written.
    Spoilt,
    /// The record of another run, which found the number free: somebody had deleted ours.
    Taken(Box<Record>),
}

/// What is under a higher number.
#[derive(Debug, Clone, PartialEq)]
pub struct Newer {
    /// The number.
    pub number: u64,
    /// The record. `None` where it cannot be read: a later version of cutover may have written it.
    pub record: Option<Record>,
}

impl Mine {
    fn of(value: Option<&str>, own: &Record) -> Mine {
        match value.map(serde_json::from_str::<Record>) {
            None => Mine::Gone,
            Some(Err(_)) => Mine::Spoilt,
            Some(Ok(record)) if record.holder == own.holder => Mine::There,
            Some(Ok(record)) => Mine::Taken(Box::new(record)),
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
