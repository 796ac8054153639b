//! Whole rollouts over two groups, each as the list of everything that was changed.

use super::world::*;
use crate::model::*;
use crate::*;

#[test]
fn a_canary_goes_through_its_steps() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded, "{}", end.message);
    insta::assert_snapshot!(world.log.join("\n"), @r"
    phase refresh
    refresh green 8
    phase scale-out
    minimum green 4
    phase add-to-rules
    forward r1 tg-blue=100 tg-green=0
    forward l1 tg-blue=100 tg-green=0
    phase healthy
    phase shift
    minimum blue 4
    forward r1 tg-blue=90 tg-green=10
    forward l1 tg-blue=90 tg-green=10
    phase bake
    phase shift
    forward r1 tg-blue=0 tg-green=100
    forward l1 tg-blue=0 tg-green=100
    phase bake
    phase settle
    phase verify
    phase schedule-scale-in
    schedule blue 0
    minimum green 2
    ");
}

#[test]
fn a_bad_version_is_rolled_back_and_everything_is_undone() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.errors = 0.3;
    let before = (world.observation.rules.clone(), world.observation.groups.clone());
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
    let taking = world.log.iter().position(|l| l == "forward r1 tg-blue=100 tg-green=0");
    assert!(taking.is_some());
    assert_eq!(world.observation.rules, before.0);
    for color in ["blue", "green"] {
        let (now, then) = (&world.observation.groups[color].group, &before.1[color].group);
        assert_eq!(now.capacity, then.capacity);
        assert_eq!(now.source, then.source);
    }
}

#[test]
fn a_version_that_never_becomes_healthy_fails_without_traffic() {
    let mut world = World::new(plan(&[100]), Phase::CancelScaleIn);
    world.boots = false;
    let end = world.run();
    assert_eq!(end.status, Status::Failed);
    assert!(!world.log.iter().any(|line| line.contains("tg-green=100")));
}

#[test]
fn a_rollout_killed_in_any_tick_still_succeeds() {
    let ticks = {
        let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
        (1..1_000).find(|_| world.tick().is_some()).unwrap()
    };
    for killed_at in 1..ticks {
        let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
        for _ in 0..killed_at {
            assert!(world.tick().is_none());
        }
        world.record.resume = Some(world.record.phase);
        world.record.phase = Phase::TakeOver;
        world.record.since = world.observation.now;
        world.record.number += 1;
        world.observation.claim.highest = world.record.number;
        let end = world.run();
        assert_eq!(end.status, Status::Succeeded, "killed at tick {killed_at}: {}", end.message);
        let green = world.observation.groups["green"].group.capacity;
        assert_eq!((green.min, green.desired), (2, 4), "killed at tick {killed_at}");
    }
}

#[test]
fn a_run_with_another_intent_restores_split_traffic_first() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.run_to(Phase::Bake);
    world.record.phase = Phase::TakeOver;
    world.record.restart = true;
    world.record.since = world.observation.now;
    world.log.clear();
    world.run_to(Phase::Prepare);
    insta::assert_snapshot!(world.log.join("\n"), @r"
    forward r1 tg-blue=100 tg-green=0
    forward l1 tg-blue=100 tg-green=0
    phase prepare
    ");
}

#[test]
fn a_rollback_waits_for_the_old_side() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.run_to(Phase::Bake);
    let old = world.group("blue");
    old.targets[0].health = TargetHealth::Unhealthy;
    let mut observation = world.observation.clone();
    observation.counts.known().insert(
        "tg-green".to_owned(),
        TargetGroupCounts {
            minutes: vec![(
                jiff::Timestamp::from_second(observation.now.as_second() / 60 * 60 + 60).unwrap(),
                Counts { requests: 1000, errors: 500 },
            )],
        },
    );
    observation.now += jiff::SignedDuration::from_secs(200);
    let next = decide(&world.plan, &world.record, &observation);
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
    assert!(
        !next.actions.iter().any(|a| matches!(a, Action::SetForward { .. })),
        "{:?}",
        next.actions
    );
}

/// Returns a world with sticky rules and a test rule.
pub(super) fn sticky() -> World {
    let mut plan = plan(&[50, 100]);
    let test = RuleId::Rule("test".to_owned());
    if let Shape::TwoGroups(pair) = &mut plan.shape {
        pair.test_rule = Some(test.clone());
    }
    let mut world = World::new(plan, Phase::CancelScaleIn);
    let stickiness = Some(Stickiness { seconds: 600 });
    for rule in &mut world.observation.rules {
        rule.forward.as_mut().unwrap().stickiness = stickiness;
    }
    let mut rule = world.observation.rules[0].clone();
    rule.id = test.clone();
    rule.forward = Some(Forward::only("tg-green"));
    world.observation.rules.push(rule);
    if let FleetFacts::TwoGroups(facts) = &mut world.record.fleet {
        facts.rules.iter_mut().for_each(|rule| rule.sticky = Some(600));
        let weights = PerColor { blue: None, green: Some(1) };
        facts.test = Some(RuleFacts { id: test, weights, sticky: None });
    }
    world
}

#[test]
fn the_last_step_removes_the_old_group_from_a_sticky_rule_and_keeps_its_health_checks() {
    let mut world = sticky();
    let end = world.run();
    assert_eq!(end.status, Status::Succeeded, "{}", end.message);
    let forwards: Vec<&String> = world.log.iter().filter(|l| l.starts_with("forward")).collect();
    insta::assert_debug_snapshot!(forwards, @r#"
    [
        "forward r1 tg-blue=100 tg-green=0",
        "forward l1 tg-blue=100 tg-green=0",
        "forward r1 tg-blue=50 tg-green=50",
        "forward l1 tg-blue=50 tg-green=50",
        "forward test tg-blue=1",
        "forward r1 tg-green=1",
        "forward l1 tg-green=1",
    ]
    "#);
}

#[test]
fn a_rollback_with_stickiness_moves_all_clients_and_then_restores_the_rule() {
    let mut world = sticky();
    world.errors = 0.3;
    let before = world.observation.rules.clone();
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{}", end.message);
    assert!(world.log.contains(&"forward r1 tg-blue=1".to_owned()), "{}", world.log.join("\n"));
    assert_eq!(world.observation.rules, before);
}
