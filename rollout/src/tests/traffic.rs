//! Rules that disappear, and what is remembered about traffic and sizes.

use jiff::Timestamp;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

fn goes_forward(phase: Phase) -> bool {
    phase > Phase::Prepare && phase < Phase::RestoreTraffic
}

/// A run that has changed nothing yet, and one that rolls back, work with the rules that are left.
#[test]
fn a_deleted_rule_ends_a_rollout_that_goes_forward() {
    const DELETED: &str = "a rule of this rollout was deleted, or no longer forwards";
    for phase in ALL {
        let next = tick(phase, |_, observation| drop(observation.rules.pop()));
        assert_eq!(reason(&next) == DELETED, goes_forward(phase), "{phase:?}: {}", reason(&next));
        let redirects = tick(phase, |_, observation| observation.rules[0].forward = None);
        assert_eq!(reason(&redirects) == DELETED, goes_forward(phase), "{phase:?}");
    }
}

#[test]
fn a_deleted_test_rule_ends_a_rollout_that_goes_forward() {
    let mut plan = plan(&[10, 100]);
    let test = RuleId::Rule("test".to_owned());
    pair(&mut plan).test_rule = Some(test.clone());
    for phase in ALL {
        let next = |forward: Option<Forward>| {
            tick_of(&plan, phase, |_, observation| {
                let rule = Rule { id: test.clone(), forward, ..observation.rules[0].clone() };
                observation.rules.push(rule);
            })
        };
        let rolls_back =
            |next: &Decision| next.events.iter().any(|e| matches!(e, Event::RollingBack { .. }));
        let there = next(Some(Forward::only("tg-green")));
        assert!(!reason(&there).contains("was deleted"), "{phase:?}: {}", reason(&there));
        assert_eq!(rolls_back(&next(None)), goes_forward(phase), "{phase:?}");
    }
}

#[test]
fn traffic_is_restored_by_the_rules_that_are_left() {
    let next = tick(Phase::RestoreTraffic, |record, observation| {
        record.since = ago(30);
        observation.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
        observation.rules.pop();
    });
    assert_eq!(actions(&next), ["forward r1 tg-blue=100 tg-green=0"]);
    assert_eq!(next.record.since, ago(30), "the deadline does not begin again");
}

/// What a tick remembers about the new side's traffic; nothing is decided in Prepare.
fn remembered(
    change: impl FnOnce(&mut TwoGroupsFacts, &mut Observation),
) -> (Option<Timestamp>, Option<Timestamp>, Option<Timestamp>) {
    let mut next = tick(Phase::Prepare, |record, observation| change(facts(record), observation));
    let facts = facts(&mut next.record);
    (facts.idle_since, facts.kept_busy_since, facts.ruleless_since)
}

#[test]
fn the_time_without_traffic_begins_when_it_is_first_observed() {
    assert_eq!(remembered(|_, _| {}), (Some(start()), None, None));
    assert_eq!(remembered(|facts, _| facts.idle_since = Some(ago(9))).0, Some(ago(9)));
    let share = rules(&[("tg-blue", 90), ("tg-green", 10)]);
    let shared = remembered(|facts, observation| {
        facts.idle_since = Some(ago(9));
        observation.rules = share.clone();
    });
    assert_eq!(shared, (None, None, None));
    // A rule outside the plan counts, too.
    let busy = |since: Option<Timestamp>| {
        remembered(|facts, observation| {
            (facts.idle_since, facts.kept_busy_since) = (Some(ago(9)), since);
            observation.other_rules = Reading::Read(rules(&[("tg-green", 1)]));
        })
    };
    assert_eq!(busy(None), (None, Some(start()), None));
    assert_eq!(busy(Some(ago(5))), (None, Some(ago(5)), None));
    // It ends when that rule no longer sends any.
    let over = remembered(|facts, _| facts.kept_busy_since = Some(ago(5)));
    assert_eq!(over, (Some(start()), None, None));
}

/// In phases that do not read the other rules, the time without traffic may continue, but not begin.
#[test]
fn the_time_without_traffic_does_not_begin_where_other_rules_are_not_read() {
    let unread = |since: Option<Timestamp>, weight: u16| {
        remembered(|facts, observation| {
            (facts.idle_since, facts.kept_busy_since) = (since, Some(ago(5)));
            observation.other_rules = Reading::NotRead;
            observation.rules = rules(&[("tg-blue", 100 - weight), ("tg-green", weight)]);
        })
    };
    assert_eq!(unread(None, 0), (None, None, None));
    assert_eq!(unread(Some(ago(9)), 0), (Some(ago(9)), None, None));
    assert_eq!(unread(Some(ago(9)), 10), (None, None, None));
}

#[test]
fn no_rule_for_longer_than_t_is_more_than_a_late_read() {
    let ruleless = |since: Option<i64>| {
        tick(Phase::RestoreTraffic, |record, observation| {
            facts(record).ruleless_since = since.map(ago);
            observation.rules.clear();
        })
    };
    assert_eq!(facts(&mut ruleless(None).record).ruleless_since, Some(start()));
    assert_eq!(ruleless(Some(60)).end, None);
    assert_eq!(ruleless(Some(61)).end.map(|end| end.status), Some(Status::Stuck));
    let back = tick(Phase::RestoreTraffic, |record, _| {
        facts(record).ruleless_since = Some(ago(61));
    });
    assert_eq!(facts(&mut back.record.clone()).ruleless_since, None);
}

/// A rule that nobody declared keeps sending traffic to the group that is to be scaled in.
#[test]
fn a_group_that_never_becomes_idle_makes_a_rollback_stuck_after_the_deadline() {
    let busy = |seconds: i64| {
        tick(Phase::Undo, |record, observation| {
            facts(record).kept_busy_since = Some(ago(seconds));
            facts(record).sides.green.min_sizes_set = vec![4];
            observation.groups.get_mut("green").unwrap().group.capacity.min = 4;
            observation.other_rules = Reading::Read(rules(&[("tg-green", 1)]));
        })
    };
    assert_eq!((busy(600).end, deadline(&busy(600))), (None, Some(600)));
    let stuck = busy(601).end.unwrap();
    assert_eq!(stuck.status, Status::Stuck);
    assert_eq!(stuck.message, "r1 sends traffic to green, but is not a rule of this rollout");
}

/// Blue's configuration names another version than the one that its instances run, as after `cutover adopt`.
#[test]
fn a_rollback_relies_on_instances_that_were_live_before_and_a_step_does_not() {
    let healthy = |color: Color, phase| {
        tick(phase, |record, observation| {
            facts(record).sides[color].running = vec![5];
            let name = color.to_string();
            let seen_group = observation.groups.get_mut(&name).unwrap();
            *seen_group = group(&name, (2, 6, 4), if color == Color::Blue { OLD } else { NEW });
            seen_group.group.instances.iter_mut().for_each(|i| i.template = Some(template(5)));
            if phase == Phase::RestoreTraffic {
                observation.rules = rules(&[("tg-blue", 90), ("tg-green", 10)]);
            }
        })
    };
    let restored = ["forward r1 tg-blue=100 tg-green=0", "forward l1 tg-blue=100 tg-green=0"];
    assert_eq!(actions(&healthy(Color::Blue, Phase::RestoreTraffic)), restored);
    assert_eq!(healthy(Color::Green, Phase::Healthy).record.phase, Phase::Healthy);
}

/// What was read before the claim may be outdated; what a predecessor read may be of another role.
#[test]
fn a_groups_own_size_is_read_once_right_before_it_is_changed() {
    let scaled_out = |continues: Option<u64>, set: Vec<u32>, desired: u32| {
        let mut next = tick(Phase::ScaleOut, |record, observation| {
            record.continues = continues;
            let side = &mut facts(record).sides.green;
            (side.min, side.empty, side.min_sizes_set) = (9, true, set);
            observation.groups.insert("green".to_owned(), group("green", (1, 6, desired), NEW));
        });
        assert_eq!(actions(&next), ["minimum green 4"]);
        let side = facts(&mut next.record).sides.green.clone();
        (side.min, side.empty, side.min_sizes_set)
    };
    assert_eq!(scaled_out(None, vec![], 1), (1, false, vec![4]));
    assert_eq!(scaled_out(None, vec![], 0), (1, true, vec![4]));
    assert_eq!(scaled_out(None, vec![3], 1), (9, true, vec![3, 4]));
    assert_eq!(scaled_out(Some(4), vec![], 1), (9, true, vec![4]));
    // Sent again, because the first request was lost: the record does not grow.
    assert_eq!(scaled_out(None, vec![4], 1), (9, true, vec![4]));
}

/// One of two rules has group stickiness.
#[test]
fn each_rule_keeps_its_own_stickiness() {
    let next = tick(Phase::Shift, |record, observation| {
        facts(record).rules[0].sticky = Some(600);
        observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
        observation.groups.insert("blue".to_owned(), group("blue", (4, 6, 4), OLD));
        observation.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
    });
    let stickiness: Vec<Option<u32>> = next
        .actions
        .iter()
        .map(|action| match action {
            Action::SetForward { forward, .. } => forward.stickiness.map(|s| s.seconds),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(stickiness, [Some(600), None]);
}

/// The scale-in cannot be scheduled. The new version is proven, so the rollout succeeds all the same.
#[test]
fn a_refused_scale_in_is_reported_and_succeeds_at_the_deadline() {
    let refused = |after| {
        tick(Phase::ScheduleScaleIn, |record, observation| {
            record.since = ago(after);
            facts(record).sides.green.min_sizes_set = vec![4];
            observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
            observation.rules = rules(&[("tg-green", 1)]);
            observation.refused = Some("AccessDenied".to_owned());
        })
    };
    assert_eq!(actions(&refused(600)), ["minimum green 2"]);
    assert_eq!(notices(&refused(600)), "the old group must be scaled in by hand: AccessDenied");
    assert_eq!(refused(601).end.map(|end| end.status), Some(Status::Succeeded));
}
