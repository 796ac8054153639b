//! Which targets and rules count for a step, and which for a rollback.

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Green has scaled out by itself to six instances, and blue has four.
#[test]
fn a_side_that_has_lost_half_of_the_traffic_needs_what_the_larger_group_has() {
    let rolled_back = |green: u16| {
        tick(Phase::RestoreTraffic, |_, observation| {
            observation.groups.insert("green".to_owned(), group("green", (0, 6, 6), NEW));
            observation.rules = rules(&[("tg-blue", 100 - green), ("tg-green", green)]);
        })
    };
    let restored = ["forward r1 tg-blue=100 tg-green=0", "forward l1 tg-blue=100 tg-green=0"];
    assert_eq!(actions(&rolled_back(49)), restored);
    assert_eq!(actions(&rolled_back(50)), ["minimum blue 6"]);
}

/// Cross-zone load balancing is off, so each zone's share of the traffic needs a target there.
#[test]
fn every_zone_needs_a_ready_target() {
    let shifts = |zones: [&str; 4], share: u16| {
        let mut plan = plan(&[10, 100]);
        pair(&mut plan).zones = vec!["a".to_owned(), "b".to_owned()];
        tick_of(
            &plan,
            if share == 0 { Phase::Healthy } else { Phase::Bake },
            |record, observation| {
                let mut green = group("green", (0, 6, 4), NEW);
                for (instance, zone) in green.group.instances.iter_mut().zip(zones) {
                    instance.zone = zone.to_owned();
                }
                observation.groups.insert("green".to_owned(), green);
                facts(record).floor = 1;
                observation.rules = rules(&[("tg-blue", 100 - share), ("tg-green", share)]);
            },
        )
        .record
        .phase
    };
    assert_eq!(shifts(["a", "a", "b", "b"], 0), Phase::Shift);
    assert_eq!(shifts(["a", "a", "a", "a"], 0), Phase::Healthy);
    assert_eq!(shifts(["a", "a", "a", "b"], 10), Phase::Bake);
    assert_eq!(shifts(["a", "a", "a", "a"], 10), Phase::RestoreTraffic);
}

/// The test rule sends smoke tests to the new side, and nobody else.
#[test]
fn what_the_test_rule_sends_is_no_traffic() {
    let mut plan = plan(&[10, 100]);
    let test = RuleId::Rule("test".to_owned());
    pair(&mut plan).test_rule = Some(test.clone());
    let next = tick_of(&plan, Phase::ScaleOut, |_, observation| {
        let mut rule = observation.rules[0].clone();
        rule.id = test;
        rule.forward = Some(Forward::only("tg-green"));
        observation.rules.insert(0, rule);
    });
    assert_eq!(actions(&next), ["minimum green 4"], "{}", reason(&next));
}

#[test]
fn a_rule_outside_the_plan_counts_only_if_it_sends_traffic() {
    let refreshed = |weight: u16| {
        tick(Phase::Refresh, |record, observation| {
            facts(record).idle_since = Some(ago(60));
            observation.other_rules =
                Reading::Read(rules(&[("tg-other", 1), ("tg-green", weight)]));
        })
    };
    assert_eq!(actions(&refreshed(0)), ["refresh green 8"]);
    let busy = refreshed(1);
    assert_eq!((actions(&busy), busy.record.phase), (vec![], Phase::Undo));
    assert_eq!(reason(&busy), "r1 sends traffic to green, but is not a rule of this rollout");
}

/// Somebody sends a part of the traffic elsewhere, as to a page about maintenance.
#[test]
fn a_third_target_group_with_traffic_ends_a_rollout() {
    let with = |phase, weight: u16| {
        tick(phase, |record, observation| {
            facts(record).weighted = phase == Phase::Undo;
            observation.rules = rules(&[("tg-blue", 100 - weight), ("tg-third", weight)]);
        })
    };
    assert_eq!(with(Phase::CancelScaleIn, 0).record.phase, Phase::Refresh);
    let next = with(Phase::CancelScaleIn, 10);
    assert_eq!(next.record.phase, Phase::Undo);
    assert!(reason(&next).ends_with("r1 forwards to tg-third, which belongs to neither side"));
    assert!(notices(&next).ends_with("which belongs to neither side: left as it is"));
    // The end does not claim that all traffic is back.
    let message = |weight| with(Phase::Undo, weight).end.unwrap().message;
    assert!(message(0).starts_with("all traffic is back on blue, version 7: "));
    assert!(message(10).starts_with("green receives no traffic; blue, version 7, receives what "));
}
