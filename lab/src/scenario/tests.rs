//! Scenarios as data, and a manual deployment in the default one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ImageFiles, Scenario};
use crate::services::{autoscaling, ec2, elbv2};
use crate::wire::{Call, Principal, Service, Value, map};
use crate::world::{World, later};

const START: &str = "2026-01-05T09:00:00Z";

fn world(scenario: &Scenario, seed: u64) -> World {
    World::from_scenario(scenario, seed, START.parse().unwrap()).unwrap()
}

#[test]
fn a_scenario_is_plain_data() {
    for scenario in [Scenario::default(), Scenario::one_group()] {
        let text = serde_saphyr::to_string(&scenario).unwrap();
        assert_eq!(serde_saphyr::from_str::<Scenario>(&text).unwrap(), scenario, "{text}");
    }
    let shorter: Scenario = serde_saphyr::from_str("requests_per_second: 5").unwrap();
    assert_eq!(shorter, Scenario { requests_per_second: 5.0, ..Scenario::default() });
}

#[test]
fn arns_are_the_same_for_every_seed() {
    let arns = |seed| {
        let world = world(&Scenario::default(), seed);
        let rules: Vec<String> = world.elbv2.rules.keys().cloned().collect();
        let templates: Vec<String> = world.ec2.templates.keys().cloned().collect();
        (rules, templates)
    };
    assert_eq!(arns(1), arns(2));
}

#[test]
fn what_aws_would_refuse_is_refused() {
    let mut scenario = Scenario::default();
    scenario.groups[0].max = 1;
    let error = World::from_scenario(&scenario, 1, START.parse().unwrap()).unwrap_err();
    assert!(error.message.contains("Max bound"), "{error}");
}

/// A person with the AWS CLI.
struct Operator(World);

impl Operator {
    fn call(&mut self, service: Service, operation: &str, input: Value) -> Value {
        let call = Call {
            service,
            operation: operation.to_owned(),
            input,
            caller: Principal::anonymous(),
            region: self.0.region.clone(),
        };
        match service {
            Service::Ec2 => ec2::call(&mut self.0, &call).unwrap(),
            Service::Elbv2 => elbv2::call(&mut self.0, &call).unwrap(),
            _ => autoscaling::call(&mut self.0, &call).unwrap(),
        }
    }

    fn group(&mut self, operation: &str, name: &str, input: Value) {
        self.call(Service::Autoscaling, operation, input.with("AutoScalingGroupName", name));
    }

    fn wait(&mut self, seconds: u64) {
        self.0.advance(later(self.0.now, Duration::from_secs(seconds)));
    }

    /// Adds version 2 of the site to the registry and to the launch template.
    fn new_version(&mut self) {
        let mut image = ImageFiles::news_site();
        image.labels.insert("lab.version".to_owned(), "v2".to_owned());
        let digest = image.store(&mut self.0.registry, "news", "v2").unwrap();
        let host = Scenario::default().registry();
        let user_data = STANDARD.encode(format!("docker run {host}/news@{digest}"));
        let input = map([
            ("LaunchTemplateName", "news".into()),
            ("SourceVersion", "1".into()),
            ("LaunchTemplateData", map([("UserData", user_data.into())])),
        ]);
        self.call(Service::Ec2, "CreateLaunchTemplateVersion", input);
    }

    fn weigh(&mut self, blue: i64, green: i64) {
        let rule = self.0.elbv2.rules.values().find(|r| r.priority == Some(10)).unwrap();
        let rule = rule.arn.clone();
        let arn = |name: &str| {
            let groups = &self.0.elbv2.target_groups;
            groups.values().find(|g| g.name == name).unwrap().arn.clone()
        };
        let weighted = |name: &str, weight: i64| {
            map([("TargetGroupArn", arn(name).into()), ("Weight", weight.into())])
        };
        let groups = vec![weighted("news-blue", blue), weighted("news-green", green)];
        let forward = map([("TargetGroups", groups.into())]);
        let action = map([("Type", "forward".into()), ("ForwardConfig", forward)]);
        let input = map([("RuleArn", rule.into()), ("Actions", Value::List(vec![action]))]);
        self.call(Service::Elbv2, "ModifyRule", input);
    }

    /// Returns the requests that a version has served since the start, and all that failed.
    fn tally(&self, version: &str) -> (u64, u64) {
        let totals = self.0.traffic.totals();
        let served = totals.get(version).map_or(0, |tally| tally.served);
        (served, totals.values().map(|tally| tally.failed).sum())
    }
}

#[test]
fn a_careful_operator_moves_all_traffic_and_loses_none() {
    let mut operator = Operator(world(&Scenario::default(), 3));
    operator.new_version();
    let template = map([("LaunchTemplateName", "news".into()), ("Version", "2".into())]);
    let desired = map([("DesiredConfiguration", map([("LaunchTemplate", template)]))]);
    operator.group("StartInstanceRefresh", "news-green", desired);
    operator.wait(10);
    operator.group("UpdateAutoScalingGroup", "news-green", map([("MinSize", 4_i64.into())]));
    operator.weigh(100, 0);
    operator.wait(120);
    assert_eq!(operator.tally("v2"), (0, 0), "weight 0 receives no traffic");
    operator.weigh(50, 50);
    operator.wait(60);
    let (served, failed) = operator.tally("v2");
    assert!((1000..2000).contains(&served) && failed == 0, "{served} {failed}");
    operator.weigh(0, 100);
    operator.wait(60);
    let before = operator.tally("v1");
    let retire = map([
        ("ScheduledActionName", "retire".into()),
        ("StartTime", later(operator.0.now, Duration::from_secs(60)).into()),
        ("MinSize", 0_i64.into()),
        ("DesiredCapacity", 0_i64.into()),
    ]);
    operator.group("PutScheduledUpdateGroupAction", "news-blue", retire);
    operator.wait(600);
    assert!(operator.0.autoscaling.groups["news-blue"].members.is_empty());
    assert_eq!(operator.tally("v1"), before, "no more requests, and none failed");
    assert_eq!(before.1, 0);
}

#[test]
fn a_careless_operator_loses_requests() {
    let mut operator = Operator(world(&Scenario::default(), 3));
    operator.weigh(50, 50);
    operator.wait(60);
    let (_, failed) = operator.tally("v1");
    assert!(failed > 1000, "half of the traffic to an empty group: {failed}");
}

#[test]
fn amounts_are_bounded() {
    for text in [
        "requests_per_second: -1",
        "requests_per_second: .nan",
        "requests_per_second: 1e300",
        "demand: { capacity: -5 }",
        "demand: { daily: { peak_hour: 20, trough: .inf } }",
        "demand: { bursts: [{ at: 1, factor: -2, lasts: 1 }] }",
    ] {
        let error = serde_saphyr::from_str::<Scenario>(text).unwrap_err().to_string();
        assert!(error.contains("a number from 0 to 1000000000"), "{text}: {error}");
    }
    let busy = "
requests_per_second: 1000000000
history_minutes: 1
demand: { bursts: [{ at: 0, factor: 1000000000, lasts: 600 }] }
";
    let busy: Scenario = serde_saphyr::from_str(busy).unwrap();
    let mut world =
        World::from_scenario(&busy, 1, "2026-01-05T09:00:00Z".parse().unwrap()).unwrap();
    world.advance(later(world.now, Duration::from_secs(300)));
}
