//! One group whose instances are replaced in place by an instance refresh. There is no second side
//! to go back to: the way back is RollbackInstanceRefresh while ours is active, and a refresh to
//! the previous version after it.

use std::collections::BTreeSet;

use super::evidence::judge_since;
use super::mutant::{self, Mutant};
use super::refresh::{active, at_version, but_suspended, ours};
use super::turn::Turn;
use super::{Action, AlarmState, GroupSeen, OneGroup, T};
use crate::judge::Verdict;
use crate::model::{
    Ending, Event, FleetFacts, Goal, InstanceRefresh, Lifecycle, OneGroupFacts, Phase, Preferences,
    RefreshFacts, RefreshStatus, TargetHealth,
};

/// One turn.
pub(super) fn decide(turn: &mut Turn<'_>, plan: &OneGroup) {
    let FleetFacts::OneGroup(facts) = &turn.record.fleet else { return };
    let mut facts = facts.clone();
    if let Some(why) = turn.seen.refused.clone() {
        if matches!(turn.record.phase, Phase::TakeBack | Phase::Undo) {
            let hint = "mend what AWS refuses, then `cutover rollback` goes on";
            turn.stuck(format!("the way back was refused: {why}"), hint);
        } else {
            take_back(turn, &why);
        }
    } else if let Some(seen) = turn.group(&plan.group) {
        match turn.record.phase {
            Phase::TakeOver => take_over(turn, seen, &mut facts),
            Phase::Refresh | Phase::Free => watch(turn, plan, seen, &mut facts),
            Phase::Verify => verify(turn, seen),
            Phase::TakeBack | Phase::Undo => go_back(turn, plan, seen, &mut facts),
            Phase::Prepare
            | Phase::Size
            | Phase::Join
            | Phase::Healthy
            | Phase::Smoke
            | Phase::Shift
            | Phase::Bake
            | Phase::Settle
            | Phase::Retire
            | Phase::Done => {}
        }
    }
    turn.record.fleet = FleetFacts::OneGroup(facts);
}

fn take_over(turn: &mut Turn<'_>, seen: &GroupSeen, facts: &mut OneGroupFacts) {
    if !turn.overdue(T) && !mutant::on(Mutant::NoWaitAfterTakeover) {
        turn.wait(
            "the previous run did not finish: waiting until nothing that it sent can still arrive",
            Some(T),
        );
    } else if let Some(phase) = turn.record.resume.take() {
        turn.go(phase, format!("going on from `{}`", phase.name()));
    } else if let Some(version) = turn
        .record
        .version
        .filter(|version| active(seen).is_none() && at_version(seen, &turn.plan.template, *version))
    {
        turn.record.previous = version;
        turn.record.restart = false;
        *facts = OneGroupFacts::default();
        turn.go(
            Phase::Prepare,
            "the previous run had replaced every instance: starting from there",
        );
    } else {
        turn.record.set_reason("an earlier rollout of something else was left unfinished");
        turn.go(Phase::TakeBack, "the earlier rollout is taken back first");
    }
}

/// Asks for the refresh, then watches and judges it.
fn watch(turn: &mut Turn<'_>, plan: &OneGroup, seen: &GroupSeen, facts: &mut OneGroupFacts) {
    let Some(version) = turn.record.version else { return };
    let mine = find(turn, seen, &mut facts.refresh, version, &plan.preferences);
    if let Some((status, reason)) = &mine {
        match status {
            RefreshStatus::Pending | RefreshStatus::InProgress | RefreshStatus::Baking => {}
            RefreshStatus::Successful => {
                if at_version(seen, &turn.plan.template, version) {
                    turn.go(Phase::Verify, "reading what success asserts");
                    return;
                }
            }
            RefreshStatus::Failed
            | RefreshStatus::Cancelling
            | RefreshStatus::Cancelled
            | RefreshStatus::RollbackInProgress
            | RefreshStatus::RollbackFailed
            | RefreshStatus::RollbackSuccessful => {
                let reason = reason.clone().unwrap_or_else(|| "no reason given".to_owned());
                take_back(turn, &format!("the instance refresh ended {status:?}: {reason}"));
                return;
            }
        }
        if let Verdict::Fail(why) = verdict(turn, plan) {
            take_back(turn, &why);
            return;
        }
    } else if active(seen).is_some() {
        turn.wait("somebody else's instance refresh is active", Some(turn.plan.deadlines.refresh));
    } else if at_version(seen, &turn.plan.template, version) {
        turn.go(Phase::Verify, "every instance runs the version already");
        return;
    } else {
        ask(turn, plan, seen, &mut facts.refresh, version, plan.preferences.clone());
    }
    let planned = plan.preferences.bake
        + plan.preferences.checkpoint_delay * plan.preferences.checkpoints.len() as u32;
    let limit = turn.plan.deadlines.refresh + planned;
    let but = but_suspended(seen);
    if turn.overdue(limit) {
        take_back(turn, &format!("the instance refresh did not end in time{but}"));
    } else {
        turn.wait(format!("instances are replaced{but}"), Some(limit));
    }
}

/// Goes back to the previous version.
fn go_back(turn: &mut Turn<'_>, plan: &OneGroup, seen: &GroupSeen, facts: &mut OneGroupFacts) {
    let limit = turn.plan.deadlines.refresh + turn.plan.deadlines.healthy;
    if turn.overdue(limit) {
        let but = but_suspended(seen);
        turn.stuck(
            format!("the previous version could not be brought back in time{but}"),
            "`cutover status` shows the group and its refresh; `cutover rollback` goes on",
        );
        return;
    }
    if let Some(version) = turn.record.version {
        // A run that died right after Start has not seen its refresh's id.
        locate(turn, seen, &mut facts.refresh, version, &plan.preferences);
    }
    if let Some(refresh) = active(seen) {
        let forward = facts.refresh.as_ref().is_some_and(|f| f.id.as_ref() == Some(&refresh.id));
        turn.tell(Event::Refresh {
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
            turn.send(Action::RollbackRefresh { group: plan.group.clone() });
        }
        turn.wait("the previous version comes back", Some(limit));
        return;
    }
    let previous = turn.record.previous;
    if at_version(seen, &turn.plan.template, previous) {
        came_back(turn, facts);
        return;
    }
    let preferences = Preferences {
        bake: Default::default(),
        checkpoints: Vec::new(),
        checkpoint_delay: Default::default(),
        auto_rollback: false,
        alarms: Vec::new(),
        ..plan.preferences.clone()
    };
    match find(turn, seen, &mut facts.back, previous, &preferences) {
        Some((RefreshStatus::Successful, _)) => turn.wait("the group settles", Some(limit)),
        Some((status, reason)) => {
            let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
            turn.notice(format!("the refresh back ended {status:?}: {reason}; asking again"));
            facts.back = None;
        }
        None => ask(turn, plan, seen, &mut facts.back, previous, preferences),
    }
}

fn came_back(turn: &mut Turn<'_>, facts: &mut OneGroupFacts) {
    if turn.record.restart {
        turn.record.restart = false;
        *facts = OneGroupFacts::default();
        turn.record.reason = None;
        turn.go(Phase::Prepare, "the previous version is back: starting anew");
        return;
    }
    let reason = turn.record.reason.clone().unwrap_or_else(|| "asked for".to_owned());
    let previous = turn.record.previous;
    let (ending, message) = match turn.record.goal {
        Goal::Rollback => (Ending::Failed, "the rollback itself was taken back: "),
        Goal::Deploy | Goal::Undo => (Ending::RolledBack, ""),
    };
    turn.end(ending, format!("{message}every instance is on version {previous}: {reason}"), None);
}

/// What is missing to the proof that every instance runs the record's version.
pub(super) fn unproven(turn: &Turn<'_>, seen: &GroupSeen) -> Option<String> {
    let Some(version) = turn.record.version else { return Some("there is no version".to_owned()) };
    let proof = turn.seen.proof;
    if !proof.is_some_and(|p| p.bracketed) {
        Some("the claim changed while it was read".to_owned())
    } else if !proof.is_some_and(|p| p.pinned) {
        Some(format!("the user data of version {version} does not hold the digest alone"))
    } else if active(seen).is_some() {
        Some("an instance refresh is active".to_owned())
    } else if !at_version(seen, &turn.plan.template, version) {
        Some(format!("not every instance is in service from version {version}"))
    } else {
        unmatched_targets(seen, TargetHealth::Healthy)
    }
}

fn verify(turn: &mut Turn<'_>, seen: &GroupSeen) {
    let Some(version) = turn.record.version else { return };
    match unproven(turn, seen) {
        None => {
            let message = format!("every instance runs version {version} and is healthy");
            let reached = turn.record.goal.reached();
            turn.end(reached, message, None);
        }
        Some(why) if turn.overdue(turn.plan.deadlines.healthy) => {
            take_back(turn, &format!("success could not be proven: {why}"));
        }
        Some(why) => turn.wait(why, Some(turn.plan.deadlines.healthy)),
    }
}

fn take_back(turn: &mut Turn<'_>, reason: &str) {
    turn.tell(Event::TakingBack { reason: reason.to_owned() });
    turn.record.set_reason(reason);
    turn.actions.clear();
    turn.go(Phase::TakeBack, "the previous version is brought back");
}

/// Our refresh's state, its id noted and its progress told.
fn find(
    turn: &mut Turn<'_>,
    seen: &GroupSeen,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: &Preferences,
) -> Option<(RefreshStatus, Option<String>)> {
    let refresh = locate(turn, seen, facts, version, preferences)?;
    turn.tell(Event::Refresh {
        group: seen.group.name.clone(),
        status: refresh.status,
        percent: refresh.percent,
        reason: refresh.reason.clone(),
    });
    Some((refresh.status, refresh.reason.clone()))
}

/// Our refresh, its id noted.
fn locate<'s>(
    turn: &Turn<'_>,
    seen: &'s GroupSeen,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: &Preferences,
) -> Option<&'s InstanceRefresh> {
    let known = facts.as_mut().filter(|f| f.version == version)?;
    let refresh = ours(seen, known, &turn.plan.template, preferences)?;
    known.id = Some(refresh.id.clone());
    Some(refresh)
}

fn ask(
    turn: &mut Turn<'_>,
    plan: &OneGroup,
    seen: &GroupSeen,
    facts: &mut Option<RefreshFacts>,
    version: u64,
    preferences: Preferences,
) {
    if facts.as_ref().is_none_or(|f| f.version != version) {
        let after = seen.refreshes.first().map(|refresh| refresh.id.clone());
        *facts = Some(RefreshFacts { version, after, id: None });
    }
    turn.send(Action::StartRefresh {
        group: plan.group.clone(),
        template: turn.plan.template.clone(),
        version,
        preferences,
    });
}

fn verdict(turn: &mut Turn<'_>, plan: &OneGroup) -> Verdict {
    if let Some((name, _)) = turn.seen.alarms.iter().find(|(_, s)| *s == AlarmState::Alarm) {
        return Verdict::Fail(format!("the alarm `{name}` went off"));
    }
    let (Some(limit), Some(target_group)) = (turn.plan.judge.errors, &plan.target_group) else {
        return Verdict::Pass("no limit is configured".to_owned());
    };
    let (counts, verdict) = judge_since(turn.seen, target_group, &limit, turn.record.since);
    turn.tell(Event::Judgement {
        verdict: verdict.name(),
        counts,
        message: verdict.message().to_owned(),
    });
    verdict
}

/// What keeps the registered targets from being exactly the group's instances in service, all in
/// `health`.
pub(super) fn unmatched_targets(seen: &GroupSeen, health: TargetHealth) -> Option<String> {
    let of = |wanted: &[Lifecycle]| -> BTreeSet<&str> {
        let instances = seen.group.instances.iter();
        instances.filter(|i| wanted.contains(&i.lifecycle)).map(|i| i.id.as_str()).collect()
    };
    let (serving, coming) = (of(&[Lifecycle::InService]), of(&[Lifecycle::Pending]));
    // Of a group that has lost all of its instances, everything can be said of each.
    let desired = seen.group.capacity.desired;
    if serving.is_empty() && desired > 0 {
        return Some(format!("none of {desired} wanted instances is in service"));
    }
    if seen.group.target_groups.is_empty() {
        return None;
    }
    let registered: BTreeSet<&str> = seen
        .targets
        .iter()
        .filter(|t| t.health != TargetHealth::Draining)
        .map(|t| t.id.as_str())
        .collect();
    let strangers = registered.iter().filter(|id| !serving.contains(*id) && !coming.contains(*id));
    let (strangers, missing) = (strangers.count(), serving.difference(&registered).count());
    if strangers + missing > 0 {
        return Some(format!(
            "{} targets are registered for {} instances in service",
            registered.len(),
            serving.len()
        ));
    }
    let well = |id: &&str| seen.targets.iter().any(|t| t.id == **id && t.health == health);
    let healthy = serving.iter().filter(|id| well(id)).count();
    (healthy < serving.len()).then(|| format!("{healthy} of {} targets are healthy", serving.len()))
}
