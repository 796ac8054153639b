//! Scheduled events, operators, request rates and stale reads.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::super::{EventKind, Misbehavior, Throttling};
use crate::dispatch::client;
use crate::scenario::Scenario;
use crate::services::elbv2::{self, TargetState};
use crate::transport::{InProcess, WatchEvent};
use crate::world::{World, later};

fn world(scenario: &Scenario) -> World {
    World::from_scenario(scenario, 1, "2026-01-05T09:00:00Z".parse().unwrap()).unwrap()
}

fn wait(world: &mut World, seconds: u64) {
    world.advance(later(world.now, Duration::from_secs(seconds)));
}

/// Sends a call and returns the status and the body of the response.
fn ask(world: &mut World, call: &str, input: &serde_json::Value) -> (u16, String) {
    let request = client::request(&world.region.clone(), call, input);
    let response = world.answer(&request);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), text)
}

fn in_state(world: &World, state: TargetState) -> usize {
    let targets = world.elbv2.target_groups.values().flat_map(|group| group.targets.values());
    targets.filter(|target| target.state == state).count()
}

#[test]
fn a_lost_zone_takes_its_instances_and_its_node() {
    let lost = EventKind::ZoneLost { zone: "c".to_owned() };
    let back = EventKind::ZoneBack { zone: "ap-northeast-2c".to_owned() };
    let scenario = Scenario::default().with_event(61, lost).with_event(361, back);
    let mut world = world(&scenario);
    let failed = |world: &World| world.traffic.totals().get("none").map_or(0, |t| t.failed);
    wait(&mut world, 61);
    assert_eq!(failed(&world), 0);
    wait(&mut world, 299);
    assert!(!world.ec2.zones["ap-northeast-2c"].alive);
    assert!(failed(&world) > 100, "until the checks notice, half of the targets do not answer");
    wait(&mut world, 900);
    assert_eq!(in_state(&world, TargetState::Healthy), 4);
}

#[test]
fn a_shortage_ends() {
    let some = EventKind::Shortage { zone: Some("a".to_owned()), lasts: 300 };
    let everywhere = EventKind::Shortage { zone: None, lasts: 60 };
    let scenario = Scenario::default().with_event(10, some).with_event(20, everywhere);
    let mut world = world(&scenario);
    wait(&mut world, 20);
    let short = |world: &World, zone: &str| {
        world.ec2.zones_without_capacity.get(zone).is_some_and(|until| *until > world.now)
    };
    assert!(short(&world, "ap-northeast-2a") && short(&world, "ap-northeast-2c"));
    wait(&mut world, 60);
    assert!(short(&world, "ap-northeast-2a"), "the later end counts");
    assert!(!short(&world, "ap-northeast-2c"));
}

#[test]
fn without_capacity_nothing_is_launched() {
    let scenario = Scenario::default()
        .with_event(10, EventKind::Shortage { zone: None, lasts: 300 })
        .with_event(20, operator("autoscaling:SetDesiredCapacity", 5));
    let mut world = world(&scenario);
    wait(&mut world, 300);
    let group = &world.autoscaling.groups["news-blue"];
    assert_eq!((group.desired, group.members.len()), (5, 4));
    let input = json!({ "AutoScalingGroupName": "news-blue" });
    let (_, activities) = ask(&mut world, "autoscaling:DescribeScalingActivities", &input);
    assert!(activities.contains("do not have sufficient t3.micro capacity"), "{activities}");
    wait(&mut world, 1500);
    assert_eq!(world.autoscaling.groups["news-blue"].members.len(), 5);
}

fn operator(call: &str, desired: u64) -> EventKind {
    let input = json!({ "AutoScalingGroupName": "news-blue", "DesiredCapacity": desired });
    EventKind::Operator { call: call.to_owned(), input }
}

#[tokio::test(start_paused = true)]
async fn an_operator_call_is_shown_even_if_it_is_refused() {
    let weights = json!({
        "RuleArn": "${rule:10}",
        "Actions": [{ "Type": "forward", "ForwardConfig": { "TargetGroups": [
            { "TargetGroupArn": "${target_group:news-blue}", "Weight": 7 },
            { "TargetGroupArn": "${target_group:news-green}", "Weight": 3 },
        ] } }],
    });
    let change =
        EventKind::Operator { call: "elasticloadbalancing:ModifyRule".to_owned(), input: weights };
    let scenario = Scenario::default()
        .with_event(5, change)
        .with_event(10, operator("autoscaling:SetDesiredCapacity", 99))
        .with_event(15, operator("ssm:NoSuchOperation", 1));
    let transport = InProcess::new(world(&scenario));
    let seen = Arc::new(Mutex::new(Vec::new()));
    transport.watch({
        let seen = seen.clone();
        move |_, moment| {
            if let WatchEvent::Call { sender, operation, status, .. } = moment {
                seen.lock().unwrap().push(format!("{sender} {operation} {status}"));
            }
        }
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    transport.world(|world| {
        let rule = world.elbv2.rules.values().find(|rule| rule.priority == Some(10)).unwrap();
        let weights: Vec<u32> = rule.forward().unwrap().groups.iter().map(|(_, w)| *w).collect();
        assert_eq!(weights, [7, 3]);
        let refused = &world.faults.operator_calls[1];
        let why = String::from_utf8(refused.body.to_vec()).unwrap();
        assert!(refused.status == 400 && why.contains("above max value"), "{why}");
    });
    let expected = [
        "operator ModifyRule 200",
        "operator SetDesiredCapacity 400",
        "operator NoSuchOperation 400",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn an_image_misbehaves_for_a_while() {
    let image = |error_rate, unhealthy, lasts| EventKind::Image {
        version: "v1".to_owned(),
        lasts: Some(lasts),
        becomes: Misbehavior { error_rate, unhealthy, latency_ms: None },
    };
    let scenario = Scenario::default()
        .with_event(60, image(Some(0.5), false, 60))
        .with_event(300, image(None, true, 30));
    let mut world = world(&scenario);
    let failed = |world: &World| world.traffic.totals()["v1"].failed;
    wait(&mut world, 60);
    assert_eq!(failed(&world), 0);
    wait(&mut world, 60);
    let during = failed(&world);
    assert!((1200..1800).contains(&during), "half of 3000: {during}");
    wait(&mut world, 180);
    assert_eq!(failed(&world), during);
    wait(&mut world, 25);
    assert_eq!(in_state(&world, TargetState::Healthy), 0);
}

#[test]
fn overlapping_misbehavior_ends_separately() {
    let image =
        |lasts, becomes| EventKind::Image { version: "v1".to_owned(), lasts: Some(lasts), becomes };
    let failing = Misbehavior { error_rate: Some(1.0), ..Misbehavior::default() };
    let slow = Misbehavior { latency_ms: Some(900), ..Misbehavior::default() };
    let scenario =
        Scenario::default().with_event(60, image(60, failing)).with_event(90, image(120, slow));
    let mut world = world(&scenario);
    let mut at = |second: u64| {
        let until = later(world.began, Duration::from_secs(second));
        world.advance(until);
        let program = &world.ec2.instances.values().next().unwrap().program;
        (program.error_rate, program.latency_ms)
    };
    assert_eq!(at(100), (1.0, 900));
    assert_eq!(at(130), (0.0, 900), "the end of the first leaves the second");
    assert_eq!(at(220), (0.0, 20));
}

#[test]
fn request_rates_apply_if_a_scenario_says_so() {
    let mut scenario = Scenario::default();
    let throttled = |world: &mut World| {
        let answers =
            (0..50).map(|_| ask(world, "elasticloadbalancing:DescribeLoadBalancers", &json!({})));
        answers.filter(|(status, text)| *status == 400 && text.contains("Rate exceeded")).count()
    };
    assert_eq!(throttled(&mut world(&scenario)), 0);
    scenario.faults.throttling = Throttling::Aws;
    let mut world = world(&scenario);
    assert_eq!(throttled(&mut world), 10);
    wait(&mut world, 1);
    assert_eq!(throttled(&mut world), 40);
}

#[test]
fn reads_are_stale_and_catch_up() {
    let mut scenario = Scenario::default();
    scenario.faults.stale_seconds = 5.0;
    let mut world = world(&scenario);
    let arn =
        world.elbv2.rules.values().find(|rule| rule.priority == Some(10)).unwrap().arn.clone();
    let path = |path: &str| {
        json!({
            "RuleArn": arn,
            "Conditions": [{ "Field": "path-pattern", "Values": [path] }],
        })
    };
    let changed = ask(&mut world, "elasticloadbalancing:ModifyRule", &path("/new/*"));
    assert!(changed.0 == 200 && changed.1.contains("/new/*"), "a write returns the new state");
    let new = |world: &mut World| {
        let read = json!({ "RuleArns": [arn] });
        let answers = (0..40).map(|_| ask(world, "elasticloadbalancing:DescribeRules", &read).1);
        answers.filter(|text| text.contains("/new/*")).count()
    };
    wait(&mut world, 1);
    let early = new(&mut world);
    wait(&mut world, 3);
    let late = new(&mut world);
    assert!(0 < early && early < late && late < 40, "{early} {late}");
    wait(&mut world, 2);
    assert_eq!(new(&mut world), 40);
    assert_eq!(ask(&mut world, "elasticloadbalancing:ModifyRule", &path("/*")).0, 200);
}

#[test]
fn reads_of_scheduled_changes_are_stale_too() {
    let mut scenario = Scenario::default();
    scenario.faults.stale_seconds = 5.0;
    let mut world = world(&scenario);
    let group = world.elbv2.target_groups.values().find(|g| g.name == "news-blue").unwrap();
    let (arn, id) = (group.arn.clone(), group.targets.keys().next().unwrap().clone());
    crate::services::ec2::terminate(&mut world, &id);
    let truth = |world: &World| elbv2::target_state(world, &arn, &id);
    while truth(&world) == Some(TargetState::Healthy) {
        let next = world.queue.next_at().unwrap();
        world.advance(next);
    }
    let read = json!({ "TargetGroupArn": arn, "Targets": [{ "Id": id }] });
    let healthy = |world: &mut World| {
        let answers =
            (0..40).map(|_| ask(world, "elasticloadbalancing:DescribeTargetHealth", &read).1);
        answers.filter(|text| text.contains("<State>healthy</State>")).count()
    };
    wait(&mut world, 1);
    assert!(
        (1..40).contains(&healthy(&mut world)),
        "it is unhealthy, and some reads do not show it yet"
    );
    wait(&mut world, 5);
    assert_eq!(healthy(&mut world), 0);
}

#[test]
fn scheduled_events_are_plain_data() {
    let text = "
events:
  - { at: 60, what: { zone_lost: { zone: c } } }
  - { at: 61, what: { shortage: { lasts: 60 } } }
  - { at: 62, what: { rate: { requests_per_second: 5 } } }
  - { at: 63, what: { image: { version: v2, lasts: 60, becomes: { unhealthy: true } } } }
  - at: 64
    what:
      operator:
        call: autoscaling:SuspendProcesses
        input: { AutoScalingGroupName: news-blue, ScalingProcesses: [Launch] }
faults: { throttling: aws, stale_seconds: 2 }
";
    let scenario: Scenario = serde_saphyr::from_str(text).unwrap();
    let again = serde_saphyr::to_string(&scenario).unwrap();
    assert_eq!(serde_saphyr::from_str::<Scenario>(&again).unwrap(), scenario, "{again}");
    let mut world = world(&scenario);
    wait(&mut world, 70);
    assert!(world.autoscaling.groups["news-blue"].suspended.contains_key("Launch"));
}
