//! The end of a rollout: traffic has left the old side, success is proven, and sizes are put in order.

use std::time::Duration;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick with all traffic on green since 400 s, and both MinSizes raised to 4.
fn shifted(
    phase: Phase,
    change: impl FnOnce(&mut Plan, &mut Record, &mut Observation),
) -> Decision {
    let mut plan = plan(&[100]);
    let (mut record, mut observation) = (record(phase), observation());
    let known = facts(&mut record);
    (known.shifted, known.weighted) = (Some(ago(400)), true);
    known.sides.blue.min_sizes_set = vec![4];
    known.sides.green.min_sizes_set = vec![4];
    observation.groups.insert("blue".to_owned(), group("blue", (4, 6, 4), OLD));
    observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
    observation.rules = rules(&[("tg-blue", 0), ("tg-green", 100)]);
    change(&mut plan, &mut record, &mut observation);
    decide(&plan, &record, &observation)
}

/// Minutes by when they began, in seconds ago, and their requests.
type Minutes<'a> = &'a [(i64, u64)];

/// Settles with these minutes of the old side and of the new one.
fn settled(after: i64, old: Minutes<'_>, new: Minutes<'_>) -> Decision {
    shifted(Phase::Settle, |_, record, observation| {
        record.since = ago(after);
        for (side, minutes) in [("tg-blue", old), ("tg-green", new)] {
            let minutes = minutes
                .iter()
                .map(|(began, requests)| (ago(*began), Counts { requests: *requests, errors: 0 }));
            let counts = TargetGroupCounts { minutes: minutes.collect() };
            observation.counts.known().insert(side.to_owned(), counts);
        }
    })
}

#[test]
fn a_counted_minute_without_requests_ends_the_old_sides_traffic() {
    let ended =
        |old: Minutes<'_>, new: Minutes<'_>| settled(0, old, new).record.phase == Phase::Verify;
    assert!(ended(&[(300, 0)], &[]));
    // A minute without requests may be missing; the new side shows that it was counted.
    assert!(ended(&[], &[(300, 100)]));
    assert!(ended(&[(300, 5)], &[(300, 100), (240, 100)]));
    assert!(!ended(&[], &[]));
    assert!(!ended(&[(300, 5)], &[(300, 100)]));
    assert!(!ended(&[(300, 0), (240, 1)], &[(300, 100), (240, 100)]));
    // Minutes that begin less than T after the shift don't count, for either side.
    assert!(ended(&[(341, 5), (340, 0)], &[]));
    assert!(!ended(&[(340, 5)], &[(340, 100)]));
    assert!(!ended(&[(341, 0)], &[(341, 100)]));
    // A minute may still change until two minutes after its end.
    assert!(ended(&[], &[(180, 100)]));
    assert!(!ended(&[], &[(179, 100)]));
}

#[test]
fn traffic_that_does_not_end_rolls_back_at_the_deadline() {
    let busy = |after| settled(after, &[(300, 5)], &[(300, 100)]);
    assert_eq!(
        waits_for(&busy(1800)),
        Some("CloudWatch has not yet counted a minute without traffic to the old side")
    );
    assert_eq!(deadline(&busy(0)), Some(1800));
    assert_eq!(busy(1801).record.phase, Phase::RestoreTraffic);
    assert_eq!(
        reason(&busy(1801)),
        "the old side still receives requests: its traffic did not end in time"
    );
}

#[test]
fn a_service_without_requests_is_settled_after_the_deadline_for_health() {
    assert_eq!(settled(600, &[], &[]).record.phase, Phase::Settle);
    let settled = settled(601, &[], &[]);
    assert_eq!(settled.record.phase, Phase::Verify);
    assert_eq!(
        notices(&settled),
        "CloudWatch has counted no requests on either side since the shift"
    );
}

#[test]
fn counts_that_were_not_read_settle_nothing() {
    let unread = shifted(Phase::Settle, |_, record, observation| {
        record.since = ago(700);
        observation.counts = Reading::NotRead;
    });
    assert_eq!(unread.record.phase, Phase::Settle);
    assert_eq!(waits_for(&unread), Some("request counts have not been read"));
    assert_eq!(deadline(&unread), Some(1100));
}

/// A run that resumes here has not observed the shift, so the wait begins again.
#[test]
fn a_resumed_run_settles_from_its_own_first_observation() {
    let mut resumed = shifted(Phase::Settle, |_, record, observation| {
        facts(record).shifted = None;
        let minutes = vec![(ago(300), Counts { requests: 100, errors: 0 })];
        observation.counts.known().insert("tg-green".to_owned(), TargetGroupCounts { minutes });
    });
    assert_eq!(resumed.record.phase, Phase::Settle);
    assert_eq!(facts(&mut resumed.record).shifted, Some(start()));
}

#[test]
fn success_that_is_not_proven_in_time_rolls_back() {
    let verified = |after, health| {
        shifted(Phase::Verify, |_, record, observation| {
            record.since = ago(after);
            observation.groups.get_mut("green").unwrap().targets[0].health = health;
        })
    };
    let waiting = verified(600, TargetHealth::Unhealthy);
    assert_eq!((waiting.record.phase, deadline(&waiting)), (Phase::Verify, Some(0)));
    assert_eq!(waits_for(&waiting), Some("3 of 4 targets are healthy"));
    let late = verified(601, TargetHealth::Unhealthy);
    assert_eq!(late.record.phase, Phase::RestoreTraffic);
    assert_eq!(reason(&late), "success could not be proven: 3 of 4 targets are healthy");
    assert_eq!(verified(601, TargetHealth::Healthy).record.phase, Phase::ScheduleScaleIn);
}

/// What the last phase sends, reports and ends with.
fn last(
    change: impl FnOnce(&mut Plan, &mut Record, &mut Observation),
) -> (String, String, Option<Status>) {
    let next = shifted(Phase::ScheduleScaleIn, change);
    (actions(&next).join(", "), notices(&next), next.end.map(|end| end.status))
}

fn sent(action: &str) -> (String, String, Option<Status>) {
    (action.to_owned(), String::new(), None)
}

fn scheduled(observation: &mut Observation, group: &str) {
    let actions = observation.groups.get_mut(group).unwrap().scheduled_actions.known();
    actions.push(scale_in(ago(-1800)));
}

fn sizes(observation: &mut Observation, blue: u32, green: u32) {
    observation.groups.get_mut("blue").unwrap().group.capacity.min = blue;
    observation.groups.get_mut("green").unwrap().group.capacity.min = green;
}

#[test]
fn the_scale_in_is_scheduled_then_the_new_side_gets_the_old_ones_min_size() {
    let done = (String::new(), String::new(), Some(Status::Succeeded));
    assert_eq!(last(|_, _, _| {}), sent("schedule blue 0"));
    assert_eq!(last(|_, _, observation| scheduled(observation, "blue")), sent("minimum green 2"));
    let in_order = last(|_, _, observation| {
        scheduled(observation, "blue");
        sizes(observation, 4, 2);
    });
    // The scheduled action lowers the old side's MinSize.
    assert_eq!(in_order, done);
}

/// With `rollback_window: manual`, a person scales in the old group, whose MinSize nobody would know later.
#[test]
fn both_min_sizes_are_restored_if_a_person_scales_in() {
    let by_hand = |blue, green| {
        last(|plan, _, observation| {
            plan.scale_in_after = None;
            sizes(observation, blue, green);
        })
    };
    assert_eq!(by_hand(4, 4), sent("minimum green 2"));
    assert_eq!(by_hand(4, 2), sent("minimum blue 2"));
    assert_eq!(by_hand(2, 2).2, Some(Status::Succeeded));
}

#[test]
fn a_scale_in_that_cannot_be_scheduled_is_left_to_a_person() {
    let at = |after| last(|_, record, _| record.since = ago(after));
    assert_eq!(at(600), sent("schedule blue 0"));
    let notice = "the scale-in of the old group could not be scheduled: scale it in by hand";
    assert_eq!(at(601).1.lines().next(), Some(notice));
    assert_eq!(at(601).2, Some(Status::Succeeded));
}

/// Somebody forwards another rule to the old side.
#[test]
fn a_group_that_still_receives_traffic_is_not_scaled_in() {
    let busy = |after, is_scheduled, blue, green| {
        last(|_, record, observation| {
            record.since = ago(after);
            observation.other_rules = Reading::Read(rules(&[("tg-blue", 1)]));
            sizes(observation, blue, green);
            if is_scheduled {
                scheduled(observation, "blue");
            }
        })
    };
    let by_hand =
        "blue must be scaled in by hand: r1 sends traffic to it, but is not a rule of this rollout";
    assert_eq!(busy(600, true, 4, 4), sent("unschedule blue"));
    assert_eq!(busy(601, true, 2, 2), (String::new(), by_hand.to_owned(), Some(Status::Succeeded)));
    assert_eq!(busy(0, false, 4, 4), ("minimum green 2".to_owned(), by_hand.to_owned(), None));
    assert_eq!(busy(0, false, 4, 2), ("minimum blue 2".to_owned(), by_hand.to_owned(), None));
}

#[test]
fn a_min_size_that_somebody_changed_is_left_as_it_is() {
    let (action, notice, end) = last(|_, _, observation| {
        scheduled(observation, "blue");
        sizes(observation, 4, 3);
    });
    assert_eq!((action.as_str(), end), ("", Some(Status::Succeeded)));
    assert_eq!(notice, "MinSize of green is 3, which this rollout did not set: left as it is");
}

/// Somebody lowered MaxSize below the old side's MinSize meanwhile.
#[test]
fn no_min_size_is_set_above_max_size() {
    let lowered = last(|_, _, observation| {
        scheduled(observation, "blue");
        observation.groups.get_mut("green").unwrap().group.capacity.max = 1;
    });
    assert_eq!(lowered, sent("minimum green 1"));
}

/// When the scale-in runs, by the window after which a fast rollback is no longer kept, and to which size.
fn schedule(window: u64, change: impl FnOnce(&mut TwoGroupsFacts, &mut Observation)) -> (i64, u32) {
    let next = shifted(Phase::ScheduleScaleIn, |plan, record, observation| {
        plan.scale_in_after = Some(Duration::from_secs(window));
        change(facts(record), observation);
    });
    let [Action::ScheduleScaleIn { group, at, size }] = next.actions.as_slice() else {
        panic!("{:?}", next.actions);
    };
    assert_eq!(group, "blue");
    let event = Event::ScaleInScheduled { group: group.clone(), at: *at, size: *size };
    assert!(next.events.contains(&event));
    (at.duration_since(start()).as_secs(), *size)
}

#[test]
fn the_old_group_is_scaled_in_to_the_idle_size_after_the_window() {
    assert_eq!(schedule(1800, |_, _| {}), (1800, 0));
    // AWS rejects a start in the past, and a request takes its time.
    assert_eq!(schedule(0, |_, _| {}), (180, 0));
    assert_eq!(schedule(1800, |facts, _| facts.sides.green.min = 1), (1800, 1));
    let scale_in = |facts: &mut TwoGroupsFacts, _: &mut Observation| {
        facts.sides.green.min = 4;
        facts.sides.green.scale_in = Some(ScaleInFacts { at: start(), size: 1 });
    };
    assert_eq!(schedule(1800, scale_in), (1800, 1));
}

/// Start times must be unique within a group.
#[test]
fn the_scale_in_does_not_collide_with_another_scheduled_action() {
    let theirs = |name: &str, in_seconds: i64| ScheduledAction {
        name: name.to_owned(),
        ..scale_in(ago(-in_seconds))
    };
    let at = schedule(1800, |_, observation| {
        let actions = observation.groups.get_mut("blue").unwrap().scheduled_actions.known();
        actions.extend([theirs("night", 1800), theirs("day", 1860)]);
    });
    assert_eq!(at, (1920, 0));
}

/// AWS stores start times in whole seconds; another one would never be read back.
#[test]
fn the_scale_in_is_scheduled_for_a_whole_second() {
    let next = shifted(Phase::ScheduleScaleIn, |_, _, observation| {
        observation.now += jiff::SignedDuration::from_millis(1_700);
    });
    let [Action::ScheduleScaleIn { at, .. }] = next.actions.as_slice() else {
        panic!("{:?}", next.actions);
    };
    assert_eq!(*at, ago(-1801));
}
