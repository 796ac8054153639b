//! A rollback: traffic is restored, then every other change is undone.

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick of a rollback of a version that has received traffic, with green at `share`.
fn back(phase: Phase, share: u16, change: impl FnOnce(&mut Record, &mut Observation)) -> Decision {
    tick(phase, |record, observation| {
        record.reason = Some("an alarm".to_owned());
        facts(record).weighted = true;
        facts(record).idle_since = Some(ago(600));
        observation.groups.insert("blue".to_owned(), group("blue", (2, 6, 4), OLD));
        observation.groups.insert("green".to_owned(), group("green", (0, 6, 0), OLD));
        observation.rules = rules(&[("tg-blue", 100 - share), ("tg-green", share)]);
        if share == 0 {
            observation.rules = rules(&[("tg-blue", 1)]);
        }
        change(record, observation);
    })
}

const RESTORED: [&str; 2] =
    ["forward r1 tg-blue=100 tg-green=0", "forward l1 tg-blue=100 tg-green=0"];

/// The phase, what was sent, and what is waited for.
fn outcome(next: &Decision) -> (Phase, String, Option<&str>) {
    (next.record.phase, actions(next).join(", "), waits_for(next))
}

#[test]
fn a_rule_that_may_be_read_late_is_restored_with_the_others() {
    let restored = |shifted: i64, first: u16, second: u16| {
        let next = back(Phase::RestoreTraffic, first, |record, observation| {
            facts(record).shifted = Some(ago(shifted));
            observation.rules[1] =
                rules(&[("tg-blue", 100 - second), ("tg-green", second)]).remove(1);
        });
        assert_eq!(next.act_before_saving, !next.actions.is_empty());
        actions(&next)
    };
    assert_eq!(restored(9, 10, 0), RESTORED);
    assert_eq!(restored(10, 10, 0), RESTORED[..1]);
    assert_eq!(restored(10, 0, 10), RESTORED[1..]);
    assert_eq!(restored(9, 0, 0), [""; 0]);
}

/// A scale-in of the old side was scheduled at the end of the rollout that is rolled back.
#[test]
fn no_traffic_is_restored_to_a_group_that_is_about_to_be_scaled_in() {
    let scheduled = |due_in: Option<i64>| {
        back(Phase::RestoreTraffic, 10, |_, observation| {
            let actions = observation.groups.get_mut("blue").unwrap().scheduled_actions.known();
            actions.extend(due_in.map(|seconds| scale_in(ago(-seconds))));
        })
    };
    assert_eq!(actions(&scheduled(None)), RESTORED);
    let later = [RESTORED[0], RESTORED[1], "unschedule blue"];
    assert_eq!(actions(&scheduled(Some(181))), later);
    for due_in in [180, 0, -180] {
        let due = actions(&scheduled(Some(due_in)));
        assert_eq!(due, ["minimum blue 4", "unschedule blue"], "{due_in}");
    }
    // It has long run.
    assert_eq!(actions(&scheduled(Some(-181))), later);
}

#[test]
fn weights_stay_while_the_old_side_cannot_take_all_traffic() {
    let held = |after, blue_min, green_health| {
        back(Phase::RestoreTraffic, 10, |record, observation| {
            record.since = ago(after);
            observation.groups.insert("blue".to_owned(), group("blue", (blue_min, 6, 4), OLD));
            observation.groups.insert("green".to_owned(), group("green", (0, 6, 4), NEW));
            observation.groups.get_mut("blue").unwrap().targets[0].health = TargetHealth::Unhealthy;
            let green = observation.groups.get_mut("green").unwrap();
            green.targets.iter_mut().for_each(|target| target.health = green_health);
        })
    };
    let next = held(600, 2, TargetHealth::Healthy);
    assert_eq!(
        outcome(&next),
        (
            Phase::RestoreTraffic,
            "minimum blue 4".to_owned(),
            Some(
                "the old side cannot take all traffic yet, and the new side handles its share: the weights stay"
            )
        )
    );
    assert_eq!(actions(&held(600, 4, TargetHealth::Healthy)), [""; 0]);
    assert_eq!(actions(&held(600, 5, TargetHealth::Healthy)), [""; 0]);
    assert_eq!(
        waits_for(&held(600, 4, TargetHealth::Unhealthy)),
        Some(
            "neither side is healthy: the weights stay, because shifting traffic adds no capacity"
        )
    );
    let stuck = held(601, 2, TargetHealth::Healthy);
    assert_eq!(actions(&stuck), [""; 0]);
    let end = stuck.end.unwrap();
    assert_eq!(end.status, Status::Stuck);
    assert_eq!(
        end.message,
        "traffic could not be restored to blue: 3 of 4 needed targets are healthy there, and green still receives 10%"
    );
}

/// Somebody sends a part of the traffic to a third target group. That part stays there.
#[test]
fn a_third_target_group_keeps_its_weight() {
    let restored = |weights: &[(&str, u16)]| {
        let next = back(Phase::RestoreTraffic, 0, |_, observation| {
            observation.rules = rules(weights);
            observation.rules[1] = rules(&[("tg-blue", 1)]).remove(1);
        });
        (actions(&next).join(", "), next.record.phase)
    };
    let sent = |forward: &str| (format!("forward r1 {forward}"), Phase::RestoreTraffic);
    let third = [("tg-blue", 60), ("tg-green", 20), ("tg-third", 20)];
    assert_eq!(restored(&third), sent("tg-blue=80 tg-green=0 tg-third=20"));
    // 999 is the largest weight.
    let large = [("tg-blue", 900), ("tg-green", 900), ("tg-third", 5)];
    assert_eq!(restored(&large), sent("tg-blue=999 tg-green=0 tg-third=5"));
    assert_eq!(restored(&[("tg-blue", 50), ("tg-third", 50)]), (String::new(), Phase::Undo));
    // Without a third one, traffic that reaches nobody belongs to the old side.
    let nobody = [("tg-blue", 0), ("tg-green", 0)];
    assert_eq!(restored(&nobody), sent("tg-blue=100 tg-green=0"));
}

/// With group stickiness, weight 0 does not move clients that hold a cookie.
#[test]
fn clients_with_a_cookie_are_moved_only_if_there_can_be_any() {
    let restored = |weighted| {
        let next = back(Phase::RestoreTraffic, 10, |record, _| {
            facts(record).weighted = weighted;
            facts(record).rules[0].sticky = Some(600);
        });
        let Some(Action::SetForward { forward, .. }) = next.actions.first() else {
            panic!("{:?}", next.actions);
        };
        assert_eq!(forward.stickiness, Some(Stickiness { seconds: 600 }));
        actions(&next).remove(0)
    };
    assert_eq!(restored(true), "forward r1 tg-blue=1");
    assert_eq!(restored(false), "forward r1 tg-blue=100 tg-green=0");
}

#[test]
fn traffic_that_leaves_again_is_restored_three_times() {
    let left = |relapses| {
        let mut next = back(Phase::Undo, 10, |record, _| facts(record).relapses = relapses);
        let end = next.end.as_ref().map(|end| end.status);
        (actions(&next), facts(&mut next.record).relapses, next.record.since, end)
    };
    let again: Vec<String> = RESTORED.map(str::to_owned).into();
    assert_eq!(left(0), (again.clone(), 1, start(), None));
    assert_eq!(left(2), (again, 3, start(), None));
    assert_eq!(left(3), (vec![], 4, start(), Some(Status::Stuck)));
}

#[test]
fn changes_that_cannot_be_undone_in_time_end_as_stuck() {
    let at = |after| {
        back(Phase::Undo, 0, |record, observation| {
            record.since = ago(after);
            observation.groups.insert("green".to_owned(), group("green", (0, 6, 0), NEW));
        })
    };
    assert_eq!(actions(&at(1800)), ["refresh green 7"]);
    let stuck = at(1801);
    assert_eq!((actions(&stuck), stuck.end.map(|end| end.status)), (vec![], Some(Status::Stuck)));
}

/// The old side is live again.
#[test]
fn the_old_sides_scale_in_is_canceled_before_anything_else() {
    let next = back(Phase::Undo, 0, |_, observation| {
        observation
            .groups
            .get_mut("blue")
            .unwrap()
            .scheduled_actions
            .known()
            .push(scale_in(ago(-600)));
        observation.groups.insert("green".to_owned(), group("green", (0, 6, 0), NEW));
    });
    assert_eq!(actions(&next), ["unschedule blue"]);
}

#[test]
fn only_this_rollouts_refresh_is_canceled() {
    let undone = |started: Option<(u64, &str)>, status, version| {
        let next = back(Phase::Undo, 0, |record, observation| {
            facts(record).refresh = started.map(|(version, id)| RefreshFacts {
                version,
                after: None,
                id: Some(id.to_owned()),
            });
            let mut green = group("green", (0, 6, 2), OLD);
            green.refreshes = Reading::Read(vec![refresh("r", status, version)]);
            observation.groups.insert("green".to_owned(), green);
        });
        assert_eq!(next.record.phase, Phase::Undo);
        (actions(&next).join(", "), waits_for(&next).unwrap_or_default().to_owned())
    };
    let (ours, theirs) = (Some((NEW, "r")), Some((NEW, "gone")));
    let canceling = "this rollout's instance refresh is being canceled".to_owned();
    let active = RefreshStatus::InProgress;
    assert_eq!(undone(ours, active, NEW), ("cancel green".to_owned(), canceling.clone()));
    assert_eq!(undone(ours, RefreshStatus::Cancelling, NEW), (String::new(), canceling));
    let foreign = "an instance refresh that this rollout did not start is active".to_owned();
    assert_eq!(undone(theirs, active, NEW), (String::new(), foreign.clone()));
    assert_eq!(undone(None, active, NEW), (String::new(), foreign));
    // The one to the previous version is what the rollback waits for.
    let back = undone(Some((OLD, "r")), active, OLD);
    assert_eq!(back, (String::new(), "updating green to version 7".to_owned()));
}

/// What undoing green's size sends, or waits for; it had `min` and was empty, or not.
fn size(
    idle: i64,
    (own, empty, set): (u32, bool, &[u32]),
    green: ObservedGroup,
) -> Result<String, String> {
    let next = back(Phase::Undo, 0, |record, observation| {
        facts(record).idle_since = Some(ago(idle));
        let side = &mut facts(record).sides.green;
        (side.min, side.empty, side.min_sizes_set) = (own, empty, set.to_vec());
        observation.groups.insert("green".to_owned(), green);
    });
    if let Some(end) = &next.end {
        return Ok(format!("{:?}", end.status));
    }
    match waits_for(&next) {
        Some(waiting) => Err(waiting.to_owned()),
        None => Ok(actions(&next).join(", ")),
    }
}

fn green(min: u32, desired: u32) -> ObservedGroup {
    group("green", (min, 6, desired), OLD)
}

#[test]
fn a_group_that_was_empty_is_emptied_once_it_is_idle() {
    let was_empty = (0, true, [4].as_slice());
    let wait = "green must be without traffic for a while before it is scaled in";
    assert_eq!(size(59, was_empty, green(4, 4)), Err(wait.to_owned()));
    assert_eq!(size(60, was_empty, green(4, 4)), Ok("size green 0".to_owned()));
    // A scaling policy or an operator has changed DesiredCapacity alone.
    assert_eq!(size(60, was_empty, green(4, 6)), Ok("size green 0".to_owned()));
    assert_eq!(size(60, was_empty, green(0, 2)), Ok("size green 0".to_owned()));
    let mut terminating = green(0, 2);
    terminating.group.capacity.desired = 0;
    let wait = "the instances of green are terminating".to_owned();
    assert_eq!(size(60, was_empty, terminating), Err(wait));
    assert_eq!(size(60, was_empty, green(0, 0)), Ok("RolledBack".to_owned()));
    // Somebody gave it another MinSize: it is theirs now.
    assert_eq!(size(60, was_empty, green(3, 3)), Ok("RolledBack".to_owned()));
    // This rollout has not scaled it out: whatever runs there is somebody else's.
    assert_eq!(size(60, (0, true, &[]), green(0, 2)), Ok("RolledBack".to_owned()));
}

#[test]
fn a_group_that_had_instances_gets_its_min_size_back() {
    let had_two = (2, false, [4].as_slice());
    let wait = "green must be without traffic for a while before its MinSize is lowered";
    assert_eq!(size(59, had_two, green(4, 4)), Err(wait.to_owned()));
    assert_eq!(size(60, had_two, green(4, 4)), Ok("minimum green 2".to_owned()));
    // Its scaling policies decide about the instances.
    assert_eq!(size(60, had_two, green(2, 4)), Ok("RolledBack".to_owned()));
    assert_eq!(size(60, had_two, green(3, 4)), Ok("RolledBack".to_owned()));
    assert_eq!(size(60, (4, false, &[4]), green(4, 4)), Ok("RolledBack".to_owned()));
}

#[test]
fn a_version_that_somebody_else_chose_is_left_as_it_is() {
    let undone = |version: u64, superseded: Vec<u64>| {
        let next = back(Phase::Undo, 0, |record, observation| {
            record.superseded_versions = superseded;
            observation.groups.insert("green".to_owned(), group("green", (0, 6, 0), version));
        });
        (actions(&next).join(", "), notices(&next), next.end.is_some())
    };
    assert_eq!(undone(OLD, vec![]), (String::new(), String::new(), true));
    assert_eq!(undone(NEW, vec![]), ("refresh green 7".to_owned(), String::new(), false));
    let notice = "an external change made green launch from version 9 of lt-1: left as it is";
    assert_eq!(undone(9, vec![]), (String::new(), notice.to_owned(), true));
    // A predecessor's version is this rollout's to undo.
    assert_eq!(undone(9, vec![9]), ("refresh green 7".to_owned(), String::new(), false));
}

/// The refresh to the previous version failed: nobody uses the group, so it is simply started again.
#[test]
fn a_failed_refresh_to_the_previous_version_is_followed_by_another_one() {
    let mut next = back(Phase::Undo, 0, |record, observation| {
        let id = Some("r".to_owned());
        facts(record).refresh = Some(RefreshFacts { version: OLD, after: None, id });
        let mut green = group("green", (0, 6, 0), NEW);
        green.refreshes = Reading::Read(vec![refresh("r", RefreshStatus::Failed, OLD)]);
        observation.groups.insert("green".to_owned(), green);
    });
    assert_eq!((next.record.phase, actions(&next)), (Phase::Undo, vec![]));
    assert!(
        notices(&next)
            .ends_with("ended with status Failed: AWS gave no reason; starting another one")
    );
    assert_eq!(facts(&mut next.record).refresh, None);
}

#[test]
fn the_scale_in_that_the_rollout_had_canceled_is_scheduled_again() {
    let rescheduled = |was_due_in: i64, is_scheduled: bool| {
        let next = back(Phase::Undo, 0, |record, observation| {
            let at = ago(-was_due_in);
            facts(record).sides.green.scale_in = Some(ScaleInFacts { at, size: 1 });
            let actions = observation.groups.get_mut("green").unwrap().scheduled_actions.known();
            actions.extend(is_scheduled.then(|| scale_in(at)));
        });
        match next.actions.as_slice() {
            [] => None,
            [Action::ScheduleScaleIn { group, at, size: 1 }] if group == "green" => {
                Some(at.duration_since(start()).as_secs())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(rescheduled(600, false), Some(600));
    // AWS rejects a start in the past.
    assert_eq!(rescheduled(239, false), Some(240));
    assert_eq!(rescheduled(-600, false), Some(240));
    assert_eq!(rescheduled(600, true), None);
}

#[test]
fn the_old_sides_min_size_is_restored_if_it_is_still_the_rollouts() {
    let restored = |set: &[u32], reads: u32| {
        let next = back(Phase::Undo, 0, |record, observation| {
            facts(record).sides.blue.min_sizes_set = set.to_vec();
            observation.groups.insert("blue".to_owned(), group("blue", (reads, 6, 4), OLD));
        });
        (actions(&next).join(", "), notices(&next), next.end.is_some())
    };
    assert_eq!(restored(&[4], 4), ("minimum blue 2".to_owned(), String::new(), false));
    assert_eq!(restored(&[4], 2), (String::new(), String::new(), true));
    assert_eq!(restored(&[], 4), (String::new(), String::new(), true));
    let notice = "MinSize of blue is 3, which this rollout did not set: left as it is";
    assert_eq!(restored(&[4], 3), (String::new(), notice.to_owned(), true));
}

/// Somebody lowered MaxSize meanwhile: AWS rejects a MinSize above it.
#[test]
fn no_min_size_is_restored_above_max_size() {
    let undone = |blue, green| {
        let next = back(Phase::Undo, 0, |record, observation| {
            let sides = &mut facts(record).sides;
            (sides.blue.min, sides.blue.min_sizes_set) = (3, vec![1, 4]);
            (sides.green.min, sides.green.empty, sides.green.min_sizes_set) =
                (3, false, vec![1, 4]);
            observation.groups.insert("blue".to_owned(), group("blue", blue, OLD));
            observation.groups.insert("green".to_owned(), group("green", green, OLD));
        });
        (actions(&next).join(", "), next.end.is_some())
    };
    let sent = |action: &str| (action.to_owned(), false);
    assert_eq!(undone((4, 6, 4), (3, 6, 3)), sent("minimum blue 3"));
    assert_eq!(undone((1, 2, 2), (3, 6, 3)), sent("minimum blue 2"));
    assert_eq!(undone((1, 1, 1), (3, 6, 3)), (String::new(), true));
    assert_eq!(undone((3, 6, 4), (4, 6, 4)), sent("minimum green 3"));
    assert_eq!(undone((3, 6, 4), (1, 2, 2)), sent("minimum green 2"));
    assert_eq!(undone((3, 6, 4), (1, 1, 1)), (String::new(), true));
}

/// What undoing the rules sends, if one read `before` and reads `now`.
fn rule(
    before: (Option<u16>, Option<u16>),
    sticky: Option<u32>,
    now: &[(&str, u16)],
) -> Vec<String> {
    let next = back(Phase::Undo, 0, |record, observation| {
        facts(record).rules.remove(1);
        facts(record).rules[0].weights = PerColor { blue: before.0, green: before.1 };
        facts(record).rules[0].sticky = sticky;
        observation.rules = rules(now);
        for rule in &mut observation.rules {
            let seconds = sticky.map(|seconds| Stickiness { seconds });
            rule.forward.as_mut().unwrap().stickiness = seconds;
        }
    });
    actions(&next)
}

#[test]
fn a_rule_gets_its_weights_back_if_it_still_reads_as_it_was_written() {
    let written = [("tg-blue", 100), ("tg-green", 0)];
    assert_eq!(rule((Some(1), None), None, &written), ["forward r1 tg-blue=1"]);
    assert_eq!(rule((Some(1), Some(0)), None, &written), ["forward r1 tg-blue=1 tg-green=0"]);
    assert_eq!(rule((Some(100), Some(0)), None, &written), [""; 0]);
    // Somebody wrote other weights since.
    assert_eq!(rule((Some(1), None), None, &[("tg-blue", 7), ("tg-green", 0)]), [""; 0]);
    // With stickiness, the rollback has left the old target group alone in the rule.
    let alone = [("tg-blue", 1)];
    assert_eq!(rule((Some(9), Some(0)), Some(600), &alone), ["forward r1 tg-blue=9 tg-green=0"]);
    // Before the rollout the rule gave traffic to the other side: that is not undone.
    assert_eq!(rule((Some(50), Some(50)), None, &written), [""; 0]);
    assert_eq!(rule((None, None), None, &written), [""; 0]);
}

#[test]
fn each_rule_and_the_test_rule_get_their_own_weights_back() {
    let mut plan = plan(&[10, 100]);
    let id = RuleId::Rule("test".to_owned());
    pair(&mut plan).test_rule = Some(id.clone());
    let undone = |test_before: (Option<u16>, Option<u16>)| {
        let next = tick_of(&plan, Phase::Undo, |record, observation| {
            facts(record).idle_since = Some(ago(600));
            observation.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
            let forward = Some(Forward::only("tg-green"));
            observation
                .rules
                .insert(0, Rule { id: id.clone(), forward, ..observation.rules[0].clone() });
            let facts = facts(record);
            facts.rules[1].weights.blue = Some(2);
            let weights = PerColor { blue: test_before.0, green: test_before.1 };
            facts.test = Some(RuleFacts { id: id.clone(), weights, sticky: None });
        });
        actions(&next)
    };
    // The test rule's own traffic is nobody's, so it goes back wherever it went before.
    let each = ["forward r1 tg-blue=1", "forward l1 tg-blue=2", "forward test tg-blue=1"];
    assert_eq!(undone((Some(1), None)), each);
    assert_eq!(undone((None, Some(1))), each[..2]);
}
