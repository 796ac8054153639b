//! The idle side is prepared: its scale-in canceled, updated to the version, scaled out, healthy, tested.

use std::time::Duration;

use super::situation::*;
use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick with green as given, without traffic for ten minutes.
fn idle(
    phase: Phase,
    after: i64,
    green: ObservedGroup,
    change: impl FnOnce(&mut Record, &mut Observation),
) -> Decision {
    tick(phase, |record, observation| {
        record.since = ago(after);
        facts(record).idle_since = Some(ago(600));
        observation.groups.insert("green".to_owned(), green);
        change(record, observation);
    })
}

fn started(id: &str, version: u64) -> Option<RefreshFacts> {
    Some(RefreshFacts { version, after: None, id: Some(id.to_owned()) })
}

/// Shows a refresh of green, and nothing else that is out of the ordinary.
fn refreshing(facts_of_it: Option<RefreshFacts>, after: i64, shown: InstanceRefresh) -> Decision {
    let mut green = group("green", (0, 6, 2), OLD);
    green.refreshes = Reading::Read(vec![shown]);
    idle(Phase::Refresh, after, green, |record, _| facts(record).refresh = facts_of_it)
}

/// Nobody uses the group, so nothing has to stay healthy meanwhile.
#[test]
fn the_idle_group_is_replaced_at_once_and_without_a_warmup() {
    let next = idle(Phase::Refresh, 0, group("green", (0, 6, 2), OLD), |_, _| {});
    let [Action::StartRefresh { preferences, version: NEW, .. }] = next.actions.as_slice() else {
        panic!("{:?}", next.actions);
    };
    let expected = RefreshPreferences {
        min_healthy: 0,
        warmup: Some(Duration::ZERO),
        skip_matching: true,
        ..RefreshPreferences::default()
    };
    assert_eq!(*preferences, expected);
}

#[test]
fn the_scale_in_that_is_canceled_is_remembered() {
    let canceled = |set: Vec<u32>| {
        let mut green = group("green", (3, 6, 3), OLD);
        green.scheduled_actions.known().push(scale_in(ago(-600)));
        let mut next = idle(Phase::CancelScaleIn, 0, green, |record, _| {
            facts(record).sides.green.min_sizes_set = set;
        });
        assert_eq!(actions(&next), ["unschedule green"]);
        facts(&mut next.record).sides.green.clone()
    };
    let green = canceled(vec![]);
    assert_eq!(green.scale_in, Some(ScaleInFacts { at: ago(-600), size: 0 }));
    // Its MinSize is an earlier rollout's, which a rollback may lower.
    assert_eq!(green.min_sizes_set, [3]);
    assert_eq!(canceled(vec![3]).min_sizes_set, [3]);
}

/// Somebody forwards another rule to the idle group, which is about to be replaced.
#[test]
fn a_rule_outside_the_plan_ends_the_preparation() {
    for phase in [Phase::CancelScaleIn, Phase::Refresh] {
        let next = idle(phase, 0, group("green", (0, 6, 2), OLD), |_, observation| {
            observation.other_rules = Reading::Read(rules(&[("tg-green", 1)]));
        });
        assert_eq!((actions(&next), next.record.phase), (vec![], Phase::Undo), "{phase:?}");
        assert_eq!(reason(&next), "r1 sends traffic to green, but is not a rule of this rollout");
    }
}

#[test]
fn this_rollouts_refresh_is_waited_for_until_the_deadline() {
    let at = |after, status| refreshing(started("r", NEW), after, refresh("r", status, NEW));
    let waiting = at(1200, RefreshStatus::InProgress);
    assert_eq!(waits_for(&waiting), Some("updating green to version 8"));
    assert_eq!((waiting.record.phase, deadline(&waiting)), (Phase::Refresh, Some(0)));
    let late = at(1201, RefreshStatus::InProgress);
    assert_eq!(late.record.phase, Phase::Undo);
    assert_eq!(reason(&late), "the instance refresh did not finish in time");
    // The group's state may lag behind the refresh.
    let lagging = at(1200, RefreshStatus::Successful);
    assert_eq!(
        waits_for(&lagging),
        Some(
            "the instance refresh succeeded, but green does not show version 8 on every instance yet"
        )
    );
    let failed = at(0, RefreshStatus::Failed);
    assert_eq!(failed.record.phase, Phase::Undo);
    assert_eq!(
        reason(&failed),
        "the instance refresh of green ended with status Failed: AWS gave no reason"
    );
}

/// A run with another image takes over while its predecessor's refresh is active.
#[test]
fn the_predecessors_refresh_is_canceled_once_and_somebody_elses_is_waited_for() {
    let at = |id: &str, status| refreshing(started(id, NEW - 1), 0, refresh("r", status, NEW - 1));
    let canceled = at("r", RefreshStatus::InProgress);
    assert_eq!(actions(&canceled), ["cancel green"]);
    assert_eq!(notices(&canceled), "canceling the earlier instance refresh of green");
    let canceling = at("r", RefreshStatus::Cancelling);
    assert_eq!((actions(&canceling), canceling.record.phase), (vec![], Phase::Refresh));
    let theirs = at("another", RefreshStatus::InProgress);
    assert_eq!(actions(&theirs), [""; 0]);
    assert_eq!(
        waits_for(&theirs),
        Some("an instance refresh of green that this rollout did not start is active")
    );
    // One to this version, too: its preferences are not this rollout's.
    let same = refreshing(started("gone", NEW), 0, refresh("r", RefreshStatus::InProgress, NEW));
    assert_eq!(actions(&same), [""; 0]);
    assert!(waits_for(&same).unwrap().contains("did not start is active"));
}

/// Blue, which is live, has four instances.
#[test]
fn the_idle_group_is_scaled_out_to_the_size_of_the_live_one() {
    let scaled = |after, capacity| {
        let next = idle(Phase::ScaleOut, after, group("green", capacity, NEW), |_, _| {});
        (actions(&next).join(" "), next.record.phase)
    };
    let nothing = String::new;
    assert_eq!(scaled(0, (0, 4, 0)), ("minimum green 4".to_owned(), Phase::ScaleOut));
    assert_eq!(scaled(0, (0, 3, 0)), (nothing(), Phase::Undo));
    assert_eq!(scaled(0, (4, 6, 4)), (nothing(), Phase::AddToRules));
    // A larger MinSize of its own stays.
    assert_eq!(scaled(0, (5, 6, 5)), (nothing(), Phase::AddToRules));
    // DesiredCapacity follows MinSize; AWS may not show it yet.
    assert_eq!(scaled(600, (4, 6, 3)), (nothing(), Phase::ScaleOut));
    assert_eq!(scaled(601, (4, 6, 3)), (nothing(), Phase::Undo));
    assert_eq!(scaled(601, (4, 6, 4)), (nothing(), Phase::AddToRules));
    assert_eq!(scaled(601, (0, 6, 0)), ("minimum green 4".to_owned(), Phase::ScaleOut));
}

/// A plan with a test rule and a smoke test.
fn tested() -> Plan {
    let mut plan = plan(&[10, 100]);
    pair(&mut plan).test_rule = Some(RuleId::Rule("test".to_owned()));
    pair(&mut plan).smoke = vec![Smoke {
        url: "https://web.example/ready".to_owned(),
        header: None,
        path: "/ready".to_owned(),
        status: 200,
    }];
    plan
}

/// Decides one tick with green healthy at weight 0, and the test rule at `test`.
fn added(phase: Phase, test: &str, change: impl FnOnce(&mut Record, &mut Observation)) -> Decision {
    tick_of(&tested(), phase, |record, observation| {
        observation.groups.insert("green".to_owned(), group("green", (4, 6, 4), NEW));
        observation.rules = rules(&[("tg-blue", 100), ("tg-green", 0)]);
        let forward = Some(Forward::only(test));
        let rule =
            Rule { id: RuleId::Rule("test".to_owned()), forward, ..observation.rules[0].clone() };
        observation.rules.push(rule);
        change(record, observation);
    })
}

/// A target group in no rule gets no health checks.
#[test]
fn the_new_target_group_is_added_where_it_is_missing() {
    let nothing = added(Phase::AddToRules, "tg-green", |_, _| {});
    assert_eq!((actions(&nothing), nothing.record.phase), (vec![], Phase::Healthy));
    let test = added(Phase::AddToRules, "tg-blue", |_, _| {});
    assert_eq!(actions(&test), ["forward test tg-green=1"]);
    let one = |after| {
        added(Phase::AddToRules, "tg-green", |record, observation| {
            record.since = ago(after);
            observation.rules[1].forward = Some(Forward::only("tg-blue"));
        })
    };
    assert_eq!(actions(&one(600)), ["forward l1 tg-blue=100 tg-green=0"]);
    assert_eq!(one(601).record.phase, Phase::Undo);
    assert_eq!(
        reason(&one(601)),
        "the new side's target group could not be added to every rule in time"
    );
}

#[test]
fn a_new_version_that_does_not_become_healthy_in_time_is_rolled_back() {
    let at = |after, health| {
        added(Phase::Healthy, "tg-green", |record, observation| {
            record.since = ago(after);
            observation.groups.get_mut("green").unwrap().targets[0].health = health;
        })
    };
    let healthy = at(601, TargetHealth::Healthy);
    assert_eq!(healthy.record.phase, Phase::SmokeTest);
    let message = "running smoke tests through the test rule".to_owned();
    assert!(healthy.events.contains(&Event::Phase { phase: "smoke-test", message }));
    assert_eq!(at(600, TargetHealth::Initial).record.phase, Phase::Healthy);
    assert_eq!(
        reason(&at(601, TargetHealth::Initial)),
        "only 3 of 4 targets of the new version became healthy in time"
    );
}

#[test]
fn smoke_tests_are_repeated_for_a_minute_and_must_all_pass() {
    let run = |after, passed: Option<[bool; 2]>| {
        added(Phase::SmokeTest, "tg-green", |record, observation| {
            record.since = ago(after);
            observation.smoke = passed.map(|passed| {
                let result =
                    |passed| SmokeResult { path: "/ready".to_owned(), status: None, passed };
                passed.map(result).into()
            });
        })
    };
    let not_run = run(600, None);
    assert_eq!(
        (actions(&not_run), not_run.record.phase),
        (vec!["smoke".to_owned()], Phase::SmokeTest)
    );
    assert_eq!(reason(&run(601, None)), "the smoke tests could not be run in time");
    let passed = run(601, Some([true, true]));
    assert_eq!(passed.record.phase, Phase::Shift);
    let smoke = Event::Smoke { path: "/ready".to_owned(), status: None, passed: true };
    assert!(passed.events.contains(&smoke), "{:?}", passed.events);
    assert_eq!(actions(&run(60, Some([true, false]))), ["smoke"]);
    let failed = run(61, Some([true, false]));
    assert_eq!(failed.record.phase, Phase::Undo);
    assert_eq!(reason(&failed), "the new version failed the smoke tests");
}
