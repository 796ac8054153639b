//! After the last process has ended and some quiet time has passed: the rollout has ended, nothing
//! of cutover's is left behind, and the account is as the outcome says.

use cutover_lab::services::elbv2::Action;

use super::external::ExternalChange;
use super::interference::InterferenceChecker;
use super::runs::record;
use super::snapshot::SideSnapshot;
use super::{CheckContext, FleetNames, Violations};
use cutover_rollout::model::{Goal, Record, Status};

const PROMISE: &str = "nothing left behind";

/// Checks the world as it is now against the outcome of the newest rollout.
pub(super) fn finish(
    scene: &CheckContext<'_>,
    restraint: &InterferenceChecker,
    found: &mut Violations,
) {
    let now = scene.world.now;
    let mut wrong: Vec<String> = Vec::new();
    if let Some(newest) = scene.runs.newest()
        && !scene.touched(&ExternalChange::Ledger)
    {
        let record = record(scene.world, scene.names, newest);
        match record.as_ref().map(|record| record.status) {
            None => wrong.push(format!("record {newest} cannot be read")),
            Some(None) => wrong.push(format!("the rollout of record {newest} has not ended")),
            Some(Some(ending)) => {
                if let Some(record) = &record {
                    ended(scene, restraint, record, ending, &mut wrong);
                }
            }
        }
    }
    for (side, truth) in scene.is.sides.iter().enumerate() {
        let group = &scene.names.sides[side].group;
        let Some(truth) = truth else { continue };
        if truth.refresh.is_some() && !scene.touched(&ExternalChange::Refresh(group.clone())) {
            wrong.push(format!("an instance refresh of {group} is still active"));
        }
        if let Some(at) = truth.scale_in.filter(|_| scene.is.most(side).is_some()) {
            wrong.push(format!("{group} receives traffic and is scheduled to scale in at {at}"));
        }
    }
    let template = scene.world.ec2.templates.get(&scene.names.template);
    let default = template.map(|template| template.default);
    if default != scene.before.default && !scene.touched(&ExternalChange::Template) {
        wrong.push(format!(
            "the template's default version is {default:?}, not {:?}",
            scene.before.default
        ));
    }
    // A retry creates no second version, nor does a run that resumes another run's rollout.
    let (made, begun) = (restraint.made(), scene.runs.begun());
    if made > begun {
        wrong.push(format!("{begun} rollouts created {made} launch template versions"));
    }
    for what in wrong {
        found.report(PROMISE, now, what);
    }
}

fn ended(
    scene: &CheckContext<'_>,
    restraint: &InterferenceChecker,
    record: &Record,
    ending: Status,
    wrong: &mut Vec<String>,
) {
    let promoted = match (record.goal, ending) {
        (_, Status::Succeeded) | (Goal::Rollback, Status::RolledBack) => true,
        (_, Status::RolledBack | Status::Failed) => false,
        _ => return,
    };
    if scene.names.sides.len() == 1 {
        let expected = match promoted {
            true => record.version,
            false if scene.before.whole.contains(&record.previous) => Some(record.previous),
            false => scene.before.truth.sides[0].as_ref().and_then(|side| side.saved),
        };
        one_group(scene, expected, wrong);
    } else if promoted {
        check_success(scene, restraint, record, wrong);
    } else {
        check_rolled_back(scene, wrong);
    }
}

fn one_group(scene: &CheckContext<'_>, expected: Option<u64>, wrong: &mut Vec<String>) {
    let (Some(is), Some(was)) = (&scene.is.sides[0], &scene.before.truth.sides[0]) else { return };
    let group = &scene.names.sides[0].group;
    version(scene, 0, is, expected, wrong);
    if is.min != was.min && !scene.touched(&ExternalChange::Min(group.clone())) {
        wrong.push(format!("the MinSize of {group} is {}, it was {}", is.min, was.min));
    }
}

/// After success: the new side has the traffic, its version and the MinSize that the old side had;
/// the old side is scheduled to scale in, or has scaled in.
fn check_success(
    scene: &CheckContext<'_>,
    restraint: &InterferenceChecker,
    record: &Record,
    wrong: &mut Vec<String>,
) {
    let moved = scene.names.rules.iter().any(|r| scene.touched(&ExternalChange::Rule(r.clone())));
    let Some(new) = scene.is.live() else {
        if !moved {
            wrong.push("no side has all of the traffic".to_owned());
        }
        return;
    };
    let old = 1 - new;
    let (Some(new_is), Some(old_is)) = (&scene.is.sides[new], &scene.is.sides[old]) else { return };
    version(scene, new, new_is, record.version, wrong);
    let group = |side: usize| scene.names.sides[side].group.clone();
    let touched = |side: usize| scene.touched(&ExternalChange::Min(group(side)));
    let mins = |side: usize| scene.before.minimums(side);
    // The state before doesn't always say which side was live: a predecessor's success swaps them.
    let (handed, retired) = match scene.before.truth.live() == Some(new) {
        true => ([mins(new), mins(old)].concat(), [mins(new), mins(old)].concat()),
        false => (mins(old), mins(new)),
    };
    // No run had to raise a MinSize that was large enough, so none may lower it. One that only kept
    // a group warm until its scheduled scale-in is not the group's own.
    let own = scene.before.truth.sides[new].as_ref().filter(|was| was.scale_in.is_none());
    let kept_own = !restraint.rewrote(new) && own.is_some_and(|was| was.min == new_is.min);
    if !handed.contains(&new_is.min) && !kept_own && !touched(new) && !touched(old) {
        let what = format!("the MinSize of {} is {}, not {handed:?}", group(new), new_is.min);
        wrong.push(what);
    }
    let kept =
        if scene.before.may_be_swapped { [mins(old), mins(new)].concat() } else { mins(old) };
    let planned = scene.touched(&ExternalChange::Schedule(group(old)));
    match old_is.scale_in {
        Some(_) if old_is.scale_in_min.is_some_and(|min| retired.contains(&min)) => {}
        // Somebody scales it in by hand: its own MinSize is restored.
        None if scene.names.scale_in_after.is_none() && kept.contains(&old_is.min) => {}
        None if retired.contains(&old_is.min)
            && (old_is.desired == old_is.min
                || scene.touched(&ExternalChange::Size(group(old)))) => {}
        _ if planned || touched(old) || touched(new) => {}
        _ => wrong.push(format!("{} is not scheduled to scale in to {retired:?}", group(old))),
    }
}

/// After a rollback: everything as before; or, if a successor took the predecessor's rollout for
/// finished once all traffic was on its new side, with the sides swapped.
fn check_rolled_back(scene: &CheckContext<'_>, wrong: &mut Vec<String>) {
    let before = &scene.before.truth;
    let may_turn = scene.before.may_be_swapped;
    for (arn, was) in &scene.before.rules {
        let is = scene.world.elbv2.rules.get(arn).map(|rule| &rule.actions);
        // Swapped once or twice, the rule still names both groups.
        let turned = [was.clone(), turn(was, scene.names)].map(|was| receiving(&was));
        let either = may_turn && is.is_some_and(|is| turned.contains(&receiving(is)));
        if is != Some(was)
            && !is_equivalent(is, was)
            && !either
            && !scene.touched(&ExternalChange::Rule(arn.clone()))
        {
            wrong.push(format!("rule {arn} is not as before: {is:?} instead of {was:?}"));
        }
    }
    for side in 0..before.sides.len() {
        // Swapped once or twice, a side may have either role.
        let other = may_turn.then_some(1 - side);
        let mut against = [Some(side), other].into_iter().flatten().map(|part| {
            let mut wrong = Vec::new();
            as_before(scene, side, part, &mut wrong);
            wrong
        });
        let as_itself = against.next().unwrap_or_default();
        if against.all(|as_other| !as_other.is_empty()) {
            wrong.extend(as_itself);
        }
    }
}

/// Collects in what `side` differs now from what `part` was before.
fn as_before(scene: &CheckContext<'_>, side: usize, part: usize, wrong: &mut Vec<String>) {
    let (Some(is), Some(was)) = (&scene.is.sides[side], &scene.before.truth.sides[part]) else {
        return;
    };
    let group = scene.names.sides[side].group.clone();
    let touched = |what: fn(String) -> ExternalChange| scene.touched(&what(group.clone()));
    // A side that became live launches the version that the predecessor rolled out.
    if !scene.before.may_be_swapped {
        version(scene, side, is, was.saved, wrong);
    }
    let retired = was.scale_in.is_some() && is.scale_in.is_none();
    let min = scene.before.minimums(part);
    if is.min != was.min && !(retired && min.contains(&is.min)) && !touched(ExternalChange::Min) {
        wrong.push(format!("the MinSize of {group} is {}, it was {}", is.min, was.min));
    }
    let max = scene.before.truth.sides[side].as_ref().map_or(was.max, |was| was.max);
    if is.max != max && !touched(ExternalChange::Size) {
        wrong.push(format!("the MaxSize of {group} is {}, it was {max}", is.max));
    }
    let emptied = is.desired == 0 && is.members == 0;
    if was.desired == 0
        && !emptied
        && !touched(ExternalChange::Size)
        && !touched(ExternalChange::Min)
    {
        let what = format!("{group} was empty and has {} of {} instances", is.members, is.desired);
        wrong.push(what);
    }
    if is.scale_in.is_some() && was.scale_in.is_none() && !touched(ExternalChange::Schedule) {
        wrong.push(format!("{group} is scheduled to scale in, which it was not before"));
    }
    let due = was.scale_in.is_some_and(|at| at > scene.world.now);
    if is.scale_in.is_none() && due && !touched(ExternalChange::Schedule) {
        wrong.push(format!("{group} is no longer scheduled to scale in, as it was before"));
    }
}

/// Checks the version that a group has saved, and the one that its instances run.
fn version(
    scene: &CheckContext<'_>,
    side: usize,
    is: &SideSnapshot,
    expected: Option<u64>,
    wrong: &mut Vec<String>,
) {
    let group = &scene.names.sides[side].group;
    if scene.touched(&ExternalChange::Source(group.clone())) {
        return;
    }
    if is.saved != expected {
        wrong.push(format!("{group} launches version {:?}, not {expected:?}", is.saved));
    }
    if is.launched.iter().any(|version| *version != expected) {
        wrong.push(format!("{group} has instances of versions other than {expected:?}"));
    }
}

/// Returns the target groups that receive traffic, each with its share in thousandths.
fn receiving(actions: &[Action]) -> Vec<(String, u32)> {
    shares(actions).into_iter().filter(|(_, share)| *share > 0).collect()
}

/// Returns the actions with the weights of the two sides swapped.
fn turn(actions: &[Action], names: &FleetNames) -> Vec<Action> {
    let sides: Vec<&String> =
        names.sides.iter().filter_map(|side| side.target_group.as_ref()).collect();
    let [one, other] = sides[..] else { return actions.to_vec() };
    let mut turned = actions.to_vec();
    for forward in turned.iter_mut().filter_map(Action::as_forward_mut) {
        for (arn, _) in &mut forward.groups {
            if arn == one {
                arn.clone_from(other);
            } else if arn == other {
                arn.clone_from(one);
            }
        }
    }
    turned
}

/// Whether two action lists mean the same: with a single target group, a weight of 1 and one of 100
/// do.
fn is_equivalent(is: Option<&Vec<Action>>, was: &[Action]) -> bool {
    let sticky = |actions: &[Action]| {
        let forward = actions.iter().find_map(Action::as_forward);
        forward.and_then(|forward| forward.stickiness).filter(|(on, _)| *on)
    };
    is.is_some_and(|is| shares(is) == shares(was) && sticky(is) == sticky(was))
}

/// Returns the target groups of a forward action, each with its share in thousandths.
fn shares(actions: &[Action]) -> Vec<(String, u32)> {
    let forward = actions.iter().find_map(Action::as_forward);
    let groups = forward.map(|forward| forward.groups.clone()).unwrap_or_default();
    let total: u32 = groups.iter().map(|(_, weight)| weight).sum();
    let part = |weight: u32| weight * 1000 / total.max(1);
    let mut shares: Vec<(String, u32)> =
        groups.into_iter().map(|(arn, weight)| (arn, part(weight))).collect();
    shares.sort();
    shares
}
