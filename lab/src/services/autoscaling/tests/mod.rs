//! Capacity, scheduled actions, health: the behavior of a group without a refresh.

mod instances;
mod operations;
mod schedules;
mod shortage;

use super::fixture::Lab;
use super::{LifecycleState, Status};
use crate::scenario::Scenario;
use crate::services::elbv2::{self, TargetState};
use crate::wire::{Value, map};

fn sizes(lab: &Lab, name: &str) -> (u64, u64, u64) {
    let group = lab.group(name);
    (group.min, group.max, group.desired)
}

#[test]
fn a_scenario_begins_settled_with_traffic_flowing() {
    let lab = Lab::of(&Scenario::default(), &[]);
    let blue = lab.group("news-blue");
    assert_eq!(blue.members.len(), 4);
    for zone in ["ap-northeast-2a", "ap-northeast-2c"] {
        assert_eq!(blue.members.values().filter(|m| m.zone == zone).count(), 2, "{zone}");
    }
    for id in blue.members.keys() {
        let state = elbv2::target_state(&lab.world, &blue.target_groups[0], id);
        assert_eq!(state, Some(TargetState::Healthy));
    }
    assert!(lab.group("news-green").members.is_empty());
    let totals = lab.world.traffic.totals();
    assert_eq!(totals.keys().collect::<Vec<_>>(), ["v1"]);
    assert!(totals["v1"].served > 10_000 && totals["v1"].failed == 0);
}

#[test]
fn minimum_raises_and_maximum_lowers_the_desired_capacity() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("UpdateAutoScalingGroup", "news", map([("MinSize", "6".into())]));
    assert_eq!(sizes(&lab, "news"), (6, 6, 6));
    lab.wait(16);
    assert_eq!(lab.in_service("news", 1), 6);
    let update = map([("MinSize", "0".into()), ("MaxSize", "3".into())]);
    lab.ok("UpdateAutoScalingGroup", "news", update);
    assert_eq!(sizes(&lab, "news"), (0, 3, 3));
    lab.wait(120);
    assert_eq!(lab.group("news").members.len(), 3);
    let (code, _) =
        lab.refused("SetDesiredCapacity", "news", map([("DesiredCapacity", "4".into())]));
    assert_eq!(code, "ValidationError");
}

#[test]
fn an_instance_is_terminating_until_the_deregistration_delay_is_over() {
    let mut lab = Lab::one_group(&[]);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", "3".into())]));
    lab.wait(39);
    let leaving = |lab: &Lab| {
        lab.group("news")
            .members
            .values()
            .filter(|m| m.state == LifecycleState::Terminating)
            .count()
    };
    assert_eq!(leaving(&lab), 1, "10 s until scaling, then 30 s of draining");
    lab.wait(40);
    assert_eq!(leaving(&lab), 0);
}

#[test]
fn a_scheduled_action_runs_once_at_most_two_minutes_late() {
    let mut lab = Lab::one_group(&[]);
    let put = |name: &str, at: &str| {
        map([
            ("ScheduledActionName", name.into()),
            ("StartTime", at.into()),
            ("MinSize", "1".into()),
            ("DesiredCapacity", "1".into()),
        ])
    };
    let operation = "PutScheduledUpdateGroupAction";
    let (_, message) = lab.refused(operation, "news", put("retire", "2026-01-05T08:59:00Z"));
    assert!(message.contains("in the past"), "{message}");
    lab.ok(operation, "news", put("retire", "2026-01-05T09:05:00Z"));
    // Put again under the same name, it moves.
    lab.ok(operation, "news", put("retire", "2026-01-05T09:10:00Z"));
    let (code, _) = lab.refused(operation, "news", put("other", "2026-01-05T09:10:00Z"));
    assert_eq!(code, "AlreadyExists");
    lab.wait(600);
    assert_eq!(sizes(&lab, "news"), (2, 6, 4));
    lab.wait(120);
    assert_eq!(sizes(&lab, "news"), (1, 6, 1));
    assert!(lab.group("news").scheduled.is_empty());
}

#[test]
fn a_deleted_scheduled_action_does_not_run() {
    let mut lab = Lab::one_group(&[]);
    let put = map([
        ("ScheduledActionName", "retire".into()),
        ("StartTime", "2026-01-05T09:05:00Z".into()),
        ("DesiredCapacity", "2".into()),
    ]);
    lab.ok("PutScheduledUpdateGroupAction", "news", put);
    let name = || map([("ScheduledActionName", "retire".into())]);
    lab.ok("DeleteScheduledAction", "news", name());
    lab.refused("DeleteScheduledAction", "news", name());
    lab.wait(600);
    assert_eq!(sizes(&lab, "news"), (2, 6, 4));
}

#[test]
fn an_instance_that_elb_finds_unhealthy_is_replaced_after_its_grace() {
    let mut lab = Lab::one_group(&[("lab.crash", "300")]);
    lab.start("news", map([("MinHealthyPercentage", "0".into()), ("InstanceWarmup", "0".into())]));
    lab.wait_for("news", Status::Successful);
    let before: Vec<String> = lab.group("news").members.keys().cloned().collect();
    lab.wait(420);
    let group = lab.group("news");
    assert!(
        before.iter().all(|id| group.members.get(id).is_none_or(|m| !m.counts_toward_capacity()))
    );
    assert_eq!(group.live().count(), 4);
    let cause = &group
        .activities
        .iter()
        .rev()
        .find(|a| a.description.starts_with("Terminating"))
        .unwrap()
        .cause;
    assert!(cause.contains("ELB system health check failure"), "{cause}");
}

#[test]
fn suspended_launch_keeps_a_group_as_it_is() {
    let mut lab = Lab::one_group(&[]);
    let processes = || map([("ScalingProcesses", Value::List(vec!["Launch".into()]))]);
    lab.ok("SuspendProcesses", "news", processes());
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", "5".into())]));
    lab.wait(60);
    assert_eq!(lab.group("news").members.len(), 4);
    lab.ok("ResumeProcesses", "news", processes());
    lab.wait(60);
    assert_eq!(lab.group("news").members.len(), 5);
}

#[test]
fn the_same_calls_have_the_same_history() {
    let live = |seed_lab: &mut Lab| {
        seed_lab.start("news", map([("SkipMatching", "true".into())]));
        seed_lab.wait(900);
        (seed_lab.world.history(), seed_lab.world.traffic.totals().clone())
    };
    let one = live(&mut Lab::one_group(&[]));
    assert_eq!(one, live(&mut Lab::one_group(&[])));
    let mut other = Lab::one_group(&[]);
    other.wait(1);
    assert_ne!(one.0, live(&mut other).0);
}

#[test]
fn a_lost_zone_is_replaced_in_the_other() {
    let mut lab = Lab::one_group(&[]);
    crate::services::ec2::set_zone_lost(&mut lab.world, "ap-northeast-2a", true);
    lab.wait(120);
    let live: Vec<&str> = lab.group("news").live().map(|(_, m)| m.zone.as_str()).collect();
    assert_eq!(live, ["ap-northeast-2c"; 4]);
}

#[test]
fn an_instance_whose_image_is_missing_never_answers() {
    let mut lab = Lab::one_group(&[]);
    let update = |lab: &mut Lab, user_data: &str| {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.encode(user_data);
        lab.new_version_with(&data);
    };
    update(&mut lab, "docker run 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news:nope");
    let template = map([("LaunchTemplateName", "news".into()), ("Version", "3".into())]);
    lab.ok(
        "UpdateAutoScalingGroup",
        "news",
        map([("LaunchTemplate", template), ("MinSize", "5".into())]),
    );
    lab.wait(100);
    let group = lab.group("news");
    let (id, _) = group.members.iter().find(|(_, m)| m.template.2 == 3).unwrap();
    let state = elbv2::target_state(&lab.world, &group.target_groups[0], id);
    assert_eq!(state, Some(TargetState::Unhealthy));
}
