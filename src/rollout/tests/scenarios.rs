//! Awkward situations, each of which once broke a rule of the rollout.

use jiff::{SignedDuration, Timestamp};

use super::rolling::rolling;
use super::world::*;
use crate::model::*;
use crate::rollout::*;

fn facts(record: &mut Record) -> &mut TwoGroupsFacts {
    match &mut record.fleet {
        FleetFacts::TwoGroups(facts) => facts,
        FleetFacts::OneGroup(_) => panic!("two groups"),
    }
}

/// A world that has come to `phase` by itself.
fn come_to(steps: &[u8], phase: Phase) -> World {
    let mut world = World::new(plan(steps), Phase::Free);
    while world.record.phase != phase {
        assert!(world.turn().is_none());
    }
    world.log.clear();
    world
}

/// A new run takes over, wanting something else.
fn restart(world: &mut World) {
    world.record.number += 1;
    world.seen.claim.highest = world.record.number;
    world.record.phase = Phase::TakeOver;
    world.record.restart = true;
    world.record.resume = None;
    world.record.since = world.seen.now;
    facts(&mut world.record).idle_since = None;
}

/// What `engine::run` does when Prepare fails for a run that continues another.
fn prepare_fails(world: &mut World) {
    while world.record.phase != Phase::Prepare {
        assert!(world.turn().is_none());
    }
    world.record.reason = Some("the push failed".to_owned());
    world.record.phase = Phase::TakeBack;
    world.record.since = world.seen.now;
}

fn share_of(world: &World, colour: &str) -> Vec<u8> {
    let tg = format!("tg-{colour}");
    world.seen.rules.iter().map(|r| r.forward.as_ref().unwrap().share(&tg)).collect()
}

/// Killed at 100 %, another intent promotes it, then fails before or after Prepare.
#[test]
fn after_promoting_a_predecessor_undo_leaves_traffic_on_the_live_side() {
    let mut world = come_to(&[100], Phase::Settle);
    restart(&mut world);
    prepare_fails(&mut world);
    let end = world.run();
    assert_eq!(
        share_of(&world, "green"),
        [100, 100],
        "green is live; {} ({:?}); blue {:?}\n{}",
        end.message,
        end.ending,
        world.seen.groups["blue"].group.capacity,
        world.log.join("\n")
    );
}

/// The retirement was scheduled on the old side, then traffic goes back to it.
#[test]
fn traffic_taken_back_during_retire_leaves_no_retirement_on_the_live_group() {
    let mut world = come_to(&[100], Phase::Retire);
    assert!(world.turn().is_none());
    assert!(world.seen.groups["blue"].scheduled.iter().any(|a| a.name == RETIREMENT));
    // `cutover rollback`, or a target of green that fails just now.
    world.record.phase = Phase::TakeBack;
    world.record.since = world.seen.now;
    let end = world.run();
    assert_eq!(share_of(&world, "blue"), [100, 100]);
    assert!(
        world.seen.groups["blue"].scheduled.is_empty(),
        "{}: live blue is still to be scaled to 0",
        end.message
    );
}

/// The last save failed: the record in memory is Done, and the run must still end.
#[test]
fn a_finished_record_ends_the_run() {
    let mut world = come_to(&[100], Phase::Done.min(Phase::Retire));
    world.record.phase = Phase::Done;
    world.record.ending = Some(Ending::Succeeded);
    for _ in 0..1000 {
        if world.turn().is_some() {
            return;
        }
    }
    panic!("turns for ever");
}

/// A scheduled action that may not be written costs the rollout.
#[test]
fn a_refused_retirement_does_not_take_a_proven_version_back() {
    let mut world = come_to(&[100], Phase::Retire);
    world.seen.refused = Some("AccessDenied: PutScheduledUpdateGroupAction".to_owned());
    let next = decide(&world.plan, &world.record, &world.seen);
    assert!(
        !next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })),
        "{:?}",
        next.record.phase
    );
}

/// A rollback whose target version is bad is itself taken back: that is no "rolled back".
#[test]
fn a_failed_rollback_does_not_end_as_a_rollback() {
    let mut world = World::new(plan(&[10, 100]), Phase::Free);
    world.record.goal = Goal::Rollback;
    world.errors = 0.3;
    let end = world.run();
    assert_eq!(share_of(&world, "blue"), [100, 100], "traffic stayed on the version to leave");
    assert_ne!(end.ending, Goal::Rollback.reached(), "{}", end.message);
}

/// Rolling; killed after Start, before its id was seen; `cutover rollback`.
#[test]
fn rolling_takes_back_a_refresh_whose_id_it_never_saw() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.seen);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    world.record.phase = Phase::TakeBack;
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_eq!(next.actions.iter().map(told).collect::<Vec<_>>(), ["rollback blue"]);
}

/// Rolling; the way back of a predecessor is remembered as this rollout's own.
#[test]
fn rolling_after_a_restart_has_a_way_back_of_its_own() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.seen);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    let group = world.group("blue");
    group.refreshes[0].status = RefreshStatus::Failed;
    group.group.instances[0].template = Some(template(NEW));
    // Another intent takes over and takes the mix back by a refresh to OLD.
    world.record.phase = Phase::TakeOver;
    world.record.restart = true;
    while world.record.phase != Phase::Prepare {
        assert!(world.turn().is_none());
    }
    world.record.version = Some(NEW + 1);
    world.record.phase = Phase::Refresh;
    world.record.since = world.seen.now;
    let next = decide(&world.plan, &world.record, &world.seen);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    let group = world.group("blue");
    group.refreshes[0].status = RefreshStatus::Cancelled;
    group.group.instances[0].template = Some(template(NEW + 1));
    let end = world.run();
    assert_eq!(end.ending, Ending::RolledBack, "{}", end.message);
}

/// Killed after weights were taken back in a later step, before the record was saved.
#[test]
fn another_intent_starts_from_the_first_step() {
    let mut world = come_to(&[10, 50, 100], Phase::Bake);
    while facts(&mut world.record).step < 1 || world.record.phase != Phase::Bake {
        assert!(world.turn().is_none());
    }
    world.seen.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
    restart(&mut world);
    while world.record.phase != Phase::Prepare {
        assert!(world.turn().is_none());
    }
    world.record.phase = Phase::Free;
    world.record.since = world.seen.now;
    let end = world.run();
    assert_eq!(end.ending, Ending::Succeeded, "{}", end.message);
}

/// The handed-over minimum lets the new side scale in while the old one is still pinned.
#[test]
fn scaling_in_after_the_handover_is_no_loss() {
    let mut world = come_to(&[100], Phase::Retire);
    while world.seen.groups["green"].group.capacity.min != 2 {
        assert!(world.turn().is_none());
    }
    // Its own scaling policy, a moment after MinSize went from 4 to 2.
    let green = world.group("green");
    green.group.capacity.desired = 3;
    green.group.instances.truncate(3);
    green.targets.truncate(3);
    let end = world.run();
    assert_eq!(end.ending, Ending::Succeeded, "{}\n{}", end.message, world.log.join("\n"));
}

/// The handover was throttled once.
#[test]
fn a_lost_handover_of_the_minimum_is_sent_again() {
    let mut world = come_to(&[100], Phase::Settle);
    loop {
        let next = decide(&world.plan, &world.record, &world.seen);
        world.record = next.record;
        if next.actions.iter().any(|a| matches!(a, Action::SetMinimum { .. })) {
            break;
        }
        world.turn();
    }
    let end = world.run();
    assert_eq!(end.ending, Ending::Succeeded);
    assert_eq!(world.seen.groups["green"].group.capacity.min, 2);
}

/// A broken canary that burns CPU is scaled out by its own policy.
#[test]
fn a_canary_that_grew_does_not_block_its_own_way_back() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.group("green").group.capacity.desired = 6;
    let mut seen = world.seen.clone();
    let minute = seen.now.as_second() / 60 * 60 + 60;
    seen.counts.insert(
        "tg-green".to_owned(),
        TargetGroupCounts {
            minutes: vec![(
                Timestamp::from_second(minute).unwrap(),
                Counts { requests: 1000, errors: 500 },
            )],
        },
    );
    seen.now += SignedDuration::from_secs(200);
    let next = decide(&world.plan, &world.record, &seen);
    assert_eq!(next.record.phase, Phase::TakeBack);
    assert!(
        next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })),
        "blue bears 90 % with all of its 4 targets healthy, and gets {:?}",
        next.actions.iter().map(told).collect::<Vec<_>>()
    );
}

/// Somebody refreshes the new side while it bears weight.
#[test]
fn weight_on_a_group_being_refreshed_is_taken_off_in_bake() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.group("green").refreshes.insert(
        0,
        InstanceRefresh {
            id: "theirs".to_owned(),
            status: RefreshStatus::InProgress,
            reason: None,
            percent: None,
            remaining: None,
            started: None,
            desired: Some(template(NEW)),
            preferences: None,
        },
    );
    assert!(needs(&world.plan, &world.record).refreshes, "bake does not even look");
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_eq!(next.record.phase, Phase::TakeBack);
}

/// The first of two rules took the first step's weights, then the canary died.
#[test]
fn half_a_first_step_is_watched_too() {
    let mut world = come_to(&[10, 100], Phase::Shift);
    loop {
        let next = decide(&world.plan, &world.record, &world.seen);
        world.record = next.record;
        if let Some(first) = next.actions.iter().find(|a| matches!(a, Action::SetForward { .. })) {
            world.apply(first);
            break;
        }
        next.actions.iter().for_each(|action| world.apply(action));
        world.seen.now += SignedDuration::from_secs(1);
    }
    world.group("green").targets.iter_mut().for_each(|t| t.health = TargetHealth::Unhealthy);
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_eq!(next.record.phase, Phase::TakeBack);
}

/// An alarm goes off while the gate to the second step is shut.
#[test]
fn an_alarm_at_a_shut_gate_takes_back() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    while world.record.phase != Phase::Shift {
        assert!(world.turn().is_none());
    }
    world.plan.judge.alarms = vec!["p99".to_owned()];
    world.seen.alarms = vec![("p99".to_owned(), AlarmState::Alarm)];
    assert!(needs(&world.plan, &world.record).alarms);
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_eq!(next.record.phase, Phase::TakeBack);
}

/// CloudWatch says nothing at all about the old side.
#[test]
fn no_count_of_the_old_side_is_no_evidence_of_its_end() {
    let mut world = come_to(&[100], Phase::Settle);
    let shifted = facts(&mut world.record).shifted.unwrap();
    world.seen.counts.clear();
    world.seen.now = shifted + SignedDuration::from_secs(250);
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_eq!(next.record.phase, Phase::Settle);
    assert!(next.actions.is_empty());
}

/// Another hand took both weights away: then nobody has the traffic.
#[test]
fn traffic_is_only_back_where_the_old_side_has_it() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.seen.rules = rules(&[("tg-blue", 0), ("tg-green", 0)]);
    let end = world.run();
    assert_eq!(share_of(&world, "blue"), [100, 100], "{}", end.message);
}

/// Another hand gave all of the traffic to a third group, as one does with a maintenance page: that is
/// not ours to take back, and the new side has none.
#[test]
fn what_a_third_group_was_given_is_left_to_it() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.seen.rules = rules(&[("tg-blue", 0), ("tg-green", 0), ("tg-third", 1)]);
    let end = world.run();
    assert_eq!(end.ending, Ending::RolledBack, "{}", end.message);
    assert_eq!(share_of(&world, "third"), [100, 100], "{}", end.message);
}

/// Promise 1 with a live group that outgrew the new side's MaxSize.
#[test]
fn no_step_forward_with_less_than_the_live_group_has() {
    let mut world = come_to(&[100], Phase::Shift);
    world.group("green").group.capacity = Capacity { min: 4, max: 4, desired: 4 };
    let blue = world.group("blue");
    *blue = group("blue", (6, 6, 6), OLD);
    let next = decide(&world.plan, &world.record, &world.seen);
    assert!(!next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })), "4 of 6");
}

/// An instance that boots from the right version while success is read.
#[test]
fn a_booting_instance_of_the_right_version_is_no_doubt() {
    let mut world = come_to(&[100], Phase::Verify);
    let mut booting = instance("i-new", NEW);
    booting.lifecycle = Lifecycle::Pending;
    world.group("green").group.instances.push(booting);
    assert_eq!(unproven(&world.plan, &world.record, &world.seen), None);
}

/// Every instance has ended, and there is no capacity for others: nothing is proven by none.
#[test]
fn a_group_without_instances_proves_nothing() {
    let mut world = come_to(&[100], Phase::Verify);
    let green = world.group("green");
    green.group.instances.clear();
    green.targets.clear();
    let told = unproven(&world.plan, &world.record, &world.seen);
    assert!(told.as_deref().is_some_and(|told| told.starts_with("none of ")), "{told:?}");
}

/// Back to back; the idle side was warm with a pending retirement, killed at 100 %, promoted.
#[test]
fn a_promoted_predecessor_leaves_the_size_of_retirement() {
    let mut world = come_to(&[100], Phase::Settle);
    let green = &mut facts(&mut world.record).sides.green;
    (green.min, green.empty) = (4, false);
    green.retirement = Some(RetirementFacts { at: start(), size: 0 });
    restart(&mut world);
    while world.record.phase != Phase::Prepare {
        assert!(world.turn().is_none());
    }
    let blue = &facts(&mut world.record).sides.blue;
    assert_eq!(blue.retirement.map_or(blue.min, |r| r.size), 0);
}

/// Green was retired between two reads of the check: it read as kept warm, and as awaiting nothing.
#[test]
fn a_groups_own_minimum_is_the_one_that_ours_takes_the_place_of() {
    let read_too_early = |errors| {
        let mut world = World::new(plan(&[10, 100]), Phase::Free);
        let green = &mut facts(&mut world.record).sides.green;
        (green.min, green.empty) = (4, false);
        world.errors = errors;
        world.run();
        world
    };
    let brought = read_too_early(0.0);
    assert!(brought.log.contains(&"schedule blue 0".to_owned()), "{}", brought.log.join("\n"));
    let taken_back = read_too_early(0.3);
    let green = taken_back.seen.groups["green"].group.capacity;
    assert_eq!((green.min, green.desired), (0, 0), "{}", taken_back.log.join("\n"));
}

/// The predecessor is at 100 % and long done but for its record; one target blinks.
#[test]
fn a_blink_does_not_send_traffic_to_a_retired_side() {
    let mut world = come_to(&[100], Phase::Retire);
    world.turn();
    // A day later: retired.
    world.seen.now += SignedDuration::from_hours(24);
    let blue = world.group("blue");
    blue.scheduled.clear();
    blue.group.capacity = Capacity { min: 0, max: 6, desired: 0 };
    blue.group.instances.clear();
    blue.targets.clear();
    restart(&mut world);
    world.seen.now += SignedDuration::from_secs(61);
    world.group("green").targets[0].health = TargetHealth::Unhealthy;
    let next = decide(&world.plan, &world.record, &world.seen);
    assert_ne!(next.record.phase, Phase::TakeBack, "{:?}", next.actions);
}

/// What a record weighs with five rules and long names.
#[test]
fn a_record_of_five_rules_and_a_long_reason_fits() {
    let mut record = record(Phase::TakeBack);
    let arn = |i: usize| {
        format!(
            "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener-rule/app/production-web-load-balancer/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe{i}"
        )
    };
    facts(&mut record).rules = (0..5)
        .map(|i| RuleFacts {
            id: RuleId::Rule(arn(i)),
            weights: PerColour { blue: Some(100), green: Some(0) },
            sticky: None,
        })
        .collect();
    let without = serde_json::to_string(&record).unwrap().len();
    // EC2's encoded authorization failures are this long and longer.
    record.reason = Some("x".repeat(2000));
    let with = serde_json::to_string(&record).unwrap().len();
    assert!(with <= 4096, "{without} without a reason, {with} with");
}
