//! Rolling: one group whose instances are replaced in place.

use std::time::Duration;

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
    let next = decide(&world.plan, &world.record, &world.seen);
    world.record = next.record;
    next.actions.iter().for_each(|action| world.apply(action));
    world.seen.now += jiff::SignedDuration::from_secs(300);
    world.seen.counts.known().insert(
        "tg-blue".to_owned(),
        TargetGroupCounts {
            minutes: vec![(
                start() + jiff::SignedDuration::from_secs(120),
                Counts { requests: 1000, errors: 100 },
            )],
        },
    );
    let next = decide(&world.plan, &world.record, &world.seen);
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
    let next = decide(&world.plan, &world.record, &world.seen);
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
