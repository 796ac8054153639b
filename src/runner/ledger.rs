//! The ledger in Parameter Store: `/cutover/<service>/rollouts/<n>`. Creating number n+1 without overwriting is atomic
//! (ParameterAlreadyExists, API model), so exactly one process succeeds. That is the claim, and n is the fence.

use cutover_aws::{Aws, AwsError, Change, Disposition, ErrorClass};
use cutover_rollout::model::{Failure, Record};
use cutover_rollout::mutant::{self, Mutant};

/// How many records are kept.
const RECORDS_KEPT: usize = 20;

/// How often a run tries to claim a number.
pub(super) const CLAIM_ATTEMPTS: usize = 10;

/// The greatest size of a standard parameter, in bytes.
const MAX_RECORD_BYTES: usize = 4096;

/// The records of one service's rollouts.
#[derive(Debug, Clone)]
pub struct Ledger {
    cloud: Aws,
    path: String,
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// AWS returned an error, or did not respond.
    #[error(transparent)]
    Cloud(#[from] AwsError),
    /// A record cannot be parsed.
    #[error(
        "the ledger's record {name} cannot be read ({cause}): it comes from another version of cutover or an external change; finish that rollout with the version of cutover that started it"
    )]
    Unreadable {
        /// The parameter's name.
        name: String,
        /// Why it cannot be parsed.
        cause: serde_json::Error,
    },
    /// A record is stored under a number that is not its own.
    #[error(
        "the ledger's record {0} is a copy of another record, made by an external change: delete it, then run the same command again"
    )]
    Misplaced(String),
    /// A record is too large for a parameter.
    #[error(
        "the record would be {size} bytes long, but Parameter Store accepts at most {MAX_RECORD_BYTES}: configure fewer rules in one service"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The newest record is not the one that the run was planned with.
    #[error("another run has started or ended in the meantime")]
    Changed,
    /// Other runs got every number that this run tried to claim.
    #[error("other runs keep claiming: this one gave up after {CLAIM_ATTEMPTS} attempts")]
    Contended,
    /// It is unknown whether a write took effect.
    #[error("the record could not be written: {0}")]
    Unwritten(String),
}

impl LedgerError {
    /// Returns whether trying again can help.
    pub(super) fn disposition(&self) -> Disposition {
        match self {
            LedgerError::Cloud(error) => error.disposition(),
            LedgerError::Unreadable { .. }
            | LedgerError::Misplaced(_)
            | LedgerError::TooLarge { .. } => Disposition::Final,
            LedgerError::Changed | LedgerError::Contended | LedgerError::Unwritten(_) => {
                Disposition::Transient
            }
        }
    }
}

impl From<&LedgerError> for Failure {
    fn from(error: &LedgerError) -> Failure {
        match error {
            LedgerError::Cloud(error) => error.into(),
            _ => Failure::failed(error.to_string()),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        Failure::from(&error)
    }
}

impl Ledger {
    /// Returns the ledger of `service`.
    pub fn new(cloud: &Aws, service: &str) -> Ledger {
        Ledger { cloud: cloud.clone(), path: format!("/cutover/{service}/rollouts") }
    }

    fn name(&self, number: u64) -> String {
        format!("{}/{number:08}", self.path)
    }

    /// Returns all records, oldest first. One that cannot be read is skipped, unless it is the newest: nothing is
    /// continued from it.
    ///
    /// # Errors
    /// If AWS does not respond, or the newest record cannot be read.
    pub async fn records(&self) -> Result<Vec<Record>, LedgerError> {
        let values = self.values().await?;
        let mut records = Vec::with_capacity(values.len());
        for (age, (number, value)) in values.iter().rev().enumerate() {
            match read(&self.name(*number), value) {
                Ok(record) if record.number == *number => records.push(record),
                Err(error) if age == 0 => return Err(error),
                Ok(_) if age == 0 => return Err(LedgerError::Misplaced(self.name(*number))),
                Ok(_) | Err(_) => {
                    tracing::warn!(number, "skipping an old record that cannot be read");
                }
            }
        }
        records.reverse();
        Ok(records)
    }

    /// Returns the value of each number, lowest first. Ignores names that cutover would write differently.
    async fn values(&self) -> Result<Vec<(u64, String)>, LedgerError> {
        let found = self.cloud.parameters_by_path(&self.path).await?;
        let numbered = found.into_iter().filter_map(|(name, value)| {
            let number: u32 = name.strip_prefix(&self.path)?.strip_prefix('/')?.parse().ok()?;
            let number = u64::from(number);
            (self.name(number) == name).then_some((number, value))
        });
        let mut values: Vec<(u64, String)> = numbered.collect();
        values.sort();
        Ok(values)
    }

    /// Returns the value of a number, if there is one.
    async fn value(&self, number: u64) -> Result<Option<String>, LedgerError> {
        Ok(self.cloud.parameter(&self.name(number)).await?)
    }

    /// Returns the record of a number, if it exists.
    async fn record(&self, number: u64) -> Result<Option<Record>, LedgerError> {
        let value = self.value(number).await?;
        value.map(|value| read(&self.name(number), &value)).transpose()
    }

    /// Returns who holds the claim, for the run of `own`. Above the oldest record that is kept, numbers have no gaps,
    /// so one read of two names is enough: the next number is free, and the run's own record exists. If that is
    /// missing, twenty later runs may have pruned it, or it was deleted by an external change; then, or if `whole` is
    /// true, everything is read.
    ///
    /// # Errors
    /// If AWS does not respond.
    pub async fn claim_state(&self, own: &Record, whole: bool) -> Result<ClaimState, LedgerError> {
        let next = own.number + 1;
        let (own_name, next_name) = (self.name(own.number), self.name(next));
        let mut values = self.cloud.parameters(&[&own_name, &next_name]).await?;
        let mine = OwnRecord::of(values.get(&own_name).map(String::as_str), own);
        let mut newest = values.remove(&next_name).map(|value| (next, value));
        if whole || newest.is_some() || mine != OwnRecord::Present {
            let all = self.values().await?.pop();
            newest = all.filter(|(number, _)| *number > own.number).or(newest);
        }
        let newer = newest.map(|(number, value)| {
            let record = read(&self.name(number), &value).ok();
            Newer { number, record }
        });
        Ok(ClaimState { own: mine, newer })
    }

    /// Creates the record under its number. Returns false if another run holds that number.
    ///
    /// # Errors
    /// If AWS refuses the write, or it stays unknown whether the claim succeeded.
    pub async fn claim(&self, record: &Record) -> Result<bool, LedgerError> {
        let value = write(record)?;
        match self.cloud.create_parameter(&self.name(record.number), &value).await {
            Change::Done(()) => Ok(true),
            Change::Refused(error) if error.class == ErrorClass::Conflict => {
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

    /// Overwrites the record of this run.
    ///
    /// # Errors
    /// If it is not certain that the record was written.
    pub async fn save(&self, record: &Record) -> Result<(), LedgerError> {
        let value = write(record)?;
        match self.cloud.overwrite(&self.name(record.number), &value).await {
            Change::Done(()) => Ok(()),
            Change::Refused(error) => Err(error.into()),
            Change::Unknown(_) if mutant::on(Mutant::AssumesSuccess) => Ok(()),
            Change::Unknown(error) => Err(LedgerError::Unwritten(error.to_string())),
        }
    }

    /// Deletes all but the newest records. Returns a notice if that fails, which does no harm: a later run tries again.
    pub async fn prune(&self, records: &[Record]) -> Option<String> {
        let surplus = records.len().saturating_sub(RECORDS_KEPT);
        let names: Vec<String> = records[..surplus].iter().map(|r| self.name(r.number)).collect();
        for chunk in names.chunks(10) {
            let names: Vec<&str> = chunk.iter().map(String::as_str).collect();
            if let Some(error) = self.cloud.delete_parameters(&names).await.error() {
                let hint = error.hint();
                return Some(format!("old records could not be deleted: {error}; {hint}"));
            }
        }
        None
    }
}

/// The state of the ledger, for a run that has claimed a number.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimState {
    /// The state of its own record.
    pub own: OwnRecord,
    /// The newest record with a higher number.
    pub newer: Option<Newer>,
}

/// What is stored under a run's own number.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnRecord {
    /// The run's record.
    Present,
    /// Nothing.
    Missing,
    /// A value that no run has written.
    Corrupt,
    /// The record of another run, which found the number free after this run's record was deleted.
    Overwritten(Box<Record>),
}

/// What is stored under a higher number.
#[derive(Debug, Clone, PartialEq)]
pub struct Newer {
    /// The number.
    pub number: u64,
    /// The record; `None` if it cannot be read: a later version of cutover may have written it.
    pub record: Option<Record>,
}

impl OwnRecord {
    fn of(value: Option<&str>, own: &Record) -> OwnRecord {
        match value.map(serde_json::from_str::<Record>) {
            None => OwnRecord::Missing,
            Some(Err(_)) => OwnRecord::Corrupt,
            Some(Ok(record)) if record.holder == own.holder => OwnRecord::Present,
            Some(Ok(record)) => OwnRecord::Overwritten(Box::new(record)),
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
    if value.len() > MAX_RECORD_BYTES {
        return Err(LedgerError::TooLarge { size: value.len() });
    }
    Ok(value)
}
