//! A run takes over from one that did not finish.

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick of a take-over by a run with another intent, with green at `share` and at version NEW.
fn taken_over(
    after: i64,
    share: u16,
    change: impl FnOnce(&mut Record, &mut Observation),
) -> Decision {
    tick(Phase::TakeOver, |record, observation| {
        record.since = ago(after);
        record.restart = true;
        let facts = facts(record);
        (facts.step, facts.floor, facts.relapses, facts.weighted) = (1, 3, 2, true);
        (facts.shifted, facts.idle_since) = (Some(ago(500)), Some(ago(500)));
        observation.groups.insert("blue".to_owned(), group("blue", (4, 6, 4), OLD));
        observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
        observation.rules = rules(&[("tg-blue", 100 - share), ("tg-green", share)]);
        change(record, observation);
    })
}

fn fail(observation: &mut Observation, group: &str) {
    let targets = &mut observation.groups.get_mut(group).unwrap().targets;
    targets.iter_mut().for_each(|target| target.health = TargetHealth::Unhealthy);
}

/// The predecessor's last request may still take effect.
#[test]
fn a_takeover_only_reads_until_t_has_passed() {
    let waiting = taken_over(60, 50, |_, _| {});
    assert_eq!((waiting.record.phase, deadline(&waiting)), (Phase::TakeOver, Some(0)));
    assert_eq!(actions(&waiting), [""; 0]);
    assert_eq!(taken_over(61, 50, |_, _| {}).record.phase, Phase::RestoreTraffic);
    let resumed = taken_over(61, 50, |record, _| record.resume = Some(Phase::Bake));
    assert_eq!((resumed.record.phase, resumed.record.resume), (Phase::Bake, None));
}

#[test]
fn another_intent_starts_from_where_all_traffic_is() {
    let after_takeover = |share, change: fn(&mut Record, &mut Observation)| {
        let mut next = taken_over(61, share, change);
        let old = facts(&mut next.record).old;
        (next.record.phase, old)
    };
    assert_eq!(after_takeover(0, |_, _| {}), (Phase::Prepare, Color::Blue));
    assert_eq!(after_takeover(100, |_, _| {}), (Phase::Prepare, Color::Green));
    // Split traffic is restored, whatever the share, even though the new side is healthy.
    assert_eq!(after_takeover(99, |_, _| {}), (Phase::RestoreTraffic, Color::Blue));
    // A side that is not healthy is rolled back, unless the other one is no better.
    let broken = |_: &mut Record, observation: &mut Observation| fail(observation, "green");
    assert_eq!(after_takeover(100, broken), (Phase::RestoreTraffic, Color::Blue));
    let both = |_: &mut Record, observation: &mut Observation| {
        fail(observation, "green");
        fail(observation, "blue");
    };
    assert_eq!(after_takeover(100, both), (Phase::TakeOver, Color::Blue));
    assert_eq!(after_takeover(99, both), (Phase::RestoreTraffic, Color::Blue));
}

/// The old side was scaled in long ago.
#[test]
fn the_only_side_with_instances_must_become_healthy_before_the_deadline() {
    let waiting = |after| {
        taken_over(after, 100, |_, observation| {
            fail(observation, "green");
            observation.groups.insert("blue".to_owned(), group("blue", (0, 6, 0), OLD));
        })
    };
    // T, and ten minutes for its targets.
    assert_eq!((waiting(660).end, deadline(&waiting(660))), (None, Some(0)));
    assert_eq!(
        waits_for(&waiting(660)),
        Some("green receives all of the traffic and must become healthy first")
    );
    let stuck = waiting(661).end.unwrap();
    assert_eq!(stuck.status, Status::Stuck);
    assert_eq!(stuck.message, "green receives all of the traffic, but has too few healthy targets");
}

/// What must be undone stays in the record; what belongs to the old attempt doesn't.
#[test]
fn a_run_that_starts_again_forgets_its_predecessors_progress() {
    let mut next = taken_over(61, 0, |record, _| {
        record.reason = Some("an alarm".to_owned());
        facts(record).sides.green.min_sizes_set = vec![4];
    });
    assert_eq!((next.record.phase, next.record.restart), (Phase::Prepare, false));
    assert_eq!(next.record.reason, None);
    let facts = facts(&mut next.record);
    assert_eq!((facts.step, facts.floor, facts.relapses), (0, 0, 0));
    assert_eq!((facts.weighted, facts.shifted), (false, None));
    assert_eq!(facts.sides.green.min_sizes_set, [4]);
}

/// The predecessor was killed with all traffic on green. Its changes stay, and the sides change their roles.
#[test]
fn each_side_gets_the_facts_of_its_new_role() {
    let scale_in = ScaleInFacts { at: ago(-600), size: 1 };
    let mut next = taken_over(61, 100, |record, _| {
        let facts = facts(record);
        facts.sides.blue = SideFacts {
            version: OLD,
            running: vec![5],
            min: 2,
            empty: false,
            min_sizes_set: vec![4],
            scale_in: None,
        };
        facts.sides.green = SideFacts {
            version: 6,
            running: vec![],
            min: 3,
            empty: true,
            min_sizes_set: vec![4, 5],
            scale_in: Some(scale_in),
        };
        facts.test = facts.rules.first().cloned();
        facts.refresh = Some(RefreshFacts { version: NEW, after: None, id: None });
    });
    assert_eq!(next.record.previous, NEW);
    let facts = facts(&mut next.record);
    let green = SideFacts {
        version: NEW,
        running: vec![],
        min: 2,
        empty: false,
        min_sizes_set: vec![4, 5],
        scale_in: None,
    };
    assert_eq!(facts.sides.green, green);
    let blue = SideFacts {
        version: OLD,
        running: vec![5],
        min: 1,
        empty: true,
        min_sizes_set: vec![4],
        scale_in: None,
    };
    assert_eq!(facts.sides.blue, blue);
    assert_eq!((facts.old, &facts.test, &facts.refresh), (Color::Green, &None, &None));
    assert_eq!(facts.idle_since, None);
    // A rollback from here leaves all traffic on green.
    let weights = PerColor { blue: Some(0), green: Some(100) };
    assert!(facts.rules.iter().all(|rule| rule.weights == weights), "{:?}", facts.rules);
}

/// The successor died before it acted, and the traffic is split. A run writes a heartbeat every minute.
#[test]
fn a_successor_counts_as_dead_after_three_minutes() {
    let superseded = |age| {
        tick(Phase::Bake, |_, observation| {
            observation.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
            let successor = Some(Successor { heartbeat: ago(age), is_acting: false });
            observation.claim = Claim { highest: 6, successor };
        })
    };
    assert!(!superseded(180).reclaim);
    assert!(waits_for(&superseded(180)).unwrap().starts_with("a newer run holds the claim"));
    assert!(superseded(181).reclaim);
}
