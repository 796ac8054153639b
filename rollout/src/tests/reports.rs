//! What a run reports, and when it observes again.

use std::time::Duration;

use super::rollouts::sticky;
use super::situation::*;
use super::world::*;
use crate::model::*;

/// Describes an event in a line, without how often a step was judged.
fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Phase { phase, message } => format!("{phase}: {message}"),
        Event::Waiting { message, .. } => format!("waiting: {message}"),
        Event::Refresh { group, status, .. } => format!("refresh of {group}: {status:?}"),
        Event::MinSize { group, min, message } => format!("MinSize of {group}: {min}, {message}"),
        Event::Health { group, healthy, needed, instances } => {
            format!("health of {group}: {healthy} of {needed}, {instances} instances")
        }
        Event::Traffic { shares: PerColor { blue, green }, verified } => {
            format!("traffic: {blue}/{green}{}", if *verified { ", verified" } else { "" })
        }
        Event::Smoke { path, status, passed } => format!("smoke {path}: {status:?}, {passed}"),
        Event::Judgment { .. } => return None,
        Event::ScaleInScheduled { group, size, .. } => format!("scale-in of {group} to {size}"),
        other => format!("{other:?}"),
    })
}

/// Returns what a world's run reported, each line once in a phase.
fn report(world: &World) -> String {
    let (mut lines, mut phase): (Vec<String>, usize) = (Vec::new(), 0);
    for event in &world.events {
        if matches!(event, Event::Phase { .. }) {
            phase = lines.len();
        }
        let line = line(event).filter(|line| !lines[phase..].contains(line));
        lines.extend(line);
    }
    lines.join("\n")
}

#[test]
fn a_canary_reports_each_phase_and_what_it_waits_for() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.run();
    insta::assert_snapshot!(report(&world), @r"
    refresh: updating green to version 8
    waiting: green must be without traffic for 60 s first
    refresh of green: Successful
    scale-out: scaling out green to the size of blue
    MinSize of green: 4, to match the live group
    add-to-rules: adding the new side's target group to every rule with weight 0
    healthy: waiting for the new side's targets to become healthy
    health of green: 4 of 4, 4 instances
    shift: shifting 10% of the traffic to green
    MinSize of blue: 4, so that a rollback stays fast
    health of green: 4 of 1, 4 instances
    traffic: 90/10
    traffic: 90/10, verified
    bake: 10% of the traffic is on the new version
    health of green: 4 of 1, 4 instances
    waiting: baking at 10% of the traffic for at least 120 s
    waiting: no requests counted yet; 100 are needed (100 more are too recent to count)
    waiting: no requests counted yet; 100 are needed (200 more are too recent to count)
    shift: shifting 100% of the traffic to green
    health of green: 4 of 1, 4 instances
    health of green: 4 of 4, 4 instances
    traffic: 0/100
    traffic: 0/100, verified
    bake: 100% of the traffic is on the new version
    health of green: 4 of 4, 4 instances
    waiting: baking at 100% of the traffic for at least 120 s
    waiting: no requests counted yet; 100 are needed (1000 more are too recent to count)
    waiting: no requests counted yet; 100 are needed (2000 more are too recent to count)
    settle: waiting for the old side's traffic to end
    health of green: 4 of 4, 4 instances
    waiting: CloudWatch has not yet counted a minute without traffic to the old side
    verify: verifying that the new version is live and healthy
    health of green: 4 of 4, 4 instances
    schedule-scale-in: the new version is live and verified
    scale-in of blue to 0
    MinSize of green: 2, as the old group had before the rollout
    ");
}

#[test]
fn a_rollback_reports_why_and_what_it_undoes() {
    let mut world = sticky();
    world.errors = 0.3;
    world.run();
    let begins = world.events.iter().position(|e| matches!(e, Event::RollingBack { .. })).unwrap();
    world.events.drain(..begins);
    insta::assert_snapshot!(report(&world), @r#"
    RollingBack { reason: "150 of 500 requests failed (30.00%); the limit is 1.00%" }
    traffic: 100/0
    traffic: 100/0, verified
    undo: traffic is back on the previous version: undoing the other changes
    waiting: green must be without traffic for a while before it is scaled in
    refresh of green: Successful
    MinSize of blue: 2, as before the rollout
    "#);
}

/// A judgment names the verdict, and the counts that it rests on.
#[test]
fn every_judgment_is_reported() {
    let mut world = World::new(plan(&[10, 100]), Phase::CancelScaleIn);
    world.run();
    let judged = world.events.iter().filter_map(|event| match event {
        Event::Judgment { verdict, counts, .. } => Some((*verdict, counts.requests)),
        _ => None,
    });
    let judged: Vec<(&str, u64)> = judged.collect();
    assert!(judged.contains(&("insufficient", 0)), "{judged:?}");
    assert!(judged.contains(&("pass", 100)), "{judged:?}");
}

#[test]
fn a_change_is_looked_for_after_a_second() {
    let sent = tick(Phase::ScaleOut, |_, _| {});
    assert_eq!((actions(&sent).len(), sent.next_tick_in), (1, Duration::from_secs(1)));
    let entered = tick(Phase::CancelScaleIn, |_, _| {});
    assert_eq!(
        (entered.record.phase, entered.next_tick_in),
        (Phase::Refresh, Duration::from_secs(1))
    );
    let waiting = tick(Phase::Healthy, |_, _| {});
    assert_eq!(waiting.next_tick_in, Duration::from_secs(5));
}

/// Nothing can be decided before the group has been idle for T, but external changes are to be noticed.
#[test]
fn a_wait_of_known_length_is_observed_at_its_end_and_every_twenty_seconds() {
    let next = |idle: i64| {
        tick(Phase::Refresh, |record, _| facts(record).idle_since = Some(ago(idle))).next_tick_in
    };
    assert_eq!(next(0), Duration::from_secs(20));
    assert_eq!(next(45), Duration::from_secs(15));
    assert_eq!(next(59), Duration::from_secs(1));
    // During a rollback the old side is guarded, too.
    let undoing = tick(Phase::Undo, |record, observation| {
        facts(record).idle_since = Some(ago(0));
        *observation.groups.get_mut("green").unwrap() = group("green", (0, 6, 0), NEW);
    });
    assert_eq!(undoing.next_tick_in, Duration::from_secs(5));
    assert_eq!(waits_for(&undoing), Some("green must be without traffic for 60 s first"));
}

#[test]
fn a_wait_names_the_processes_that_somebody_suspended() {
    let waits = |suspended: &[&str]| {
        let next = tick(Phase::Healthy, |_, observation| {
            let green = &mut observation.groups.get_mut("green").unwrap().group;
            green.suspended = suspended.iter().map(|process| (*process).to_owned()).collect();
        });
        waits_for(&next).map(str::to_owned)
    };
    assert_eq!(waits(&[]).unwrap(), "the new side's targets are not healthy yet");
    assert_eq!(
        waits(&["Launch", "Terminate"]).unwrap(),
        "the new side's targets are not healthy yet, but green has suspended processes: Launch, Terminate"
    );
}
