//! A step of a shift: its gate, its weights, and what ends it.

use std::collections::BTreeMap;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick of a step with both groups ready and the new side at `share`.
fn step(
    phase: Phase,
    step: usize,
    share: u16,
    change: impl FnOnce(&mut Plan, &mut Record, &mut Observation),
) -> Decision {
    let mut plan = plan(&[10, 100]);
    let (mut record, mut observation) = (record(phase), observation());
    facts(&mut record).step = step;
    observation.groups.insert("blue".to_owned(), group("blue", (4, 6, 4), OLD));
    observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
    observation.rules = rules(&[("tg-blue", 100 - share), ("tg-green", share)]);
    change(&mut plan, &mut record, &mut observation);
    decide(&plan, &record, &observation)
}

fn rolls_back(next: &Decision) -> bool {
    matches!(next.record.phase, Phase::RestoreTraffic | Phase::Undo)
}

const FIRST: [&str; 2] = ["forward r1 tg-blue=90 tg-green=10", "forward l1 tg-blue=90 tg-green=10"];

#[test]
fn a_share_outside_of_the_step_is_an_external_change() {
    let shifted = |at: usize, first: u16, second: u16| {
        step(Phase::Shift, at, first, |_, _, observation| {
            observation.rules[1] =
                rules(&[("tg-blue", 100 - second), ("tg-green", second)]).remove(1);
        })
    };
    assert_eq!(actions(&shifted(0, 0, 0)), FIRST);
    // One request took effect, and the other did not: only the missing one is sent again.
    assert_eq!(actions(&shifted(0, 10, 0)), FIRST[1..]);
    assert_eq!(actions(&shifted(1, 10, 10)).len(), 2);
    assert_eq!(shifted(0, 10, 10).record.phase, Phase::Bake);
    let external = "an external change set the new side's share to ";
    for (at, first, second, share) in
        [(0, 0, 11, "0–11%"), (0, 11, 11, "11%"), (1, 9, 10, "9–10%"), (1, 9, 100, "9–100%")]
    {
        let next = shifted(at, first, second);
        assert!(rolls_back(&next), "{share}");
        assert_eq!(reason(&next), format!("{external}{share}"));
    }
}

#[test]
fn an_alarm_says_nothing_about_a_version_without_traffic() {
    let alarmed = |share| {
        step(Phase::Shift, usize::from(share > 0), share, |plan, _, observation| {
            plan.judge.alarms = vec!["p99".to_owned()];
            let alarms = BTreeMap::from([("p99".to_owned(), AlarmState::Alarm)]);
            observation.alarms = Reading::Read(alarms);
        })
    };
    assert_eq!(actions(&alarmed(0)), FIRST);
    assert!(rolls_back(&alarmed(10)));
}

#[test]
fn a_gate_that_does_not_open_in_time_rolls_back() {
    let at = |after| {
        step(Phase::Shift, 0, 0, |_, record, observation| {
            record.since = ago(after);
            let green = observation.groups.get_mut("green").unwrap();
            green.targets.iter_mut().for_each(|t| t.health = TargetHealth::Initial);
            green.group.suspended = vec!["AddToLoadBalancer".to_owned()];
        })
    };
    const SHUT: &str =
        "0 of 1 targets are ready, but green has suspended processes: AddToLoadBalancer";
    let waiting = at(600);
    assert_eq!(waits_for(&waiting), Some(format!("the gate for 10% is not open: {SHUT}").as_str()));
    assert_eq!(deadline(&waiting), Some(0));
    assert_eq!(reason(&at(601)), format!("the gate for 10% did not open in time: {SHUT}"));
}

/// What the gate waits for, or the changes that it sends first.
fn gate(change: impl FnOnce(&mut Record, &mut Observation)) -> String {
    let next = step(Phase::Shift, 0, 0, |_, record, observation| change(record, observation));
    assert_eq!(next.record.phase, Phase::Shift);
    waits_for(&next).map_or_else(|| actions(&next).join(", "), str::to_owned)
}

/// A scheduled action would change the number of instances during the step.
#[test]
fn no_step_begins_with_a_scale_in_ahead() {
    for color in ["blue", "green"] {
        let scheduled = gate(|_, observation| {
            let group = observation.groups.get_mut(color).unwrap();
            group.scheduled_actions.known().push(scale_in(ago(-86_400)));
        });
        assert_eq!(scheduled, format!("unschedule {color}"));
    }
    let nightly = |due_in: i64| {
        gate(|_, observation| {
            let nightly = ScheduledAction { name: "night".to_owned(), ..scale_in(ago(-due_in)) };
            observation.groups.get_mut("green").unwrap().scheduled_actions.known().push(nightly);
        })
    };
    // The step bakes for two minutes.
    assert_eq!(
        nightly(120),
        "the gate for 10% is not open: the scheduled action `night` is due before the next gate"
    );
    assert_eq!(nightly(121), FIRST.join(", "));
}

#[test]
fn both_groups_keep_their_size_while_a_step_lasts() {
    let sized = |blue, green| {
        gate(|_, observation| {
            observation.groups.insert("blue".to_owned(), group("blue", blue, OLD));
            observation.groups.insert("green".to_owned(), group("green", green, NEW));
        })
    };
    assert_eq!(sized((4, 6, 4), (4, 6, 4)), FIRST.join(", "));
    // Its scaling policy would remove instances as soon as traffic falls.
    assert_eq!(sized((3, 6, 4), (4, 6, 4)), "minimum blue 4");
    // The live group has grown since the new one was scaled out.
    assert_eq!(sized((5, 6, 5), (4, 6, 4)), "minimum green 5");
    assert_eq!(sized((5, 6, 5), (4, 4, 4)), FIRST.join(", "));
    assert_eq!(sized((4, 6, 4), (5, 6, 5)), FIRST.join(", "));
}

#[test]
fn a_group_that_launches_another_version_is_an_external_change() {
    let launches = |color: &str, source: TemplateSource| {
        step(Phase::Shift, 0, 0, |_, _, observation| {
            observation.groups.get_mut(color).unwrap().group.source = source;
        })
    };
    let other = || TemplateSource::Template(template(9));
    assert_eq!(
        waits_for(&launches("green", other())),
        Some(
            "the gate for 10% is not open: an external change made green launch from version 9 of lt-1"
        )
    );
    assert_eq!(
        waits_for(&launches("green", TemplateSource::Other)),
        Some(
            "the gate for 10% is not open: an external change made green launch from no launch template"
        )
    );
    let old = launches("blue", other());
    assert_eq!(actions(&old), FIRST);
    assert_eq!(
        notices(&old),
        "an external change made blue launch from version 9 of lt-1: a rollback relies only on the instances that it launched before"
    );
    assert_eq!(notices(&step(Phase::Shift, 0, 0, |_, _, _| {})), "");
}

/// With group stickiness, the last step takes the old group out of the rule; the test rule keeps its health checks.
#[test]
fn the_test_rule_moves_to_the_old_side_only_before_a_sticky_rules_last_step() {
    let shifted = |sticky: Option<u32>, test: &str, at: usize| {
        let next =
            step(Phase::Shift, at, if at == 0 { 0 } else { 10 }, |plan, record, observation| {
                let id = RuleId::Rule("test".to_owned());
                pair(plan).test_rule = Some(id.clone());
                facts(record).rules[0].sticky = sticky;
                facts(record).weighted = true;
                let forward = Some(Forward::only(test));
                let rule = Rule { id, forward, ..observation.rules[0].clone() };
                observation.rules.push(rule);
            });
        actions(&next).first().cloned().unwrap_or_default()
    };
    assert_eq!(shifted(Some(600), "tg-green", 0), FIRST[0]);
    assert_eq!(shifted(Some(600), "tg-green", 1), "forward test tg-blue=1");
    assert_eq!(shifted(Some(600), "tg-blue", 1), "forward r1 tg-green=1");
    assert_eq!(shifted(None, "tg-green", 1), "forward r1 tg-blue=0 tg-green=100");
}

#[test]
fn a_step_bakes_for_its_time_and_until_there_is_evidence() {
    let baked = |after, requests| {
        step(Phase::Bake, 0, 10, |_, record, observation| {
            record.since = ago(after);
            facts(record).shifted = Some(ago(600));
            let minutes = vec![(ago(300), Counts { requests, errors: 0 })];
            observation.counts.known().insert("tg-green".to_owned(), TargetGroupCounts { minutes });
        })
    };
    assert_eq!(
        waits_for(&baked(120, 100)),
        Some("baking at 10% of the traffic for at least 120 s")
    );
    assert_eq!(baked(121, 100).record.phase, Phase::Shift);
    let waiting = baked(1800, 99);
    assert_eq!((waiting.record.phase, deadline(&waiting)), (Phase::Bake, Some(0)));
    assert_eq!(
        waits_for(&waiting),
        Some("0 of 99 requests failed (0.00%); the limit is 1.00%; 100 are needed")
    );
    let late = baked(1801, 99);
    assert!(rolls_back(&late));
    assert!(reason(&late).starts_with("not enough evidence in time: 0 of 99 requests failed"));
}

#[test]
fn every_rule_must_keep_exactly_the_steps_weights() {
    let weights = |first: &[(&str, u16)], second: &[(&str, u16)]| {
        let next = step(Phase::Bake, 0, 10, |_, _, observation| {
            observation.rules = vec![rules(first).remove(0), rules(second).remove(1)];
        });
        (rolls_back(&next), next)
    };
    let held = [("tg-blue", 90), ("tg-green", 10)];
    assert!(!weights(&held, &held).0);
    for other in [0, 9, 11, 100] {
        let other = [("tg-blue", 100 - other), ("tg-green", other)];
        assert!(weights(&held, &other).0, "{other:?}");
        assert!(weights(&other, &held).0, "{other:?}");
    }
    let message = reason(&weights(&held, &[("tg-blue", 100), ("tg-green", 0)]).1).to_owned();
    assert_eq!(
        message,
        "an external change set the weights: the new side has 0–10% instead of 10%"
    );
}

/// A weight of 1 beside 999 is rounded up to 1%, and 999 to 100%.
#[test]
fn a_little_traffic_on_the_old_side_is_not_the_last_step() {
    let settled = |blue: u16, green: u16| {
        step(Phase::Settle, 1, 100, |_, record, observation| {
            facts(record).shifted = Some(ago(60));
            observation.rules = rules(&[("tg-blue", blue), ("tg-green", green)]);
        })
        .record
        .phase
    };
    assert_eq!(settled(0, 999), Phase::Settle);
    assert_eq!(settled(1, 999), Phase::RestoreTraffic);
}

/// AWS's rules are read from several hosts.
#[test]
fn a_read_is_taken_for_a_late_one_for_ten_seconds() {
    let read = |after: i64, green: u16| {
        step(Phase::Bake, 0, green, |_, record, _| {
            facts(record).shifted = Some(ago(after));
        })
    };
    assert_eq!(
        waits_for(&read(9, 0)),
        Some("AWS does not return the new weights for every rule yet")
    );
    assert!(rolls_back(&read(10, 0)));
    assert!(rolls_back(&read(9, 11)));
}

#[test]
fn a_step_is_held_to_what_its_gate_asked_for() {
    let ready = |ready: usize, floor: u32, share: u16| {
        step(Phase::Bake, usize::from(share == 100), share, |_, record, observation| {
            facts(record).floor = floor;
            let green = observation.groups.get_mut("green").unwrap();
            green.targets.iter_mut().skip(ready).for_each(|t| t.health = TargetHealth::Unhealthy);
        })
    };
    assert_eq!(ready(3, 3, 100).record.phase, Phase::Bake);
    assert!(rolls_back(&ready(2, 3, 100)));
    assert_eq!(
        reason(&ready(2, 3, 100)),
        "only 2 of 3 needed targets of the new version are healthy"
    );
    // The groups have become smaller since.
    assert_eq!(ready(1, 3, 10).record.phase, Phase::Bake);
    assert!(rolls_back(&ready(0, 3, 10)));
}

/// CloudWatch has no data for one alarm; errors count all the same, and an alarm that goes off wins.
#[test]
fn a_step_needs_every_alarm_and_its_evidence() {
    let judged = |state, errors| {
        let next = step(Phase::Bake, 0, 10, |plan, record, observation| {
            plan.judge.alarms = vec!["p99".to_owned()];
            observation.alarms = Reading::Read(BTreeMap::from([("p99".to_owned(), state)]));
            record.since = ago(300);
            facts(record).shifted = Some(ago(600));
            let minutes = vec![(ago(300), Counts { requests: 100, errors })];
            observation.counts.known().insert("tg-green".to_owned(), TargetGroupCounts { minutes });
        });
        let waits = waits_for(&next).map(str::to_owned);
        (next.record.phase, waits.unwrap_or_else(|| reason(&next).to_owned()))
    };
    assert_eq!(judged(AlarmState::Ok, 0), (Phase::Shift, String::new()));
    let no_data = "the alarm `p99` has insufficient data".to_owned();
    assert_eq!(judged(AlarmState::InsufficientData, 0), (Phase::Bake, no_data));
    let errors = "50 of 100 requests failed (50.00%); the limit is 1.00%".to_owned();
    assert_eq!(judged(AlarmState::InsufficientData, 50), (Phase::RestoreTraffic, errors));
    let alarm = "the alarm `p99` is in ALARM state".to_owned();
    assert_eq!(judged(AlarmState::Alarm, 0), (Phase::RestoreTraffic, alarm));
}
