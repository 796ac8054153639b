//! Single ticks: a situation, and what is done in it.

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

#[test]
fn a_newer_claim_stops_everything() {
    for phase in ALL {
        let next = tick(phase, |_, observation| observation.claim.highest = 6);
        assert!(next.actions.is_empty(), "{phase:?}");
        assert_eq!(next.end.map(|e| e.status), Some(Status::Superseded), "{phase:?}");
    }
}

#[test]
fn a_superseded_run_with_split_traffic_stays_until_the_other_acts() {
    let split = |observation: &mut Observation, age: i64, acting: bool| {
        observation.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
        let heartbeat = observation.now - jiff::SignedDuration::from_secs(age);
        observation.claim =
            Claim { highest: 6, successor: Some(Successor { heartbeat, is_acting: acting }) };
    };
    let next = tick(Phase::Bake, |_, observation| split(observation, 10, false));
    assert!(next.end.is_none() && !next.reclaim && next.actions.is_empty());
    let next = tick(Phase::Bake, |_, observation| split(observation, 10, true));
    assert!(next.end.is_some());
    let next = tick(Phase::Bake, |_, observation| split(observation, 600, false));
    assert!(next.reclaim && next.actions.is_empty());
}

#[test]
fn a_refresh_waits_until_the_group_has_been_idle_for_t() {
    let fresh = tick(Phase::Refresh, |_, _| {});
    assert!(actions(&fresh).is_empty());
    let idle = tick(Phase::Refresh, |record, observation| {
        facts(record).idle_since = Some(observation.now - jiff::SignedDuration::from_secs(60));
    });
    assert_eq!(actions(&idle), ["refresh green 8"]);
}

#[test]
fn a_refresh_of_unknown_result_is_found_and_not_started_again() {
    let mut next = tick(Phase::Refresh, |record, observation| {
        facts(record).idle_since = Some(ago(60));
        facts(record).refresh = Some(RefreshFacts { version: NEW, after: None, id: None });
        let mine = refresh("mine", RefreshStatus::Pending, NEW);
        observation.groups.get_mut("green").unwrap().refreshes.known().push(mine);
    });
    assert_eq!(actions(&next), [""; 0]);
    assert_eq!(waits_for(&next), Some("updating green to version 8"));
    let known = facts(&mut next.record).refresh.as_ref().unwrap();
    assert_eq!(known.id.as_deref(), Some("mine"));
}

#[test]
fn a_group_that_is_not_ready_loses_its_traffic_at_once() {
    for phase in
        [Phase::CancelScaleIn, Phase::Refresh, Phase::ScaleOut, Phase::AddToRules, Phase::Healthy]
    {
        let next = tick(phase, |_, observation| {
            observation.rules = rules(&[("tg-blue", 50), ("tg-green", 50)]);
        });
        assert!(next.act_before_saving, "{phase:?}");
        assert_eq!(
            actions(&next),
            ["forward r1 tg-blue=100 tg-green=0", "forward l1 tg-blue=100 tg-green=0"]
        );
    }
}

#[test]
fn a_scheduled_scale_in_that_is_due_is_left_to_run() {
    let scheduled = |due_in: i64| {
        tick(Phase::CancelScaleIn, |_, observation| {
            let green = observation.groups.get_mut("green").unwrap();
            green.scheduled_actions.known().push(scale_in(ago(-due_in)));
        })
    };
    // It may run up to two minutes late, and a request takes its time.
    for due_in in [180, 0, -180] {
        let next = scheduled(due_in);
        assert_eq!((actions(&next), next.record.phase), (vec![], Phase::CancelScaleIn), "{due_in}");
        assert_eq!(
            waits_for(&next),
            Some("the scheduled scale-in of green is due now: waiting until it has run")
        );
    }
    for due_in in [181, -181] {
        assert_eq!(actions(&scheduled(due_in)), ["unschedule green"], "{due_in}");
    }
}

/// The refresh to the previous version is active when an operator raises DesiredCapacity.
#[test]
fn a_group_is_not_scaled_in_during_its_refresh_to_the_previous_version() {
    let next = tick(Phase::Undo, |record, observation| {
        let green = observation.groups.get_mut("green").unwrap();
        green.group.capacity.desired = 2;
        green.refreshes.known().push(refresh("back", RefreshStatus::InProgress, OLD));
        let facts = facts(record);
        facts.idle_since = Some(start() - jiff::SignedDuration::from_secs(600));
        facts.sides.green.min_sizes_set = vec![4];
        let id = Some("back".to_owned());
        facts.refresh = Some(RefreshFacts { version: OLD, after: None, id });
    });
    assert_eq!(actions(&next), [""; 0]);
    assert_eq!(next.record.phase, Phase::Undo);
}

#[test]
fn a_lower_share_than_the_previous_step_rolls_back() {
    let next = tick(Phase::Shift, |record, observation| {
        facts(record).step = 1;
        observation.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
    });
    assert_eq!(next.record.phase, Phase::Undo);
    assert!(next.actions.is_empty());
}

#[test]
fn a_group_that_cannot_grow_enough_is_refused() {
    let next = tick(Phase::ScaleOut, |_, observation| {
        observation.groups.get_mut("green").unwrap().group.capacity.max = 3;
    });
    assert_eq!(next.record.phase, Phase::Undo);
    assert!(next.record.reason.unwrap().contains("MaxSize is 3"));
}

#[test]
fn neither_side_healthy_keeps_the_weights() {
    let next = tick(Phase::Bake, |record, observation| {
        facts(record).floor = 1;
        observation.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
        for group in observation.groups.values_mut() {
            group.targets.iter_mut().for_each(|t| t.health = TargetHealth::Unhealthy);
        }
    });
    assert_eq!(next.record.phase, Phase::RestoreTraffic);
    assert_eq!(actions(&next), ["minimum blue 4"]);
}

#[test]
fn a_final_refusal_rolls_back_or_ends_as_stuck() {
    let forward =
        tick(Phase::AddToRules, |_, observation| observation.refused = Some("denied".to_owned()));
    assert_eq!(forward.record.phase, Phase::Undo);
    let back = tick(Phase::Undo, |_, observation| observation.refused = Some("denied".to_owned()));
    assert_eq!(back.end.map(|e| e.status), Some(Status::Stuck));
}

/// AWS refuses the scheduled scale-in; both MinSizes are put in order all the same.
#[test]
fn a_refused_scale_in_still_restores_both_min_sizes() {
    let mut pins = Vec::new();
    for (blue, green) in [(4, 4), (4, 2), (2, 2)] {
        let next = tick(Phase::ScheduleScaleIn, |record, observation| {
            let facts = facts(record);
            facts.weighted = true;
            facts.sides.blue.min_sizes_set = vec![4];
            facts.sides.green.min_sizes_set = vec![4];
            observation.rules = rules(&[("tg-green", 1)]);
            observation.groups.get_mut("blue").unwrap().group.capacity.min = blue;
            observation.groups.get_mut("green").unwrap().group.capacity.min = green;
            observation.refused = Some("denied".to_owned());
        });
        pins.push((actions(&next), next.end.map(|end| end.status)));
    }
    assert_eq!(
        pins,
        [
            (vec!["minimum green 2".to_owned()], None),
            (vec!["minimum blue 2".to_owned()], None),
            (vec![], Some(Status::Succeeded)),
        ]
    );
}

/// A late read is not an external change, but one that persists is.
#[test]
fn stale_weights_are_observed_again_for_a_moment() {
    let reads = |after: i64, weights: &[(&str, u16)]| {
        tick(Phase::Bake, |record, observation| {
            facts(record).shifted = Some(observation.now - jiff::SignedDuration::from_secs(after));
            observation.rules = rules(weights);
        })
    };
    let before: &[(&str, u16)] = &[("tg-blue", 100), ("tg-green", 0)];
    assert_eq!(reads(5, before).record.phase, Phase::Bake);
    assert_ne!(reads(15, before).record.phase, Phase::Bake);
    // A share that was never set cannot be a late read.
    assert_eq!(reads(5, &[("tg-blue", 50), ("tg-green", 50)]).record.phase, Phase::RestoreTraffic);
}

/// The wait for a missing rule begins when it is first observed, no matter how old the phase is.
#[test]
fn a_briefly_missing_rule_is_waited_for_in_an_old_phase_too() {
    let ruleless = |since: Option<i64>| {
        tick(Phase::RestoreTraffic, |record, observation| {
            record.since = observation.now - jiff::SignedDuration::from_secs(300);
            facts(record).ruleless_since =
                since.map(|s| observation.now - jiff::SignedDuration::from_secs(s));
            observation.rules.clear();
        })
    };
    assert!(ruleless(None).end.is_none());
    assert!(ruleless(Some(50)).end.is_none());
    assert_eq!(ruleless(Some(70)).end.map(|e| e.status), Some(Status::Stuck));
}

#[test]
fn a_rule_that_appears_late_may_still_disappear() {
    let busy = |since: Option<i64>| {
        tick(Phase::Undo, |record, observation| {
            record.since = observation.now - jiff::SignedDuration::from_secs(900);
            facts(record).kept_busy_since =
                since.map(|s| observation.now - jiff::SignedDuration::from_secs(s));
            observation.groups.get_mut("green").unwrap().group.capacity.min = 4;
            facts(record).sides.green.min_sizes_set = vec![4];
            observation.other_rules = Reading::Read(rules(&[("tg-green", 1)]));
        })
    };
    assert!(busy(None).end.is_none());
    assert_eq!(busy(Some(900)).end.map(|e| e.status), Some(Status::Stuck));
}

/// The time without traffic may begin in these phases, so every rule that sends traffic must be read.
#[test]
fn other_rules_are_read_wherever_the_idle_time_may_begin() {
    let looked_at = |phase| needs(&plan(&[10, 100]), &record(phase)).other_rules;
    assert!(
        [Phase::TakeOver, Phase::CancelScaleIn, Phase::RestoreTraffic, Phase::Undo]
            .into_iter()
            .all(looked_at)
    );
}
