//! Claiming the next number of the ledger, and what the claim begins with: a fresh record, or the
//! facts of a run that did not finish.

use jiff::Timestamp;

use super::ledger::CLAIMS;
use super::session::WorkflowRun;
use super::{Ledger, LedgerError};
use crate::model::{FleetFacts, Goal, ImageReference, Phase, Record, Strategy};

/// What a run wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The version, or the way back.
    pub wanted: Wanted,
    /// Forward or back.
    pub goal: Goal,
    /// How.
    pub strategy: Strategy,
    /// The same for two runs that want the same: the Actions run without its attempt, or by hand a
    /// hash of configuration and image.
    pub intent: String,
    /// Who wants it; unique to this process.
    pub holder: String,
    /// What the new version's description tells besides the image: commit and run.
    pub origin: String,
    /// The Actions run, if it is one.
    pub workflow: Option<WorkflowRun>,
    /// The commit that the run is for, where it is one.
    pub commit: Option<String>,
    /// Whether this run has made the image.
    pub made_here: bool,
}

/// The version, or the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A new version of the template, pinned to this image.
    Image(ImageReference),
    /// A version that exists.
    Version {
        /// Its number.
        version: u64,
        /// The image that it names, where the ledger knows it.
        image: Option<ImageReference>,
    },
    /// The unfinished rollout rolled back.
    Back {
        /// Only if it has this number; otherwise whichever it is.
        of: Option<u64>,
    },
}

/// What a fresh record holds of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The service.
    pub service: String,
    /// The launch template's id.
    pub template: String,
    /// The live version.
    pub previous: u64,
    /// Its commit, where the ledger knows it.
    pub previous_commit: Option<String>,
    /// What the fleet is like before anything is changed.
    pub fleet: FleetFacts,
    /// The newest record's number when this was read, and whether it had ended.
    pub basis: Option<(u64, bool)>,
}

/// A claim that was made.
pub(super) struct Claimed {
    /// The record.
    pub(super) record: Record,
    /// What people should know of the ledger.
    pub(super) notice: Option<String>,
}

/// Claims the number after the newest record's.
///
/// # Errors
/// Where the ledger cannot be read or written.
pub(super) async fn claim(
    ledger: &Ledger,
    wish: &Wish,
    origin: &Origin,
    now: impl Fn() -> Timestamp,
) -> Result<Claimed, LedgerError> {
    for _ in 0..CLAIMS {
        let records = ledger.records().await?;
        let newest = records.last();
        let unfinished = newest.is_some_and(|record| !record.is_finished());
        let stands = match wish.wanted {
            Wanted::Back { of } => {
                unfinished && of.is_none_or(|of| newest.is_some_and(|record| record.number == of))
            }
            Wanted::Image(_) | Wanted::Version { .. } => origin.basis == basis(&records),
        };
        if !stands {
            return Err(LedgerError::Moved);
        }
        let record = begin(&records, wish, origin, now());
        if ledger.claim(&record).await? {
            let notice = ledger.prune(&records).await;
            return Ok(Claimed { record, notice });
        }
        // Somebody else got that number; the next look tells who.
    }
    Err(LedgerError::Crowded)
}

/// What of the ledger a run's facts were read under: the newest number, and whether it had ended.
/// Where either changes before the claim, the facts may be of the world before.
pub(super) fn basis(records: &[Record]) -> Option<(u64, bool)> {
    records.last().map(|record| (record.number, record.is_finished()))
}

/// The record to claim with.
fn begin(records: &[Record], wish: &Wish, origin: &Origin, now: Timestamp) -> Record {
    match records.last() {
        Some(newest) if !newest.is_finished() => inherit(records, newest, wish, now),
        newest => {
            let mut record = fresh(newest.map_or(0, |record| record.number), wish, origin, now);
            record.commit = commit(records, wish);
            record
        }
    }
}

/// The commit of what is wanted. An image that this run has made is of the run's own commit; of another, and
/// of a version, an earlier record may know more.
fn commit(records: &[Record], wish: &Wish) -> Option<String> {
    let of = |is_it: &dyn Fn(&Record) -> bool| {
        let known = |record: &&Record| record.commit.is_some() && is_it(record);
        records.iter().rev().find(known).and_then(|record| record.commit.clone())
    };
    match &wish.wanted {
        Wanted::Image(_) if wish.made_here => wish.commit.clone(),
        Wanted::Image(image) => {
            let digest = Some(&image.digest);
            let same = |record: &Record| record.image.as_ref().map(|image| &image.digest) == digest;
            of(&same).or_else(|| wish.commit.clone())
        }
        Wanted::Version { version, .. } => of(&|record| record.version == Some(*version)),
        // That of what is rolled back.
        Wanted::Back { .. } => records.last().and_then(|record| record.commit.clone()),
    }
}

/// The unfinished rollout that counts: the newest, or, where that one has changed nothing before it
/// died in its take-over from something else, the one that it took over from.
pub(super) fn behind(records: &[Record]) -> Option<&Record> {
    let mut record = records.last().filter(|record| !record.is_finished())?;
    while record.phase == Phase::TakeOver && record.restart {
        match before(records, record) {
            Some(before) => record = before,
            None => break,
        }
    }
    Some(record)
}

/// The record that one continues. A number that is not lower can only be another hand's.
fn before<'r>(records: &'r [Record], record: &Record) -> Option<&'r Record> {
    let number = record.continues.filter(|number| *number < record.number)?;
    records.iter().find(|before| before.number == number)
}

/// The rollback that was asked for and has not been reached: the one that counts, or one that
/// something else has begun to take back and not yet replaced.
pub(super) fn unfinished_rollback(records: &[Record]) -> Option<&Record> {
    let mut record = behind(records)?;
    while record.goal != Goal::Rollback && record.restart {
        record = before(records, record)?;
    }
    Some(record).filter(|record| record.goal == Goal::Rollback && record.version.is_some())
}

/// A record that continues nothing, after number `newest`.
pub(super) fn fresh(newest: u64, wish: &Wish, origin: &Origin, now: Timestamp) -> Record {
    Record {
        number: newest + 1,
        service: origin.service.clone(),
        holder: wish.holder.clone(),
        continues: None,
        goal: wish.goal,
        strategy: wish.strategy,
        intent: wish.intent.clone(),
        workflow: wish.workflow.as_ref().map(|run| run.workflow.clone()),
        run_number: wish.workflow.as_ref().map(|run| run.number),
        commit: None,
        image: None,
        template: origin.template.clone(),
        version: None,
        previous: origin.previous,
        previous_commit: origin.previous_commit.clone(),
        phase: Phase::Prepare,
        since: now,
        heartbeat: now,
        fleet: origin.fleet.clone(),
        resume: None,
        abandoned: Vec::new(),
        restart: false,
        reason: None,
        ending: None,
    }
}

/// The claim of `own` as it would begin by now: a predecessor that was in the middle of a turn when
/// the claim was made has saved its last word since, and acted on it. `None` where it has ended.
///
/// # Errors
/// Where the ledger cannot be read.
pub(super) async fn again(
    ledger: &Ledger,
    wish: &Wish,
    own: &Record,
) -> Result<Option<Record>, LedgerError> {
    let mut records = ledger.records().await?;
    records.retain(|record| record.number < own.number);
    let newest = records.last().filter(|record| Some(record.number) == own.continues);
    Ok(newest.filter(|record| !record.is_finished()).map(|newest| {
        let mut record = inherit(&records, newest, wish, own.since);
        record.heartbeat = own.heartbeat;
        // What this process has seen since its claim stays seen.
        if let (FleetFacts::TwoGroups(facts), FleetFacts::TwoGroups(seen)) =
            (&mut record.fleet, &own.fleet)
        {
            facts.idle_since = seen.idle_since;
            facts.kept_busy_since = seen.kept_busy_since;
        }
        record
    }))
}

/// Inherits an unfinished record's facts: what it found before it changed anything is known from
/// nowhere else. Who wants the same as the rollout `behind` it goes on with that one.
fn inherit(records: &[Record], old: &Record, wish: &Wish, now: Timestamp) -> Record {
    let behind = behind(records).unwrap_or(old);
    let at = if behind.phase == Phase::TakeOver { behind.resume } else { Some(behind.phase) };
    let mut record = Record {
        number: old.number + 1,
        holder: wish.holder.clone(),
        continues: Some(old.number),
        goal: wish.goal,
        strategy: wish.strategy,
        intent: wish.intent.clone(),
        workflow: wish.workflow.as_ref().map(|run| run.workflow.clone()),
        run_number: wish.workflow.as_ref().map(|run| run.number),
        commit: commit(records, wish),
        phase: Phase::TakeOver,
        since: now,
        heartbeat: now,
        ..old.clone()
    };
    if let FleetFacts::TwoGroups(facts) = &mut record.fleet {
        // These are only what this process has seen itself.
        facts.idle_since = None;
        facts.kept_busy_since = None;
        facts.ruleless_since = None;
    }
    match &wish.wanted {
        Wanted::Back { .. } => {
            record.resume = Some(Phase::TakeBack);
            record.restart = false;
            record.reason = Some("asked for by `cutover rollback`".to_owned());
        }
        Wanted::Image(_) | Wanted::Version { .. } if wish.intent == behind.intent => {
            record.resume = at;
            record.restart = behind.restart;
        }
        Wanted::Image(_) | Wanted::Version { .. } => {
            record.resume = None;
            record.restart = true;
        }
    }
    record
}
