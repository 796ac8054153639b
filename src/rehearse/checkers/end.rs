//! After the last process's end and some quiet time: the rollout has ended, nothing of ours is left,
//! and everything is as its end says.

use cutover_lab::services::elbv2::Action;

use super::hands::Restraint;
use super::runs::record;
use super::touch::Touch;
use super::truth::SideTruth;
use super::{FleetNames, Found, Scene};
use crate::model::{Ending, Goal, Record};

const PROMISE: &str = "nothing left behind";

/// Holds the world as it is now against the end of the newest rollout.
pub(super) fn finish(scene: &Scene<'_>, restraint: &Restraint, found: &mut Found) {
    let now = scene.world.now;
    let mut wrong: Vec<String> = Vec::new();
    if let Some(newest) = scene.runs.newest()
        && !scene.touched(&Touch::Ledger)
    {
        let record = record(scene.world, scene.names, newest);
        match record.as_ref().map(|record| record.ending) {
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
        if truth.refresh.is_some() && !scene.touched(&Touch::Refresh(group.clone())) {
            wrong.push(format!("an instance refresh of {group} is still active"));
        }
        if let Some(at) = truth.retirement.filter(|_| scene.is.most(side).is_some()) {
            wrong.push(format!("{group} bears traffic and is to be retired at {at}"));
        }
    }
    let template = scene.world.ec2.templates.get(&scene.names.template);
    let default = template.map(|template| template.default);
    if default != scene.before.default && !scene.touched(&Touch::Template) {
        wrong
            .push(format!("the template's default is {default:?}, not {:?}", scene.before.default));
    }
    // A retry makes no second version, nor does a run that goes on with what another one began.
    let (made, begun) = (restraint.made(), scene.runs.begun());
    if made > begun {
        wrong.push(format!("{begun} rollouts made {made} launch template versions"));
    }
    for what in wrong {
        found.tell(PROMISE, now, what);
    }
}

fn ended(
    scene: &Scene<'_>,
    restraint: &Restraint,
    record: &Record,
    ending: Ending,
    wrong: &mut Vec<String>,
) {
    let promoted = match (record.goal, ending) {
        (_, Ending::Succeeded) | (Goal::Rollback, Ending::RolledBack) => true,
        (_, Ending::RolledBack | Ending::Failed) => false,
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
        brought(scene, restraint, record, wrong);
    } else {
        taken_back(scene, wrong);
    }
}

fn one_group(scene: &Scene<'_>, expected: Option<u64>, wrong: &mut Vec<String>) {
    let (Some(is), Some(was)) = (&scene.is.sides[0], &scene.before.truth.sides[0]) else { return };
    let group = &scene.names.sides[0].group;
    version(scene, 0, is, expected, wrong);
    if is.min != was.min && !scene.touched(&Touch::Min(group.clone())) {
        wrong.push(format!("the minimum of {group} is {}, it was {}", is.min, was.min));
    }
}

/// After success: the new side has the traffic, its version, and the minimum that the old one had; the
/// old one awaits its retirement, or has had it.
fn brought(scene: &Scene<'_>, restraint: &Restraint, record: &Record, wrong: &mut Vec<String>) {
    let moved = scene.names.rules.iter().any(|r| scene.touched(&Touch::Rule(r.clone())));
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
    let touched = |side: usize| scene.touched(&Touch::Min(group(side)));
    let mins = |side: usize| scene.before.minimums(side);
    // Which of the two was live before is not always for the truth to tell: a predecessor's promotion
    // turns them round.
    let (handed, retired) = match scene.before.truth.live() == Some(new) {
        true => ([mins(new), mins(old)].concat(), [mins(new), mins(old)].concat()),
        false => (mins(old), mins(new)),
    };
    // One that was large enough already no run had to raise, and so none may lower it. What kept a group
    // warm for its retirement is no minimum of its own.
    let own = scene.before.truth.sides[new].as_ref().filter(|was| was.retirement.is_none());
    let kept_own = !restraint.rewrote(new) && own.is_some_and(|was| was.min == new_is.min);
    if !handed.contains(&new_is.min) && !kept_own && !touched(new) && !touched(old) {
        let what = format!("the minimum of {} is {}, not {handed:?}", group(new), new_is.min);
        wrong.push(what);
    }
    let kept = if scene.before.may_turn { [mins(old), mins(new)].concat() } else { mins(old) };
    let planned = scene.touched(&Touch::Schedule(group(old)));
    match old_is.retirement {
        Some(_) if old_is.retires_to.is_some_and(|min| retired.contains(&min)) => {}
        // A person retires it: its own minimum is back.
        None if scene.names.retires.is_none() && kept.contains(&old_is.min) => {}
        None if retired.contains(&old_is.min)
            && (old_is.desired == old_is.min || scene.touched(&Touch::Size(group(old)))) => {}
        _ if planned || touched(old) || touched(new) => {}
        _ => wrong.push(format!("{} is not retired to {retired:?}", group(old))),
    }
}

/// After taking back: everything as before; or, where a predecessor was taken for done once all traffic
/// was over, with the sides turned round.
fn taken_back(scene: &Scene<'_>, wrong: &mut Vec<String>) {
    let before = &scene.before.truth;
    let may_turn = scene.before.may_turn;
    for (arn, was) in &scene.before.rules {
        let is = scene.world.elbv2.rules.get(arn).map(|rule| &rule.actions);
        // Turned round, or twice, it still names both groups.
        let turned = [was.clone(), turn(was, scene.names)].map(|was| bearing(&was));
        let either = may_turn && is.is_some_and(|is| turned.contains(&bearing(is)));
        if is != Some(was)
            && !alike(is, was)
            && !either
            && !scene.touched(&Touch::Rule(arn.clone()))
        {
            wrong.push(format!("rule {arn} is not as before: {is:?} instead of {was:?}"));
        }
    }
    for side in 0..before.sides.len() {
        // Turned round, or twice, a side has either's part.
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

/// Whether `side` is now as `part` was before.
fn as_before(scene: &Scene<'_>, side: usize, part: usize, wrong: &mut Vec<String>) {
    let (Some(is), Some(was)) = (&scene.is.sides[side], &scene.before.truth.sides[part]) else {
        return;
    };
    let group = scene.names.sides[side].group.clone();
    let touched = |what: fn(String) -> Touch| scene.touched(&what(group.clone()));
    // Who was promoted launches what the predecessor brought.
    if !scene.before.may_turn {
        version(scene, side, is, was.saved, wrong);
    }
    let retired = was.retirement.is_some() && is.retirement.is_none();
    let min = scene.before.minimums(part);
    if is.min != was.min && !(retired && min.contains(&is.min)) && !touched(Touch::Min) {
        wrong.push(format!("the minimum of {group} is {}, it was {}", is.min, was.min));
    }
    let max = scene.before.truth.sides[side].as_ref().map_or(was.max, |was| was.max);
    if is.max != max && !touched(Touch::Size) {
        wrong.push(format!("the maximum of {group} is {}, it was {max}", is.max));
    }
    let emptied = is.desired == 0 && is.members == 0;
    if was.desired == 0 && !emptied && !touched(Touch::Size) && !touched(Touch::Min) {
        let what = format!("{group} was empty, and has {} of {}", is.members, is.desired);
        wrong.push(what);
    }
    if is.retirement.is_some() && was.retirement.is_none() && !touched(Touch::Schedule) {
        wrong.push(format!("{group} is to be retired, which it was not before"));
    }
    let due = was.retirement.is_some_and(|at| at > scene.world.now);
    if is.retirement.is_none() && due && !touched(Touch::Schedule) {
        wrong.push(format!("{group} is no longer to be retired, as it was before"));
    }
}

/// The version that a group has saved, and that its instances are of.
fn version(
    scene: &Scene<'_>,
    side: usize,
    is: &SideTruth,
    expected: Option<u64>,
    wrong: &mut Vec<String>,
) {
    let group = &scene.names.sides[side].group;
    if scene.touched(&Touch::Source(group.clone())) {
        return;
    }
    if is.saved != expected {
        wrong.push(format!("{group} launches version {:?}, not {expected:?}", is.saved));
    }
    if is.launched.iter().any(|version| *version != expected) {
        wrong.push(format!("{group} has instances of other versions than {expected:?}"));
    }
}

/// The actions without target groups of no weight.
fn bearing(actions: &[Action]) -> Vec<(String, u32)> {
    shares(actions).into_iter().filter(|(_, share)| *share > 0).collect()
}

/// The actions with the weights of the two sides exchanged.
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

/// Whether two action lists mean the same: a forward says the same with a weight of 1 or of 100.
fn alike(is: Option<&Vec<Action>>, was: &[Action]) -> bool {
    let sticky = |actions: &[Action]| {
        let forward = actions.iter().find_map(Action::as_forward);
        forward.and_then(|forward| forward.stickiness).filter(|(on, _)| *on)
    };
    is.is_some_and(|is| shares(is) == shares(was) && sticky(is) == sticky(was))
}

/// The target groups of a forward, each with its part of a thousand.
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
