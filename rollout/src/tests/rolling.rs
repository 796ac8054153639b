//! Rolling: one group whose instances are replaced in place.

use std::time::Duration;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

pub(super) fn rolling() -> World {
    let mut plan = plan(&[]);
    plan.strategy = Strategy::Rolling;
    plan.shape = Shape::OneGroup(OneGroup {
        group: "blue".to_owned(),
        target_group: Some("tg-blue".to_owned()),
        preferences: RefreshPreferences {
            min_healthy: 100,
            max_healthy: Some(150),
            checkpoints: vec![50, 100],
            checkpoint_delay: Duration::from_secs(120),
            skip_matching: true,
            auto_rollback: true,
            ..RefreshPreferences::default()
        },
    });
    let mut world = World::new(plan, Phase::Refresh);
    world.record.fleet = FleetFacts::OneGroup(OneGroupFacts::default());
    world
}

fn log(world: &World) -> String {
    world.log.join("\n")
}

#[test]
fn instances_are_replaced_and_success_is_verified() {
    let mut world = rolling();
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded, "{}", end.message);
    insta::assert_snapshot!(log(&world), @r"
    refresh blue 8
    phase verify
    ");
}

#[test]
fn errors_roll_back_an_active_refresh() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.observation);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    world.observation.now += jiff::SignedDuration::from_secs(300);
    world.observation.counts.known().insert(
        "tg-blue".to_owned(),
        TargetGroupCounts {
            minutes: vec![(
                start() + jiff::SignedDuration::from_secs(120),
                Counts { requests: 1000, errors: 100 },
            )],
        },
    );
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
    world.record = next.record;
    world.log.clear();
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
    insta::assert_snapshot!(log(&world), @"rollback blue");
}

#[test]
fn a_failed_refresh_is_followed_by_one_to_the_previous_version() {
    let mut world = rolling();
    let next = decide(&world.plan, &world.record, &world.observation);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    let group = world.group("blue");
    group.refreshes.known()[0].status = RefreshStatus::Failed;
    group.group.instances[0].template = Some(template(NEW));
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
    insta::assert_snapshot!(log(&world), @r"
    refresh blue 8
    phase restore-traffic
    refresh blue 7
    ");
}

/// Decides one tick of a rolling rollout.
fn rolling_tick(phase: Phase, change: impl FnOnce(&mut World)) -> Decision {
    let mut world = rolling();
    world.record.phase = phase;
    change(&mut world);
    decide(&world.plan, &world.record, &world.observation)
}

fn one_group(record: &mut Record) -> &mut OneGroupFacts {
    match &mut record.fleet {
        FleetFacts::OneGroup(facts) => facts,
        FleetFacts::TwoGroups(_) => panic!("one group"),
    }
}

fn preferences(plan: &mut Plan) -> &mut RefreshPreferences {
    match &mut plan.shape {
        Shape::OneGroup(group) => &mut group.preferences,
        Shape::TwoGroups(_) => panic!("one group"),
    }
}

/// Shows a refresh to `version` that requests what the plan does.
fn show(world: &mut World, id: &str, status: RefreshStatus, version: u64) {
    let preferences = Some(preferences(&mut world.plan).clone());
    let refresh = InstanceRefresh { preferences, ..refresh(id, status, version) };
    world.group("blue").refreshes.known().insert(0, refresh);
}

fn known(id: Option<&str>, version: u64) -> Option<RefreshFacts> {
    Some(RefreshFacts { version, after: None, id: id.map(str::to_owned) })
}

/// The previous run's requests may take effect until T has passed.
#[test]
fn a_run_that_takes_over_waits_for_t_before_it_resumes() {
    let taken_over = |after| {
        rolling_tick(Phase::TakeOver, |world| {
            world.record.since = ago(after);
            world.record.resume = Some(Phase::Refresh);
        })
    };
    assert_eq!(
        (taken_over(60).record.phase, deadline(&taken_over(60))),
        (Phase::TakeOver, Some(0))
    );
    let resumed = taken_over(61).record;
    assert_eq!((resumed.phase, resumed.resume), (Phase::Refresh, None));
}

/// The previous run died after its last change: what it brought is the version to replace now.
#[test]
fn a_finished_replacement_is_where_another_intent_starts() {
    let taken_over = |change: fn(&mut World)| {
        let next = rolling_tick(Phase::TakeOver, |world| {
            world.record.since = ago(61);
            world.record.restart = true;
            *world.group("blue") = group("blue", (2, 6, 4), NEW);
            change(world);
        });
        (next.record.phase, next.record.previous, next.record.restart)
    };
    assert_eq!(taken_over(|_| {}), (Phase::Prepare, NEW, false));
    let rolled_back = (Phase::RestoreTraffic, OLD, true);
    assert_eq!(taken_over(|world| show(world, "r", RefreshStatus::Baking, NEW)), rolled_back);
    let mixed = |world: &mut World| {
        world.group("blue").group.instances[0].template = Some(template(OLD));
    };
    assert_eq!(taken_over(mixed), rolled_back);
}

#[test]
fn the_deadline_of_a_replacement_includes_its_planned_pauses() {
    let replacing = |after| {
        rolling_tick(Phase::Refresh, |world| {
            world.record.since = ago(after);
            preferences(&mut world.plan).bake = Duration::from_secs(100);
            one_group(&mut world.record).refresh = known(Some("r"), NEW);
            show(world, "r", RefreshStatus::InProgress, NEW);
        })
    };
    // 20 minutes, BakeTime, and two checkpoints of 120 s.
    assert_eq!(deadline(&replacing(0)), Some(1200 + 100 + 240));
    assert_eq!(replacing(1540).record.phase, Phase::Refresh);
    assert_eq!(replacing(1541).record.phase, Phase::RestoreTraffic);
}

#[test]
fn a_rollback_that_takes_too_long_is_stuck() {
    let rolling_back = |after| {
        rolling_tick(Phase::RestoreTraffic, |world| {
            world.record.since = ago(after);
            one_group(&mut world.record).refresh = known(Some("r"), NEW);
            show(world, "r", RefreshStatus::RollbackInProgress, NEW);
        })
    };
    assert_eq!(deadline(&rolling_back(0)), Some(1800));
    assert_eq!(rolling_back(1800).end, None);
    assert_eq!(rolling_back(1801).end.map(|end| end.status), Some(Status::Stuck));
}

/// RollbackInstanceRefresh takes no ID, and AWS refuses it once a refresh is being canceled or rolled back.
#[test]
fn only_this_rollouts_own_active_refresh_is_rolled_back() {
    let sent = |known_id: &str, status| {
        let next = rolling_tick(Phase::RestoreTraffic, |world| {
            one_group(&mut world.record).refresh = known(Some(known_id), NEW);
            show(world, "r", status, NEW);
        });
        assert_eq!(waits_for(&next), Some("rolling back to the previous version"));
        actions(&next)
    };
    for status in [RefreshStatus::Pending, RefreshStatus::InProgress, RefreshStatus::Baking] {
        assert_eq!(sent("r", status), ["rollback blue"], "{status:?}");
        assert_eq!(sent("another", status), [""; 0], "{status:?}");
    }
    for status in [RefreshStatus::Cancelling, RefreshStatus::RollbackInProgress] {
        assert_eq!(sent("r", status), [""; 0], "{status:?}");
    }
}

#[test]
fn the_refresh_to_the_previous_version_does_not_pause() {
    let next = rolling_tick(Phase::RestoreTraffic, |world| {
        preferences(&mut world.plan).bake = Duration::from_secs(100);
        preferences(&mut world.plan).alarms = vec!["p99".to_owned()];
        world.group("blue").group.instances[0].template = Some(template(NEW));
    });
    let [Action::StartRefresh { version: OLD, preferences, .. }] = next.actions.as_slice() else {
        panic!("{:?}", next.actions);
    };
    let expected = RefreshPreferences {
        min_healthy: 100,
        max_healthy: Some(150),
        skip_matching: true,
        ..RefreshPreferences::default()
    };
    assert_eq!(*preferences, expected);
}

#[test]
fn a_replacement_that_is_not_proven_in_time_is_rolled_back() {
    let verified = |after, health| {
        rolling_tick(Phase::Verify, |world| {
            world.record.since = ago(after);
            *world.group("blue") = group("blue", (2, 6, 4), NEW);
            world.group("blue").targets[0].health = health;
        })
    };
    let waiting = verified(600, TargetHealth::Unhealthy);
    assert_eq!(waiting.record.phase, Phase::Verify);
    assert_eq!(waits_for(&waiting), Some("3 of 4 targets are healthy"));
    let rolled_back = verified(601, TargetHealth::Unhealthy);
    assert_eq!(rolled_back.record.phase, Phase::RestoreTraffic);
    assert_eq!(reason(&rolled_back), "success could not be proven: 3 of 4 targets are healthy");
    let proven = verified(601, TargetHealth::Healthy);
    assert_eq!(proven.end.map(|end| end.status), Some(Status::Succeeded));
}

/// The response was lost, and AWS does not list the refresh yet. Meanwhile somebody else's has come and gone.
#[test]
fn a_refresh_that_is_requested_twice_is_still_recognized() {
    let mut world = rolling();
    world.record = decide(&world.plan, &world.record, &world.observation).record;
    show(&mut world, "theirs", RefreshStatus::Cancelled, OLD);
    let again = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(actions(&again), ["refresh blue 8"]);
    world.record = again.record;
    let theirs = world.group("blue").refreshes.known().remove(0);
    show(&mut world, "mine", RefreshStatus::InProgress, NEW);
    world.group("blue").refreshes.known().insert(0, theirs);
    let next = decide(&world.plan, &world.record, &world.observation);
    assert_eq!(waits_for(&next), Some("replacing instances"));
    let refresh = one_group(&mut world.record.clone()).refresh.clone();
    assert_eq!(refresh, known(None, NEW));
    assert_eq!(one_group(&mut next.record.clone()).refresh, known(Some("mine"), NEW));
}

/// The predecessor's refresh is not this version's: what was there before is remembered again.
#[test]
fn a_refresh_to_another_version_is_forgotten() {
    let mut next = rolling_tick(Phase::Refresh, |world| {
        one_group(&mut world.record).refresh = known(Some("earlier"), NEW - 1);
        show(world, "earlier", RefreshStatus::Failed, NEW - 1);
    });
    assert_eq!(actions(&next), ["refresh blue 8"]);
    let expected = RefreshFacts { version: NEW, after: Some("earlier".to_owned()), id: None };
    assert_eq!(one_group(&mut next.record).refresh, Some(expected));
}
