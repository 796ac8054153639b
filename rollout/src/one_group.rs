//! One group whose instances an instance refresh replaces in place. There is no second side with the previous version:
//! a rollback is RollbackInstanceRefresh while the rollout's refresh is active, and a refresh to the previous version
//! after that.

use std::collections::BTreeSet;

use super::evidence::{judge_alarms, judge_since};
use super::mutant::{self, Mutant};
use super::refresh::{
    active_refresh, check_at_version, check_no_active_refresh, is_at_version, own_refresh,
    suspended_suffix,
};
use super::tick::Tick;
use super::{Action, NotReady, ObservedGroup, OneGroup, T};
use crate::judge::Verdict;
use crate::model::{
    Event, FleetFacts, Goal, InstanceRefresh, Lifecycle, OneGroupFacts, Phase, RefreshFacts,
    RefreshPreferences, RefreshStatus, Status, TargetHealth,
};

/// Decides one tick.
pub(super) fn decide(tick: &mut Tick<'_>, plan: &OneGroup) {
    let FleetFacts::OneGroup(facts) = &tick.record.fleet else { return };
    let mut facts = facts.clone();
    if let Some(why) = tick.observation.refused.clone() {
        if matches!(tick.record.phase, Phase::RestoreTraffic | Phase::Undo) {
            let hint = "fix the cause, then run `cutover rollback` again to resume";
            tick.stuck(format!("AWS refused a change during the rollback: {why}"), hint);
        } else {
            start_rollback(tick, &why);
        }
    } else if let Some(observed) = tick.group_or_stuck(&plan.group) {
        let stepped = match tick.record.phase {
            Phase::TakeOver => take_over(tick, observed, &mut facts),
            Phase::Refresh | Phase::CancelScaleIn => {
                watch_refresh(tick, plan, observed, &mut facts)
            }
            Phase::Verify => verify(tick, observed),
            Phase::RestoreTraffic | Phase::Undo => roll_back(tick, plan, observed, &mut facts),
            Phase::Prepare
            | Phase::ScaleOut
            | Phase::AddToRules
            | Phase::Healthy
            | Phase::SmokeTest
            | Phase::Shift
            | Phase::Bake
            | Phase::Settle
            | Phase::ScheduleScaleIn
            | Phase::Done => Ok(()),
        };
        tick.wait_unless_ready(stepped);
    }
    tick.record.fleet = FleetFacts::OneGroup(facts);
}

fn take_over(
    tick: &mut Tick<'_>,
    observed: &ObservedGroup,
    facts: &mut OneGroupFacts,
) -> Result<(), NotReady> {
    let idle = active_refresh(observed)?.is_none();
    if !tick.is_overdue(T) && !mutant::on(Mutant::NoWaitAfterTakeover) {
        tick.report_waiting(
            "the previous run did not finish: waiting until none of its requests can still take effect",
            Some(T),
        );
    } else if let Some(phase) = tick.record.resume.take() {
        tick.enter(phase, format!("resuming in phase `{}`", phase.name()));
    } else if let Some(version) = tick
        .record
        .version
        .filter(|version| idle && is_at_version(observed, &tick.plan.template, *version))
    {
        tick.record.previous = version;
        tick.record.restart = false;
        *facts = OneGroupFacts::default();
        tick.enter(
            Phase::Prepare,
            "the previous run had already replaced every instance: starting from its version",
        );
    } else {
        tick.record.set_reason("an earlier rollout of another version was left unfinished");
        tick.enter(Phase::RestoreTraffic, "rolling back the earlier rollout first");
    }
    Ok(())
}

/// Starts the refresh, then watches and judges it.
fn watch_refresh(
    tick: &mut Tick<'_>,
    plan: &OneGroup,
    observed: &ObservedGroup,
    facts: &mut OneGroupFacts,
) -> Result<(), NotReady> {
    let version = tick.version()?;
    let mine = track_refresh(tick, observed, &mut facts.refresh, version, &plan.preferences)?;
    if let Some((status, reason)) = &mine {
        match status {
            RefreshStatus::Pending | RefreshStatus::InProgress | RefreshStatus::Baking => {}
            RefreshStatus::Successful => {
                if is_at_version(observed, &tick.plan.template, version) {
                    tick.enter(Phase::Verify, "verifying that the new version is live and healthy");
                    return Ok(());
                }
            }
            RefreshStatus::Failed
            | RefreshStatus::Cancelling
            | RefreshStatus::Cancelled
            | RefreshStatus::RollbackInProgress
            | RefreshStatus::RollbackFailed
            | RefreshStatus::RollbackSuccessful => {
                let reason = reason.clone().unwrap_or_else(|| "AWS gave no reason".to_owned());
                start_rollback(
                    tick,
                    &format!("the instance refresh ended with status {status:?}: {reason}"),
                );
                return Ok(());
            }
        }
        if let Verdict::Fail(why) = verdict(tick, plan) {
            start_rollback(tick, &why);
            return Ok(());
        }
    } else if active_refresh(observed)?.is_some() {
        tick.report_waiting(
            "an instance refresh that this rollout did not start is active",
            Some(tick.plan.deadlines.refresh),
        );
    } else if is_at_version(observed, &tick.plan.template, version) {
        tick.enter(Phase::Verify, "every instance already runs the new version");
        return Ok(());
    } else {
        start_refresh(tick, plan, observed, &mut facts.refresh, version, plan.preferences.clone())?;
    }
    let planned = plan.preferences.bake
        + plan.preferences.checkpoint_delay * plan.preferences.checkpoints.len() as u32;
    let limit = tick.plan.deadlines.refresh + planned;
    let but = suspended_suffix(observed);
    if tick.is_overdue(limit) {
        start_rollback(tick, &format!("the instance refresh did not finish in time{but}"));
    } else {
        tick.report_waiting(format!("replacing instances{but}"), Some(limit));
    }
    Ok(())
}

/// Rolls back to the previous version.
fn roll_back(
    tick: &mut Tick<'_>,
    plan: &OneGroup,
    observed: &ObservedGroup,
    facts: &mut OneGroupFacts,
) -> Result<(), NotReady> {
    let limit = tick.plan.deadlines.refresh + tick.plan.deadlines.healthy;
    if tick.is_overdue(limit) {
        let but = suspended_suffix(observed);
        tick.stuck(
            format!("the rollback to the previous version did not finish in time{but}"),
            "run `cutover status` to see the group and its instance refresh, then `cutover rollback` to resume",
        );
        return Ok(());
    }
    if let Some(version) = tick.record.version {
        // A run that died right after StartInstanceRefresh has not recorded the refresh's ID.
        locate_refresh(tick, observed, &mut facts.refresh, version, &plan.preferences)?;
    }
    if let Some(refresh) = active_refresh(observed)? {
        let forward = facts.refresh.as_ref().is_some_and(|f| f.id.as_ref() == Some(&refresh.id));
        tick.emit(Event::Refresh {
            group: plan.group.clone(),
            status: refresh.status,
            percent: refresh.percent,
            reason: refresh.reason.clone(),
        });
        let undoable = matches!(
            refresh.status,
            RefreshStatus::Pending | RefreshStatus::InProgress | RefreshStatus::Baking
        );
        if forward && undoable {
            tick.send(Action::RollbackRefresh { group: plan.group.clone() });
        }
        tick.report_waiting("rolling back to the previous version", Some(limit));
        return Ok(());
    }
    let previous = tick.record.previous;
    if is_at_version(observed, &tick.plan.template, previous) {
        end_rollback(tick, facts);
        return Ok(());
    }
    let preferences = RefreshPreferences {
        bake: Default::default(),
        checkpoints: Vec::new(),
        checkpoint_delay: Default::default(),
        auto_rollback: false,
        alarms: Vec::new(),
        ..plan.preferences.clone()
    };
    match track_refresh(tick, observed, &mut facts.back, previous, &preferences)? {
        Some((RefreshStatus::Successful, _)) => tick.report_waiting(
            "the instance refresh succeeded, but not every instance shows the previous version yet",
            Some(limit),
        ),
        Some((status, reason)) => {
            let reason = reason.unwrap_or_else(|| "AWS gave no reason".to_owned());
            tick.notice(format!(
                "the instance refresh to the previous version ended with status {status:?}: {reason}; starting another one"
            ));
            facts.back = None;
        }
        None => start_refresh(tick, plan, observed, &mut facts.back, previous, preferences)?,
    }
    Ok(())
}

fn end_rollback(tick: &mut Tick<'_>, facts: &mut OneGroupFacts) {
    if tick.record.restart {
        tick.record.restart = false;
        *facts = OneGroupFacts::default();
        tick.record.reason = None;
        tick.enter(Phase::Prepare, "the previous version is restored: starting again");
        return;
    }
    let reason = tick.record.reason.clone().unwrap_or_else(|| "requested".to_owned());
    let previous = tick.record.previous;
    let (ending, message) = match tick.record.goal {
        Goal::Rollback => (Status::Failed, "the rollback failed and was undone: "),
        Goal::Deploy | Goal::Undo => (Status::RolledBack, ""),
    };
    tick.end(ending, format!("{message}every instance runs version {previous}: {reason}"), None);
}

/// Proves that every instance runs the record's version and is healthy.
pub(super) fn prove(tick: &Tick<'_>, observed: &ObservedGroup) -> Result<(), NotReady> {
    let version = tick.version()?;
    tick.check_proof(version)?;
    check_no_active_refresh(observed)?;
    check_at_version(observed, &tick.plan.template, version)?;
    check_targets(observed, TargetHealth::Healthy)
}

fn verify(tick: &mut Tick<'_>, observed: &ObservedGroup) -> Result<(), NotReady> {
    let version = tick.version()?;
    match prove(tick, observed) {
        Ok(()) => {
            let message = format!("every instance runs version {version} and is healthy");
            let reached = tick.record.goal.reached();
            tick.end(reached, message, None);
        }
        Err(why) if tick.is_overdue(tick.plan.deadlines.healthy) => {
            start_rollback(tick, &format!("success could not be proven: {why}"));
        }
        Err(why) => tick.report_waiting(why.to_string(), Some(tick.plan.deadlines.healthy)),
    }
    Ok(())
}

fn start_rollback(tick: &mut Tick<'_>, reason: &str) {
    tick.emit(Event::RollingBack { reason: reason.to_owned() });
    tick.record.set_reason(reason);
    tick.actions.clear();
    tick.enter(Phase::RestoreTraffic, "rolling back to the previous version");
}

/// Returns the status and reason of the rollout's refresh. Records its ID and reports its progress.
fn track_refresh(
    tick: &mut Tick<'_>,
    observed: &ObservedGroup,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: &RefreshPreferences,
) -> Result<Option<(RefreshStatus, Option<String>)>, NotReady> {
    let Some(refresh) = locate_refresh(tick, observed, facts, version, preferences)? else {
        return Ok(None);
    };
    tick.emit(Event::Refresh {
        group: observed.group.name.clone(),
        status: refresh.status,
        percent: refresh.percent,
        reason: refresh.reason.clone(),
    });
    Ok(Some((refresh.status, refresh.reason.clone())))
}

/// Returns the rollout's refresh, and records its ID.
fn locate_refresh<'s>(
    tick: &Tick<'_>,
    observed: &'s ObservedGroup,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: &RefreshPreferences,
) -> Result<Option<&'s InstanceRefresh>, NotReady> {
    let Some(known) = facts.as_mut().filter(|f| f.version == version) else { return Ok(None) };
    let refresh = own_refresh(observed, known, &tick.plan.template, preferences)?;
    if let Some(refresh) = refresh {
        known.id = Some(refresh.id.clone());
    }
    Ok(refresh)
}

fn start_refresh(
    tick: &mut Tick<'_>,
    plan: &OneGroup,
    observed: &ObservedGroup,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: RefreshPreferences,
) -> Result<(), NotReady> {
    if facts.as_ref().is_none_or(|f| f.version != version) {
        let after = observed.refreshes()?.first().map(|refresh| refresh.id.clone());
        *facts = Some(RefreshFacts { version, after, id: None });
    }
    tick.send(Action::StartRefresh {
        group: plan.group.clone(),
        template: tick.plan.template.clone(),
        version,
        preferences,
    });
    Ok(())
}

fn verdict(tick: &mut Tick<'_>, plan: &OneGroup) -> Verdict {
    // An alarm without data doesn't hold anything back here: the instance refresh watches the alarms itself.
    if let Some(fail @ Verdict::Fail(_)) = judge_alarms(tick.plan, tick.observation) {
        return fail;
    }
    let (Some(limit), Some(target_group)) = (tick.plan.judge.errors, &plan.target_group) else {
        return Verdict::Pass("no error limit is configured".to_owned());
    };
    let (counts, verdict) = judge_since(tick.observation, target_group, &limit, tick.record.since);
    tick.emit(Event::Judgment {
        verdict: verdict.name(),
        counts,
        message: verdict.message().to_owned(),
    });
    verdict
}

/// Checks that the registered targets are exactly the group's instances in service, all in `health`.
pub(super) fn check_targets(
    observed: &ObservedGroup,
    health: TargetHealth,
) -> Result<(), NotReady> {
    let of = |wanted: &[Lifecycle]| -> BTreeSet<&str> {
        let instances = observed.group.instances.iter();
        instances.filter(|i| wanted.contains(&i.lifecycle)).map(|i| i.id.as_str()).collect()
    };
    let (serving, coming) = (of(&[Lifecycle::InService]), of(&[Lifecycle::Pending]));
    // Whatever is asked of every instance holds for a group without instances, so that is checked first.
    let desired = observed.group.capacity.desired;
    NotReady::unless(!serving.is_empty() || desired == 0, || {
        format!("none of the {desired} desired instances is in service")
    })?;
    if observed.group.target_groups.is_empty() {
        return Ok(());
    }
    let registered: BTreeSet<&str> = observed
        .targets
        .iter()
        .filter(|t| t.health != TargetHealth::Draining)
        .map(|t| t.id.as_str())
        .collect();
    let strangers = registered.iter().filter(|id| !serving.contains(*id) && !coming.contains(*id));
    let (strangers, missing) = (strangers.count(), serving.difference(&registered).count());
    NotReady::unless(strangers + missing == 0, || {
        format!(
            "{} targets are registered, but {} instances are in service",
            registered.len(),
            serving.len()
        )
    })?;
    let well = |id: &&str| observed.targets.iter().any(|t| t.id == **id && t.health == health);
    let healthy = serving.iter().filter(|id| well(id)).count();
    NotReady::unless(healthy == serving.len(), || {
        format!("{healthy} of {} targets are healthy", serving.len())
    })
}
