//! Awkward situations, each of which once broke a rule of the rollout.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::rolling::rolling;
use super::situation::{facts, refresh};
use super::world::*;
use crate::model::*;
use crate::*;

/// Returns a world that has reached `phase` by itself.
pub(super) fn come_to(steps: &[u8], phase: Phase) -> World {
    let mut world = World::new(plan(steps), Phase::CancelScaleIn);
    world.run_to(phase);
    world.log.clear();
    world
}

/// A new run with another intent takes over.
fn restart(world: &mut World) {
    world.record.number += 1;
    world.observation.claim.highest = world.record.number;
    world.record.phase = Phase::TakeOver;
    world.record.restart = true;
    world.record.resume = None;
    world.record.since = world.observation.now;
    facts(&mut world.record).idle_since = None;
}

/// Does what `engine::run` does if Prepare fails for a run that continues another one.
fn prepare_fails(world: &mut World) {
    world.run_to(Phase::Prepare);
    world.record.reason = Some("the push failed".to_owned());
    world.record.phase = Phase::RestoreTraffic;
    world.record.since = world.observation.now;
}

fn share_of(world: &World, color: &str) -> Vec<u8> {
    let tg = format!("tg-{color}");
    world.observation.rules.iter().map(|r| r.forward.as_ref().unwrap().share(&tg)).collect()
}

/// A run is killed at 100%. A run with another intent promotes that version, then fails in Prepare.
#[test]
fn undo_after_promoting_a_predecessor_keeps_traffic_on_the_live_side() {
    let mut world = come_to(&[100], Phase::Settle);
    restart(&mut world);
    prepare_fails(&mut world);
    let end = world.run();
    assert_eq!(
        share_of(&world, "green"),
        [100, 100],
        "green is live; {} ({:?}); blue {:?}\n{}",
        end.message,
        end.status,
        world.observation.groups["blue"].group.capacity,
        world.log.join("\n")
    );
}

/// The scale-in of the old side is scheduled, then traffic is restored to it.
#[test]
fn traffic_restored_after_the_scale_in_was_scheduled_leaves_no_scale_in_on_the_live_group() {
    let mut world = come_to(&[100], Phase::ScheduleScaleIn);
    assert!(world.tick().is_none());
    assert!(
        world.observation.groups["blue"]
            .scheduled()
            .unwrap()
            .iter()
            .any(|a| a.name == SCALE_IN_ACTION)
    );
    // `cutover rollback`, or a target of green that fails at this moment.
    world.record.phase = Phase::RestoreTraffic;
    world.record.since = world.observation.now;
    let end = world.run();
    assert_eq!(share_of(&world, "blue"), [100, 100]);
    assert!(
        world.observation.groups["blue"].scheduled().unwrap().is_empty(),
        "{}: live blue is still scheduled to scale in to 0",
        end.message
    );
}

/// The last save failed: the record in memory is Done, and the run must still end.
#[test]
fn a_finished_record_ends_the_run() {
    let mut world = come_to(&[100], Phase::Done.min(Phase::ScheduleScaleIn));
    assert!(!world.record.is_finished());
    world.record.phase = Phase::Done;
    world.record.status = Some(Status::Succeeded);
    assert!(world.record.is_finished());
    for _ in 0..1000 {
        if world.tick().is_some() {
            return;
        }
    }
    panic!("the run does not end");
}

/// AWS refuses the scheduled action; that must not cost the rollout.
#[test]
fn a_refused_scale_in_does_not_roll_back_a_proven_version() {
    let mut world = come_to(&[100], Phase::ScheduleScaleIn);
    world.observation.refused = Some("AccessDenied: PutScheduledUpdateGroupAction".to_owned());
    let next = decide(&world.plan, &world.record, &world.observation);
    assert!(
        !next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })),
        "{:?}",
        next.record.phase
    );
}

/// A rollback to a bad version is undone itself; its outcome is not "rolled back".
#[test]
fn a_failed_rollback_does_not_end_as_a_rollback() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.record.goal = Goal::Rollback;
    world.errors = 0.3;
    let end = world.run();
    assert_eq!(
        share_of(&world, "blue"),
        [100, 100],
        "traffic stays on the version that the rollback was to replace"
    );
    assert_ne!(end.status, Goal::Rollback.reached(), "{}", end.message);
}

/// Rolling: killed after StartInstanceRefresh, before the refresh's ID was recorded; then `cutover rollback`.
#[test]
fn rolling_rolls_back_a_refresh_whose_id_it_never_observed() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.observation);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    world.record.phase = Phase::RestoreTraffic;
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.actions.iter().map(describe).collect::<Vec<_>>(), ["rollback blue"]);
}

/// Rolling: the predecessor's refresh to the previous version was taken for this rollout's own.
#[test]
fn rolling_after_a_restart_does_not_reuse_the_predecessors_rollback() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.observation);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    let group = world.group("blue");
    group.refreshes.known()[0].status = RefreshStatus::Failed;
    group.group.instances[0].template = Some(template(NEW));
    // A run with another intent takes over and rolls back the mix with a refresh to OLD.
    world.record.phase = Phase::TakeOver;
    world.record.restart = true;
    world.run_to(Phase::Prepare);
    world.record.version = Some(NEW + 1);
    world.record.phase = Phase::Refresh;
    world.record.since = world.observation.now;
    let next = decide(&world.plan, &world.record, &world.observation);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    let group = world.group("blue");
    group.refreshes.known()[0].status = RefreshStatus::Cancelled;
    group.group.instances[0].template = Some(template(NEW + 1));
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
}

/// Killed after traffic was restored in a later step, before the record was saved.
#[test]
fn a_run_with_another_intent_starts_from_the_first_step() {
    let mut world = come_to(&[10, 50, 100], Phase::Bake);
    world.run_until(|world| {
        world.record.phase == Phase::Bake && share_of(world, "green") == [50, 50]
    });
    world.observation.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
    restart(&mut world);
    world.run_to(Phase::Prepare);
    world.record.phase = Phase::CancelScaleIn;
    world.record.since = world.observation.now;
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded, "{}", end.message);
}

/// The lower MinSize lets the new side scale in while the old one's is still raised.
#[test]
fn scaling_in_after_min_size_is_lowered_is_no_loss() {
    let mut world = come_to(&[100], Phase::ScheduleScaleIn);
    world.run_until(|world| world.observation.groups["green"].group.capacity.min == 2);
    // Its scaling policy, a moment after MinSize was set from 4 to 2.
    let green = world.group("green");
    green.group.capacity.desired = 3;
    green.group.instances.truncate(3);
    green.targets.truncate(3);
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded, "{}\n{}", end.message, world.log.join("\n"));
}

/// The request that sets MinSize was throttled once.
#[test]
fn a_lost_change_of_min_size_is_sent_again() {
    let mut world = come_to(&[100], Phase::Settle);
    world.run_until(|world| {
        let next = decide(&world.plan, &world.record, &world.observation);
        next.actions.iter().any(|a| matches!(a, Action::SetMinSize { .. }))
    });
    world.record = decide(&world.plan, &world.record, &world.observation).record;
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded);
    assert_eq!(world.observation.groups["green"].group.capacity.min, 2);
}

/// A broken canary with a high CPU load is scaled out by its scaling policy.
#[test]
fn a_canary_that_scaled_out_does_not_block_its_rollback() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.group("green").group.capacity.desired = 6;
    let mut observation = world.observation.clone();
    let minute = observation.now.as_second() / 60 * 60 + 60;
    observation.counts.known().insert(
        "tg-green".to_owned(),
        TargetGroupCounts {
            minutes: vec![(
                Timestamp::from_second(minute).unwrap(),
                Counts { requests: 1000, errors: 500 },
            )],
        },
    );
    observation.now += SignedDuration::from_secs(200);
    let next = decide(&world.plan, &world.record, &observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
    assert!(
        next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })),
        "blue receives 90% and all of its 4 targets are healthy, but the actions are {:?}",
        next.actions.iter().map(describe).collect::<Vec<_>>()
    );
}

/// An operator refreshes the new side while it receives traffic.
#[test]
fn a_group_that_is_refreshed_during_bake_loses_its_traffic() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    let theirs = refresh("theirs", RefreshStatus::InProgress, NEW);
    world.group("green").refreshes.known().insert(0, theirs);
    assert!(needs(&world.plan, &world.record).refreshes, "bake does not read instance refreshes");
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
}

/// The first of two rules has the first step's weights when the canary fails.
#[test]
fn a_partly_applied_first_step_is_watched_too() {
    let mut world = come_to(&[10, 100], Phase::Shift);
    let first_forward = |world: &World| {
        let next = decide(&world.plan, &world.record, &world.observation);
        next.actions.iter().find(|a| matches!(a, Action::SetForward { .. })).cloned()
    };
    world.run_until(|world| first_forward(world).is_some());
    let first = first_forward(&world).unwrap();
    world.record = decide(&world.plan, &world.record, &world.observation).record;
    world.apply(&first);
    world.group("green").targets.iter_mut().for_each(|t| t.health = TargetHealth::Unhealthy);
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
}

/// An alarm fires while the gate for the second step is not open.
#[test]
fn an_alarm_at_a_closed_gate_rolls_back() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.run_to(Phase::Shift);
    world.plan.judge.alarms = vec!["p99".to_owned()];
    world.observation.alarms =
        Reading::Read(BTreeMap::from([("p99".to_owned(), AlarmState::Alarm)]));
    assert!(needs(&world.plan, &world.record).alarms);
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
}

/// CloudWatch has no data about the old side.
#[test]
fn missing_counts_of_the_old_side_do_not_prove_that_its_traffic_ended() {
    let mut world = come_to(&[100], Phase::Settle);
    let shifted = facts(&mut world.record).shifted.unwrap();
    world.observation.counts.known().clear();
    world.observation.now = shifted + SignedDuration::from_secs(250);
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.record.phase, Phase::Settle);
    assert!(next.actions.is_empty());
}

/// An external change sets both weights to 0, so that neither side receives traffic.
#[test]
fn traffic_is_restored_only_once_the_old_side_receives_it() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.observation.rules = rules(&[("tg-blue", 0), ("tg-green", 0)]);
    let end = world.run();
    assert_eq!(share_of(&world, "blue"), [100, 100], "{}", end.message);
}

/// An external change sends all traffic to a third target group, as for a maintenance page. The rollback leaves it
/// there, and the new side receives none.
#[test]
fn traffic_of_a_third_target_group_is_left_to_it() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.observation.rules = rules(&[("tg-blue", 0), ("tg-green", 0), ("tg-third", 1)]);
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
    assert_eq!(share_of(&world, "third"), [100, 100], "{}", end.message);
}

/// Promise 1, with a live group that has outgrown the new side's MaxSize.
#[test]
fn no_step_with_fewer_targets_than_the_live_group_needs() {
    let mut world = come_to(&[100], Phase::Shift);
    world.group("green").group.capacity = Capacity { min: 4, max: 4, desired: 4 };
    let blue = world.group("blue");
    *blue = group("blue", (6, 6, 6), OLD);
    let next = decide(&world.plan, &world.record, &world.observation);
    assert!(!next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })), "4 of 6");
}

/// Two rollouts in a row: the idle side still had instances and a scheduled scale-in; killed at 100%, then promoted.
#[test]
fn a_promoted_predecessor_keeps_the_idle_size() {
    let mut world = come_to(&[100], Phase::Settle);
    let green = &mut facts(&mut world.record).sides.green;
    (green.min, green.empty) = (4, false);
    green.scale_in = Some(ScaleInFacts { at: start(), size: 0 });
    restart(&mut world);
    world.run_to(Phase::Prepare);
    let blue = &facts(&mut world.record).sides.blue;
    assert_eq!(blue.scale_in.map_or(blue.min, |r| r.size), 0);
}

/// Green was scaled in between two reads of the check: it read as still raised, but without a scheduled scale-in.
#[test]
fn a_groups_own_min_size_is_the_one_read_before_the_first_change() {
    let read_too_early = |errors| {
        let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
        let green = &mut facts(&mut world.record).sides.green;
        (green.min, green.empty) = (4, false);
        world.errors = errors;
        world.run();
        world
    };
    let brought = read_too_early(0.0);
    assert!(brought.log.contains(&"schedule blue 0".to_owned()), "{}", brought.log.join("\n"));
    let rolled_back = read_too_early(0.3);
    let green = rolled_back.observation.groups["green"].group.capacity;
    assert_eq!((green.min, green.desired), (0, 0), "{}", rolled_back.log.join("\n"));
}

/// The predecessor is at 100% and has finished except for its record; one target is unhealthy for a moment.
#[test]
fn a_briefly_unhealthy_target_does_not_send_traffic_to_an_empty_side() {
    let mut world = come_to(&[100], Phase::ScheduleScaleIn);
    world.tick();
    // A day later blue is scaled in.
    world.observation.now += SignedDuration::from_hours(24);
    let blue = world.group("blue");
    blue.scheduled_actions.known().clear();
    blue.group.capacity = Capacity { min: 0, max: 6, desired: 0 };
    blue.group.instances.clear();
    blue.targets.clear();
    restart(&mut world);
    world.observation.now += SignedDuration::from_secs(61);
    world.group("green").targets[0].health = TargetHealth::Unhealthy;
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_ne!(next.record.phase, Phase::RestoreTraffic, "{:?}", next.actions);
}

/// A record with five rules and long names fits into a parameter.
#[test]
fn a_record_of_five_rules_and_a_long_reason_fits() {
    let mut record = record(Phase::RestoreTraffic);
    let arn = |i: usize| {
        format!(
            "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener-rule/app/production-web-load-balancer/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe{i}"
        )
    };
    facts(&mut record).rules = (0..5)
        .map(|i| RuleFacts {
            id: RuleId::Rule(arn(i)),
            weights: PerColor { blue: Some(100), green: Some(0) },
            sticky: None,
        })
        .collect();
    let without = serde_json::to_string(&record).unwrap().len();
    // EC2's encoded authorization failures are at least this long.
    record.reason = Some("x".repeat(2000));
    let with = serde_json::to_string(&record).unwrap().len();
    assert!(with <= 4096, "{without} without a reason, {with} with");
}
