//! Properties that hold in every situation, however absurd.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_compose, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};

use super::situation::ALL;
use super::world::*;
use crate::model::{
    Counts, FleetFacts, InstanceRefresh, Record, RefreshFacts, RefreshPreferences, RefreshStatus,
    RuleId, ScheduledAction, Status, TargetGroupCounts, TargetHealth,
};
use crate::*;

prop_compose! {
    fn any_group(name: &'static str)(
        min in 0u32..5, extra in 0u32..5, desired in 0u32..6,
        health in proptest::collection::vec(0u8..3, 6),
        versions in proptest::collection::vec(OLD..=NEW, 6),
        saved in OLD..=NEW,
        refresh in proptest::option::of((0u8..10, OLD..=NEW)),
        scale_in in proptest::option::of(-400i64..4000),
    ) -> ObservedGroup {
        let mut observed = group(name, (min, min.max(desired) + extra, desired), saved);
        for (i, instance) in observed.group.instances.iter_mut().enumerate() {
            instance.template = Some(template(versions[i]));
        }
        for (i, target) in observed.targets.iter_mut().enumerate() {
            target.health = [TargetHealth::Healthy, TargetHealth::Unhealthy, TargetHealth::Initial][health[i] as usize];
        }
        if let Some((status, version)) = refresh {
            observed.refreshes.known().push(InstanceRefresh {
                id: format!("r-{name}"),
                status: STATUSES[status as usize],
                reason: None,
                percent: Some(100),
                remaining: None,
                started: None,
                desired: Some(template(version)),
                preferences: Some(RefreshPreferences::default()),
            });
        }
        if let Some(seconds) = scale_in {
            observed.scheduled_actions.known().push(ScheduledAction {
                name: SCALE_IN_ACTION.to_owned(),
                at: Some(start() + jiff::SignedDuration::from_secs(seconds)),
                min: Some(0), max: None, desired: Some(0), recurring: false,
            });
        }
        observed
    }
}

const STATUSES: [RefreshStatus; 10] = [
    RefreshStatus::Pending,
    RefreshStatus::InProgress,
    RefreshStatus::Baking,
    RefreshStatus::Successful,
    RefreshStatus::Failed,
    RefreshStatus::Cancelling,
    RefreshStatus::Cancelled,
    RefreshStatus::RollbackInProgress,
    RefreshStatus::RollbackFailed,
    RefreshStatus::RollbackSuccessful,
];

prop_compose! {
    fn situation()(
        phase in 0usize..16,
        blue in any_group("blue"),
        green in any_group("green"),
        weight in prop_oneof![Just(0u16), Just(10), Just(50), Just(100), 0u16..=100],
        other in prop_oneof![4 => Just(None), 1 => (0u16..=100).prop_map(Some)],
        joined in any::<bool>(),
        step in 0usize..4,
        age in 0i64..3000,
        idle in proptest::option::of(0i64..200),
        shifted in proptest::option::of(0i64..600),
        floor in 0u32..5,
        pinned in proptest::option::of(0u32..6),
        refresh in proptest::option::of((OLD..=NEW, any::<bool>())),
        errors in 0u64..1000,
        highest in prop_oneof![9 => Just(5u64), 1 => Just(6u64)],
        restart in any::<bool>(),
        resume in proptest::option::of(0usize..16),
    ) -> (Record, Observation) {
        let mut record = record(ALL[phase]);
        record.since = start() - jiff::SignedDuration::from_secs(age);
        record.restart = restart;
        record.resume = resume.map(|i| ALL[i]);
        if let FleetFacts::TwoGroups(facts) = &mut record.fleet {
            facts.step = step;
            facts.floor = floor;
            facts.idle_since = idle.map(|s| start() - jiff::SignedDuration::from_secs(s));
            facts.shifted = shifted.map(|s| start() - jiff::SignedDuration::from_secs(s));
            facts.sides.blue.min_sizes_set = pinned.into_iter().collect();
            facts.sides.green.min_sizes_set = pinned.into_iter().collect();
            facts.refresh = refresh.map(|(version, known)| RefreshFacts {
                version, after: None, id: known.then(|| "r-green".to_owned()),
            });
        }
        let mut observation = observation();
        observation.claim.highest = highest;
        observation.groups.insert("blue".to_owned(), blue);
        observation.groups.insert("green".to_owned(), green);
        let forward = |w: u16| if joined || w > 0 {
            vec![("tg-blue", 100 - w), ("tg-green", w)]
        } else {
            vec![("tg-blue", 1)]
        };
        observation.rules = rules(&forward(weight));
        if let Some(other) = other {
            observation.rules[1] = rules(&forward(other)).remove(1);
        }
        observation.counts.known().insert("tg-green".to_owned(), TargetGroupCounts {
            minutes: vec![(start() - jiff::SignedDuration::from_secs(120), Counts { requests: 1000, errors })],
        });
        (record, observation)
    }
}

fn share(observation: &Observation, rule: &RuleId) -> u8 {
    let rule = observation.rules.iter().find(|r| r.id == *rule).unwrap();
    rule.forward.as_ref().unwrap().share("tg-green")
}

/// Returns how many situations are drawn: 4000, unless `PROPTEST_CASES` says otherwise.
fn cases() -> ProptestConfig {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        ProptestConfig::default()
    } else {
        ProptestConfig::with_cases(4000)
    }
}

proptest! {
    #![proptest_config(cases())]

    /// Promises 1, 3 and 6 and the wait of T hold in one tick from any situation.
    #[test]
    fn no_tick_breaks_a_promise((record, observation) in situation()) {
        let plan = plan(&[5, 25, 50, 100]);
        let next = decide(&plan, &record, &observation);
        let desired = observation.groups.values().map(|g| g.group.capacity.desired).max().unwrap();
        let weighted = observation.rules.iter().any(|r| r.forward.as_ref().unwrap().share("tg-green") > 0);
        if observation.claim.highest > record.number {
            prop_assert!(next.actions.is_empty(), "a superseded run changes nothing");
        }
        for action in &next.actions {
            match action {
                Action::SetForward { rule, forward } => {
                    let (before, after) = (share(&observation, rule), forward.share("tg-green"));
                    let most = plan.pair().unwrap().rules.iter().map(|r| share(&observation, r)).max().unwrap();
                    let blue = observation.groups["blue"].group.capacity;
                    let (side, percent, version, wants) = if after > before {
                        ("green", after, NEW, desired)
                    } else {
                        let wants = if most < 50 { blue.desired } else { desired };
                        ("blue", 100 - after, OLD, wants.min(blue.max))
                    };
                    if after != before {
                        let ready = ready_targets(&observation.groups[side], TEMPLATE, &[version]).len() as u32;
                        prop_assert!(ready >= required_targets(percent, wants), "traffic without enough ready targets: {action:?}");
                    }
                    if after < before {
                        prop_assert!(next.act_before_saving, "traffic is restored before the record is saved");
                        prop_assert_eq!(after, 0, "all traffic is restored at once");
                    }
                }
                Action::StartRefresh { group, .. } | Action::SetMinSizeAndDesired { group, .. } => {
                    prop_assert_eq!(group, "green");
                    prop_assert!(!weighted, "lowers healthy capacity of a group that receives traffic");
                    let FleetFacts::TwoGroups(facts) = &next.record.fleet else { unreachable!() };
                    let idle = facts.idle_since.unwrap();
                    prop_assert!(observation.now.duration_since(idle).unsigned_abs() >= T);
                    prop_assert!(!observation.groups["green"].refreshes().unwrap().iter().any(|r| r.status.is_active()));
                }
                Action::SetMinSize { group, min } => {
                    let capacity = observation.groups[group].group.capacity;
                    prop_assert!(*min <= capacity.max, "never above MaxSize");
                    if *min < capacity.min {
                        let FleetFacts::TwoGroups(facts) = &record.fleet else { unreachable!() };
                        let facts = if group == "blue" { &facts.sides.blue } else { &facts.sides.green };
                        prop_assert!(facts.min_sizes_set.contains(&capacity.min), "lowered only from a value that this rollout set");
                    }
                }
                Action::CancelRefresh { group } | Action::RollbackRefresh { group } => {
                    let FleetFacts::TwoGroups(facts) = &record.fleet else { unreachable!() };
                    let ours = facts.refresh.as_ref().and_then(|r| r.id.as_deref());
                    let active = observation.groups[group].refreshes().unwrap().iter().find(|r| r.status.is_active());
                    prop_assert_eq!(active.map(|r| r.id.as_str()), ours, "only this rollout's refresh is active");
                }
                Action::ScheduleScaleIn { at, .. } => prop_assert!(*at > observation.now),
                Action::CancelScaleIn { .. } | Action::RunSmokeTests => {}
            }
        }
        if next.end.as_ref().is_some_and(|e| e.status == Status::Succeeded) {
            prop_assert!(observation.rules.iter().all(|r| r.forward.as_ref().unwrap().share("tg-green") == 100));
        }
    }
}
