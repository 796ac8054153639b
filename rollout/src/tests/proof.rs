//! What proves success, and what doesn't: an absence, and anything that was not read.

use std::collections::BTreeMap;

use super::scenarios::come_to;
use super::world::*;
use crate::evidence::judge_alarms;
use crate::judge::Verdict;
use crate::model::*;
use crate::*;

/// An instance of the right version is still launching while success is verified.
#[test]
fn a_pending_instance_of_the_right_version_does_not_prevent_the_proof() {
    let mut world = come_to(&[100], Phase::Verify);
    let mut booting = instance("i-new", NEW);
    booting.lifecycle = Lifecycle::Pending;
    world.group("green").group.instances.push(booting);
    assert_eq!(prove(&world.plan, &world.record, &world.observation), Ok(()));
}

/// Every instance has terminated, and there is no capacity for new ones: a group without instances proves nothing.
#[test]
fn a_group_without_instances_proves_nothing() {
    let mut world = come_to(&[100], Phase::Verify);
    let green = world.group("green");
    green.group.instances.clear();
    green.targets.clear();
    let why = prove(&world.plan, &world.record, &world.observation).unwrap_err().to_string();
    assert!(why.starts_with("none of the "), "{why}");
}

#[test]
fn a_deleted_group_proves_nothing() {
    for group in ["green", "blue"] {
        let mut world = come_to(&[100], Phase::Verify);
        world.observation.groups.remove(group);
        let proven = prove(&world.plan, &world.record, &world.observation);
        // Exit code 0 asserts nothing about the old group.
        assert_eq!(proven.is_ok(), group == "blue", "{proven:?}");
    }
}

/// What the final verification did not read proves nothing.
#[test]
fn what_was_not_read_proves_nothing() {
    let world = come_to(&[100], Phase::Verify);
    let why = |change: fn(&mut Observation)| {
        let mut observation = world.observation.clone();
        change(&mut observation);
        prove(&world.plan, &world.record, &observation).unwrap_err().to_string()
    };
    assert_eq!(
        why(|observation| observation.proof = None),
        "the proof of success has not been read"
    );
    let why = why(|observation| {
        observation.groups.get_mut("green").unwrap().refreshes = Reading::NotRead;
    });
    assert_eq!(why, "the group's instance refreshes have not been read");
}

#[test]
fn the_registered_targets_are_exactly_the_instances_in_service() {
    let world = come_to(&[100], Phase::Verify);
    let proven = |change: fn(&mut ObservedGroup)| {
        let mut observation = world.observation.clone();
        change(observation.groups.get_mut("green").unwrap());
        prove(&world.plan, &world.record, &observation).map_err(|why| why.to_string())
    };
    let stranger = |green: &mut ObservedGroup| green.targets.push(target("i-stranger"));
    let missing = |green: &mut ObservedGroup| drop(green.targets.pop());
    let differs =
        |targets| Err(format!("{targets} targets are registered, but 4 instances are in service"));
    assert_eq!(proven(|_| {}), Ok(()));
    assert_eq!(proven(stranger), differs(5));
    assert_eq!(proven(missing), differs(3));
    let exchanged = proven(|green| {
        green.targets.pop();
        green.targets.push(target("i-stranger"));
    });
    assert_eq!(exchanged, differs(4));
    // A target that is being deregistered belongs to an instance that is gone.
    let draining = proven(|green| {
        green.targets.push(Target { health: TargetHealth::Draining, ..target("i-stranger") });
    });
    assert_eq!(draining, Ok(()));
    // An instance that is launching may be registered already.
    let launching = proven(|green| {
        let launching = Instance { lifecycle: Lifecycle::Pending, ..instance("i-new", NEW) };
        green.group.instances.push(launching);
        green.targets.push(Target { health: TargetHealth::Initial, ..target("i-new") });
    });
    assert_eq!(launching, Ok(()));
    let unhealthy = proven(|green| green.targets[0].health = TargetHealth::Unhealthy);
    assert_eq!(unhealthy, Err("3 of 4 targets are healthy".to_owned()));
    let none_attached = proven(|green| {
        green.group.target_groups.clear();
        green.targets.clear();
    });
    assert_eq!(none_attached, Ok(()));
}

/// A weight of 1 beside 999 is less than half a percent.
#[test]
fn a_little_traffic_elsewhere_prevents_the_proof() {
    let world = come_to(&[100], Phase::Verify);
    let proven = |weights: &[(&str, u16)]| {
        let mut observation = world.observation.clone();
        observation.rules[1] = rules(weights).remove(1);
        prove(&world.plan, &world.record, &observation).map_err(|why| why.to_string())
    };
    let elsewhere = Err("green does not receive all of the traffic".to_owned());
    assert_eq!(proven(&[("tg-blue", 0), ("tg-green", 999)]), Ok(()));
    assert_eq!(proven(&[("tg-green", 1)]), Ok(()));
    assert_eq!(proven(&[("tg-blue", 1), ("tg-green", 999)]), elsewhere);
    assert_eq!(proven(&[("tg-green", 999), ("tg-third", 1)]), elsewhere);
    assert_eq!(proven(&[("tg-blue", 0), ("tg-green", 0)]), elsewhere);
    let mut observation = world.observation.clone();
    observation.rules.clear();
    assert!(prove(&world.plan, &world.record, &observation).is_err());
}

#[test]
fn every_instance_must_run_the_version_to_prove_it() {
    let world = come_to(&[100], Phase::Verify);
    let proven = |change: fn(&mut Group)| {
        let mut observation = world.observation.clone();
        change(&mut observation.groups.get_mut("green").unwrap().group);
        prove(&world.plan, &world.record, &observation).map_err(|why| why.to_string())
    };
    let differs = Err("not every instance of green is in service with version 8".to_owned());
    assert_eq!(proven(|green| green.instances[0].template = Some(template(OLD))), differs);
    assert_eq!(proven(|green| green.instances[0].template = None), differs);
    assert_eq!(proven(|green| green.instances[0].lifecycle = Lifecycle::Standby), differs);
    assert_eq!(proven(|green| green.source = TemplateSource::Template(template(OLD))), differs);
    let latest = LaunchTemplate { version: VersionSpec::Latest, ..template(NEW) };
    let mut observation = world.observation.clone();
    observation.groups.get_mut("green").unwrap().group.source = TemplateSource::Template(latest);
    assert!(
        prove(&world.plan, &world.record, &observation).is_err(),
        "what launches next may be another"
    );
    // One that is terminating no longer counts.
    let leaving = proven(|green| {
        let leaving = Instance { lifecycle: Lifecycle::Terminating, ..instance("i-old", OLD) };
        green.instances.push(leaving);
    });
    assert_eq!(leaving, Ok(()));
}

/// The alarm is deleted while the canary is judged: a missing alarm does not count as OK.
#[test]
fn a_deleted_alarm_holds_the_step() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.plan.judge.alarms = vec!["p99".to_owned()];
    let mut verdict = |state: Reading<BTreeMap<String, AlarmState>>| {
        world.observation.alarms = state;
        judge_alarms(&world.plan, &world.observation)
    };
    let read = |state| Reading::Read(BTreeMap::from([("p99".to_owned(), state)]));
    assert_eq!(verdict(read(AlarmState::Ok)), None);
    assert!(matches!(verdict(read(AlarmState::Alarm)), Some(Verdict::Fail(_))));
    assert!(matches!(verdict(read(AlarmState::InsufficientData)), Some(Verdict::Insufficient(_))));
    assert!(matches!(verdict(Reading::Read(BTreeMap::new())), Some(Verdict::Insufficient(_))));
    assert!(matches!(verdict(Reading::NotRead), Some(Verdict::Insufficient(_))));
}

/// Errors fail a version even while an alarm has insufficient data.
#[test]
fn errors_fail_a_version_even_if_an_alarm_has_no_data() {
    let mut world = come_to(&[10, 100], Phase::Bake);
    world.plan.judge.alarms = vec!["p99".to_owned()];
    world.observation.alarms =
        Reading::Read(BTreeMap::from([("p99".to_owned(), AlarmState::InsufficientData)]));
    world.errors = 0.5;
    let end = world.run();
    assert_eq!(end.status, Status::RolledBack, "{:?}", world.log);
}
