//! Single turns: a situation, and what is done in it.

use super::world::*;
use crate::model::*;
use crate::rollout::*;

fn turn(phase: Phase, change: impl FnOnce(&mut Record, &mut Seen)) -> Next {
    let (mut record, mut seen) = (record(phase), seen());
    change(&mut record, &mut seen);
    decide(&plan(&[10, 100]), &record, &seen)
}

fn actions(next: &Next) -> Vec<String> {
    next.actions.iter().map(told).collect()
}

fn facts(record: &mut Record) -> &mut TwoGroupsFacts {
    match &mut record.fleet {
        FleetFacts::TwoGroups(facts) => facts,
        FleetFacts::OneGroup(_) => panic!("two groups"),
    }
}

#[test]
fn a_newer_claim_stops_everything() {
    for phase in ALL {
        let next = turn(phase, |_, seen| seen.claim.highest = 6);
        assert!(next.actions.is_empty(), "{phase:?}");
        assert_eq!(next.end.map(|e| e.ending), Some(Ending::Superseded), "{phase:?}");
    }
}

#[test]
fn superseded_with_traffic_split_it_stays_until_the_other_acts() {
    let split = |seen: &mut Seen, age: i64, acting: bool| {
        seen.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
        let heartbeat = seen.now - jiff::SignedDuration::from_secs(age);
        seen.claim = Claim { highest: 6, successor: Some(Successor { heartbeat, acting }) };
    };
    let next = turn(Phase::Bake, |_, seen| split(seen, 10, false));
    assert!(next.end.is_none() && !next.reclaim && next.actions.is_empty());
    let next = turn(Phase::Bake, |_, seen| split(seen, 10, true));
    assert!(next.end.is_some());
    let next = turn(Phase::Bake, |_, seen| split(seen, 600, false));
    assert!(next.reclaim && next.actions.is_empty());
}

#[test]
fn a_refresh_waits_until_the_group_has_been_idle_for_t() {
    let fresh = turn(Phase::Refresh, |_, _| {});
    assert!(actions(&fresh).is_empty());
    let idle = turn(Phase::Refresh, |record, seen| {
        facts(record).idle_since = Some(seen.now - jiff::SignedDuration::from_secs(60));
    });
    assert_eq!(actions(&idle), ["refresh green 8"]);
}

#[test]
fn an_unknown_start_is_found_again_and_not_repeated() {
    let next = turn(Phase::Refresh, |record, seen| {
        facts(record).idle_since = Some(seen.now - jiff::SignedDuration::from_secs(60));
        facts(record).refresh = Some(RefreshFacts { version: NEW, after: None, id: None });
        let preferences = Preferences {
            warmup: Some(std::time::Duration::ZERO),
            skip_matching: true,
            ..Preferences::default()
        };
        seen.groups.get_mut("green").unwrap().refreshes.push(InstanceRefresh {
            id: "mine".to_owned(),
            status: RefreshStatus::Pending,
            reason: None,
            percent: None,
            remaining: None,
            started: None,
            desired: Some(template(NEW)),
            preferences: Some(preferences),
        });
    });
    assert!(actions(&next).is_empty());
    let mut record = next.record;
    assert_eq!(facts(&mut record).refresh.as_ref().unwrap().id.as_deref(), Some("mine"));
}

#[test]
fn weight_on_a_group_that_is_not_ready_is_taken_off_at_once() {
    for phase in [Phase::Free, Phase::Refresh, Phase::Size, Phase::Join, Phase::Healthy] {
        let next = turn(phase, |_, seen| {
            seen.rules = rules(&[("tg-blue", 50), ("tg-green", 50)]);
        });
        assert!(next.urgent, "{phase:?}");
        assert_eq!(
            actions(&next),
            ["forward r1 tg-blue=100 tg-green=0", "forward l1 tg-blue=100 tg-green=0"]
        );
    }
}

#[test]
fn a_retirement_about_to_run_is_waited_out() {
    let scheduled = |seconds: i64| {
        turn(Phase::Free, |_, seen| {
            let at = seen.now + jiff::SignedDuration::from_secs(seconds);
            seen.groups.get_mut("green").unwrap().scheduled.push(ScheduledAction {
                name: RETIREMENT.to_owned(),
                at: Some(at),
                min: Some(0),
                max: None,
                desired: Some(0),
                recurring: false,
            });
        })
    };
    assert_eq!(actions(&scheduled(600)), ["unschedule green"]);
    assert!(actions(&scheduled(120)).is_empty());
    assert!(actions(&scheduled(-120)).is_empty());
}

/// The way back of the group has begun when a hand wants more instances of it.
#[test]
fn a_group_is_not_emptied_under_its_refresh_back() {
    let next = turn(Phase::Undo, |record, seen| {
        let green = seen.groups.get_mut("green").unwrap();
        green.group.capacity.desired = 2;
        green.refreshes.push(InstanceRefresh {
            id: "back".to_owned(),
            status: RefreshStatus::InProgress,
            reason: None,
            percent: None,
            remaining: None,
            started: None,
            desired: Some(template(OLD)),
            preferences: None,
        });
        let facts = facts(record);
        facts.idle_since = Some(start() - jiff::SignedDuration::from_secs(600));
        facts.sides.green.pinned = vec![4];
        let id = Some("back".to_owned());
        facts.refresh = Some(RefreshFacts { version: OLD, after: None, id });
    });
    assert_eq!(actions(&next), [""; 0]);
    assert_eq!(next.record.phase, Phase::Undo);
}

#[test]
fn lower_weights_than_the_step_before_mean_taken_back() {
    let next = turn(Phase::Shift, |record, seen| {
        facts(record).step = 1;
        seen.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
    });
    assert_eq!(next.record.phase, Phase::Undo);
    assert!(next.actions.is_empty());
}

#[test]
fn a_group_that_cannot_grow_enough_is_refused() {
    let next = turn(Phase::Size, |_, seen| {
        seen.groups.get_mut("green").unwrap().group.capacity.max = 3;
    });
    assert_eq!(next.record.phase, Phase::Undo);
    assert!(next.record.reason.unwrap().contains("MaxSize is 3"));
}

#[test]
fn neither_side_healthy_keeps_the_weights() {
    let next = turn(Phase::Bake, |record, seen| {
        facts(record).floor = 1;
        seen.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
        for group in seen.groups.values_mut() {
            group.targets.iter_mut().for_each(|t| t.health = TargetHealth::Unhealthy);
        }
    });
    assert_eq!(next.record.phase, Phase::TakeBack);
    assert_eq!(actions(&next), ["minimum blue 4"]);
}

#[test]
fn what_is_refused_for_good_goes_back_or_to_a_person() {
    let forward = turn(Phase::Join, |_, seen| seen.refused = Some("denied".to_owned()));
    assert_eq!(forward.record.phase, Phase::Undo);
    let back = turn(Phase::Undo, |_, seen| seen.refused = Some("denied".to_owned()));
    assert_eq!(back.end.map(|e| e.ending), Some(Ending::Stuck));
}

/// The retirement is refused, and the minimums are left in order all the same.
#[test]
fn where_the_retirement_is_refused_the_minimums_are_given_back() {
    let mut pins = Vec::new();
    for (blue, green) in [(4, 4), (4, 2), (2, 2)] {
        let next = turn(Phase::Retire, |record, seen| {
            let facts = facts(record);
            facts.weighted = true;
            facts.sides.blue.pinned = vec![4];
            facts.sides.green.pinned = vec![4];
            seen.rules = rules(&[("tg-green", 1)]);
            seen.groups.get_mut("blue").unwrap().group.capacity.min = blue;
            seen.groups.get_mut("green").unwrap().group.capacity.min = green;
            seen.refused = Some("denied".to_owned());
        });
        pins.push((actions(&next), next.end.map(|end| end.ending)));
    }
    assert_eq!(
        pins,
        [
            (vec!["minimum green 2".to_owned()], None),
            (vec!["minimum blue 2".to_owned()], None),
            (vec![], Some(Ending::Succeeded)),
        ]
    );
}

/// A read that is late is no other hand; one that stays so is.
#[test]
fn weights_of_the_step_before_are_looked_at_again_for_a_moment() {
    let reads = |after: i64, weights: &[(&str, u16)]| {
        turn(Phase::Bake, |record, seen| {
            facts(record).shifted = Some(seen.now - jiff::SignedDuration::from_secs(after));
            seen.rules = rules(weights);
        })
    };
    let before: &[(&str, u16)] = &[("tg-blue", 100), ("tg-green", 0)];
    assert_eq!(reads(5, before).record.phase, Phase::Bake);
    assert_ne!(reads(15, before).record.phase, Phase::Bake);
    // More than was ever written is nobody's late read.
    assert_eq!(reads(5, &[("tg-blue", 50), ("tg-green", 50)]).record.phase, Phase::TakeBack);
}

/// What another hand does is waited for from the moment it is seen, however old the phase is.
#[test]
fn a_rule_that_is_not_listed_for_a_moment_is_waited_for_in_an_old_phase_too() {
    let ruleless = |since: Option<i64>| {
        turn(Phase::TakeBack, |record, seen| {
            record.since = seen.now - jiff::SignedDuration::from_secs(300);
            facts(record).ruleless_since =
                since.map(|s| seen.now - jiff::SignedDuration::from_secs(s));
            seen.rules.clear();
        })
    };
    assert!(ruleless(None).end.is_none());
    assert!(ruleless(Some(50)).end.is_none());
    assert_eq!(ruleless(Some(70)).end.map(|e| e.ending), Some(Ending::Stuck));
}

#[test]
fn a_rule_that_appears_late_may_still_go_again() {
    let busy = |since: Option<i64>| {
        turn(Phase::Undo, |record, seen| {
            record.since = seen.now - jiff::SignedDuration::from_secs(900);
            facts(record).kept_busy_since =
                since.map(|s| seen.now - jiff::SignedDuration::from_secs(s));
            seen.groups.get_mut("green").unwrap().group.capacity.min = 4;
            facts(record).sides.green.pinned = vec![4];
            seen.others = rules(&[("tg-green", 1)]);
        })
    };
    assert!(busy(None).end.is_none());
    assert_eq!(busy(Some(900)).end.map(|e| e.ending), Some(Ending::Stuck));
}

/// The time without weight may begin in these phases: nothing that gives it may be overlooked.
#[test]
fn other_rules_are_looked_at_wherever_idleness_may_begin() {
    let looked_at = |phase| needs(&plan(&[10, 100]), &record(phase)).others;
    assert!(
        [Phase::TakeOver, Phase::Free, Phase::TakeBack, Phase::Undo].into_iter().all(looked_at)
    );
}

/// Every phase.
pub(super) const ALL: [Phase; 16] = [
    Phase::TakeOver,
    Phase::Prepare,
    Phase::Free,
    Phase::Refresh,
    Phase::Size,
    Phase::Join,
    Phase::Healthy,
    Phase::Smoke,
    Phase::Shift,
    Phase::Bake,
    Phase::Settle,
    Phase::Verify,
    Phase::Retire,
    Phase::TakeBack,
    Phase::Undo,
    Phase::Done,
];
