//! Claims the ledger's next number. A claim begins with a fresh record, or with the facts of a run that did not finish.

use jiff::Timestamp;

use super::ledger::CLAIM_ATTEMPTS;
use super::{Baseline, Desired, Ledger, LedgerError, RolloutRequest};
use cutover_rollout::model::{FleetFacts, Goal, Phase, Record};

/// A successful claim.
pub(super) struct Claimed {
    /// The record.
    pub(super) record: Record,
    /// A problem with the ledger to report.
    pub(super) notice: Option<String>,
}

/// Claims the number after the newest record's.
///
/// # Errors
/// If the ledger has changed since `origin` was read, or cannot be read or written.
pub(super) async fn claim(
    ledger: &Ledger,
    wish: &RolloutRequest,
    origin: &Baseline,
    now: impl Fn() -> Timestamp,
) -> Result<Claimed, LedgerError> {
    for _ in 0..CLAIM_ATTEMPTS {
        let records = ledger.records().await?;
        let newest = records.last();
        let unfinished = newest.is_some_and(|record| !record.is_finished());
        let stands = match wish.wanted {
            Desired::Back { of } => {
                unfinished && of.is_none_or(|of| newest.is_some_and(|record| record.number == of))
            }
            Desired::Image(_) | Desired::Version { .. } => {
                origin.newest_state == newest_state(&records)
            }
        };
        if !stands {
            return Err(LedgerError::Changed);
        }
        let record = first_record(&records, wish, origin, now());
        if ledger.claim(&record).await? {
            let notice = ledger.prune(&records).await;
            return Ok(Claimed { record, notice });
        }
        // Another run got that number; the next read shows which.
    }
    Err(LedgerError::Contended)
}

/// Returns the newest number, and whether that rollout has ended. If either changes before the claim, the facts that
/// the run has read may be outdated.
pub(crate) fn newest_state(records: &[Record]) -> Option<(u64, bool)> {
    records.last().map(|record| (record.number, record.is_finished()))
}

/// Returns the record to claim with.
fn first_record(
    records: &[Record],
    wish: &RolloutRequest,
    origin: &Baseline,
    now: Timestamp,
) -> Record {
    match records.last() {
        Some(newest) if !newest.is_finished() => inherit(records, newest, wish, now),
        newest => {
            let mut record =
                fresh_record(newest.map_or(0, |record| record.number), wish, origin, now);
            record.commit = commit(records, wish);
            record
        }
    }
}

/// Returns the commit of what is rolled out. An image that this run made belongs to the run's own commit; the commit of
/// another image or of a version may be in an earlier record.
fn commit(records: &[Record], wish: &RolloutRequest) -> Option<String> {
    let of = |is_it: &dyn Fn(&Record) -> bool| {
        let known = |record: &&Record| record.commit.is_some() && is_it(record);
        records.iter().rev().find(known).and_then(|record| record.commit.clone())
    };
    match &wish.wanted {
        Desired::Image(_) if wish.made_by_this_run => wish.commit.clone(),
        Desired::Image(image) => {
            let digest = Some(&image.digest);
            let same = |record: &Record| record.image.as_ref().map(|image| &image.digest) == digest;
            of(&same).or_else(|| wish.commit.clone())
        }
        Desired::Version { version, .. } => of(&|record| record.version == Some(*version)),
        // The commit of what is rolled back.
        Desired::Back { .. } => records.last().and_then(|record| record.commit.clone()),
    }
}

/// Returns the unfinished rollout that counts: the newest, or, if that one died in its take-over from a rollout with
/// another intent and so changed nothing, the one that it took over from.
pub(crate) fn effective_unfinished(records: &[Record]) -> Option<&Record> {
    let mut record = records.last().filter(|record| !record.is_finished())?;
    while record.phase == Phase::TakeOver && record.restart {
        match continued_record(records, record) {
            Some(before) => record = before,
            None => break,
        }
    }
    Some(record)
}

/// Returns the record that a record continues. A number that is not lower can only be an external change.
fn continued_record<'r>(records: &'r [Record], record: &Record) -> Option<&'r Record> {
    let number = record.continues.filter(|number| *number < record.number)?;
    records.iter().find(|before| before.number == number)
}

/// Returns the rollback that has not reached its version yet: the unfinished rollout that counts, or one that a run
/// with another intent has begun to undo, but not replaced yet.
pub(crate) fn unfinished_rollback(records: &[Record]) -> Option<&Record> {
    let mut record = effective_unfinished(records)?;
    while record.goal != Goal::Rollback && record.restart {
        record = continued_record(records, record)?;
    }
    Some(record).filter(|record| record.goal == Goal::Rollback && record.version.is_some())
}

/// Returns a record that continues nothing; `newest` is the number before its own.
pub(crate) fn fresh_record(
    newest: u64,
    wish: &RolloutRequest,
    origin: &Baseline,
    now: Timestamp,
) -> Record {
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
        superseded_versions: Vec::new(),
        restart: false,
        reason: None,
        status: None,
    }
}

/// Returns the record of `own` as the claim would begin now: a predecessor that was in the middle of a tick during the
/// claim may have saved its record since, and acted on it. `None` if its rollout has ended.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) async fn reread_inherited(
    ledger: &Ledger,
    wish: &RolloutRequest,
    own: &Record,
) -> Result<Option<Record>, LedgerError> {
    let mut records = ledger.records().await?;
    records.retain(|record| record.number < own.number);
    let newest = records.last().filter(|record| Some(record.number) == own.continues);
    Ok(newest.filter(|record| !record.is_finished()).map(|newest| {
        let mut record = inherit(&records, newest, wish, own.since);
        record.heartbeat = own.heartbeat;
        // Keeps what this process has observed since its claim.
        if let (FleetFacts::TwoGroups(facts), FleetFacts::TwoGroups(own_facts)) =
            (&mut record.fleet, &own.fleet)
        {
            facts.idle_since = own_facts.idle_since;
            facts.kept_busy_since = own_facts.kept_busy_since;
        }
        record
    }))
}

/// Returns a record that inherits the facts of the unfinished one: the state before its changes is recorded nowhere
/// else. A run with the same intent as the rollout that counts ([`effective_unfinished`]) resumes that rollout.
fn inherit(records: &[Record], old: &Record, wish: &RolloutRequest, now: Timestamp) -> Record {
    let behind = effective_unfinished(records).unwrap_or(old);
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
        // These count only what this process has observed itself.
        facts.idle_since = None;
        facts.kept_busy_since = None;
        facts.ruleless_since = None;
    }
    match &wish.wanted {
        Desired::Back { .. } => {
            record.resume = Some(Phase::RestoreTraffic);
            record.restart = false;
            record.reason = Some("requested by `cutover rollback`".to_owned());
        }
        Desired::Image(_) | Desired::Version { .. } if wish.intent == behind.intent => {
            record.resume = at;
            record.restart = behind.restart;
        }
        Desired::Image(_) | Desired::Version { .. } => {
            record.resume = None;
            record.restart = true;
        }
    }
    record
}
