//! A small world for this crate's tests: a load balancer in two zones, a listener rule, two target groups, and
//! instances that tests add directly.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Action, Condition, HealthCheck, ListenerSpec, LoadBalancerSpec, RuleSpec, TargetGroupSpec,
    activate, create_listener, create_load_balancer, create_rule, create_target_group,
    mark_healthy, register,
};
use crate::services::ec2::{Instance, InstanceState, Subnet};
use crate::traffic::program::Program;
use crate::wire::{ApiResult, Call, Principal, Service, Value, map};
use crate::world::{World, later};

pub(crate) struct Fixture {
    pub(crate) world: World,
    pub(crate) balancer: String,
    pub(crate) listener: String,
    pub(crate) rule: String,
    pub(crate) blue: String,
    pub(crate) green: String,
}

/// Creates the world: blue receives all traffic, green is in no rule, no targets are registered, and there are
/// no requests.
pub(crate) fn world() -> Fixture {
    let mut world = World::new(1, "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap());
    let subnets: BTreeMap<String, String> = [("z-a", "subnet-a"), ("z-c", "subnet-c")]
        .map(|(z, s)| (z.to_owned(), s.to_owned()))
        .into();
    for (zone, subnet) in &subnets {
        let place = Subnet::new(zone, "vpc-1", "10.0.1.0/24".parse().unwrap());
        world.ec2.subnets.insert(subnet.clone(), place);
    }
    let spec = LoadBalancerSpec { name: "news".to_owned(), subnets, ..Default::default() };
    let balancer = create_load_balancer(&mut world, spec).unwrap();
    let mut group = |name: &str| {
        let health =
            HealthCheck { interval: Duration::from_secs(10), healthy: 3, ..HealthCheck::default() };
        let spec = TargetGroupSpec {
            name: name.to_owned(),
            health,
            attributes: [("deregistration_delay.timeout_seconds".to_owned(), "30".to_owned())]
                .into(),
            ..Default::default()
        };
        create_target_group(&mut world, spec).unwrap()
    };
    let (blue, green) = (group("news-blue"), group("news-green"));
    let spec = ListenerSpec {
        load_balancer: balancer.clone(),
        port: 80,
        protocol: "HTTP".to_owned(),
        default_actions: vec![Action::fixed(404, "nothing here")],
        suffix: None,
    };
    let listener = create_listener(&mut world, spec).unwrap();
    let spec = RuleSpec {
        listener: listener.clone(),
        priority: 10,
        conditions: vec![Condition::Path(vec!["/*".to_owned()])],
        actions: vec![Action::forward(&blue)],
        suffix: None,
    };
    let rule = create_rule(&mut world, spec).unwrap();
    activate(&mut world, &balancer);
    Fixture { world, balancer, listener, rule, blue, green }
}

impl Fixture {
    /// Adds a running instance of `version` that answers after `boot` seconds, and registers it in `group`.
    pub(crate) fn instance(&mut self, id: &str, zone: &str, version: &str, boot: u64, group: &str) {
        let instance = Instance {
            zone: zone.to_owned(),
            subnet: "subnet-a".to_owned(),
            private_ip: "10.0.1.4".to_owned(),
            public_ip: None,
            security_groups: Vec::new(),
            running_since: Some(self.world.now),
            launched: self.world.now,
            responds_from: Some(later(self.world.now, Duration::from_secs(boot))),
            state: InstanceState::Running,
            program: Program { version: version.to_owned(), ..Program::default() },
            template: ("lt-1".to_owned(), 1),
            data: Value::Null,
            tags: BTreeMap::new(),
        };
        self.world.ec2.instances.insert(id.to_owned(), instance);
        register(&mut self.world, group, id, None).unwrap();
    }

    /// Adds two healthy instances of v1 to blue and two of v2 to green, one in each zone; puts green into the
    /// rule at weight 0; and sets `rate` requests per second.
    pub(crate) fn settled(mut self, rate: f64) -> Fixture {
        let (blue, green) = (self.blue.clone(), self.green.clone());
        self.set_weights(100, 0);
        self.wait(30);
        for (id, zone, version, group) in [
            ("i-1", "z-a", "v1", &blue),
            ("i-2", "z-c", "v1", &blue),
            ("i-3", "z-a", "v2", &green),
            ("i-4", "z-c", "v2", &green),
        ] {
            self.instance(id, zone, version, 0, group);
            mark_healthy(&mut self.world, group, id);
        }
        self.world.traffic.rate = rate;
        self
    }

    /// Sets these weights with ModifyRule.
    pub(crate) fn set_weights(&mut self, blue: i64, green: i64) {
        let tuple = |arn: &str, weight: i64| {
            map([("TargetGroupArn", arn.into()), ("Weight", weight.to_string().into())])
        };
        let groups = vec![tuple(&self.blue, blue), tuple(&self.green, green)];
        let action = map([
            ("Type", "forward".into()),
            ("ForwardConfig", map([("TargetGroups", groups.into())])),
        ]);
        let input = map([("RuleArn", self.rule.as_str().into()), ("Actions", vec![action].into())]);
        self.call("ModifyRule", input).unwrap();
    }

    /// Makes one call to the Elastic Load Balancing API.
    pub(crate) fn call(&mut self, operation: &str, input: Value) -> ApiResult<Value> {
        super::call(&mut self.world, &call(Service::Elbv2, operation, input))
    }

    /// Advances time by this many seconds.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let until = later(self.world.now, Duration::from_secs(seconds));
        self.world.advance(until);
    }

    /// Returns a target's state and reason from DescribeTargetHealth.
    pub(crate) fn health(&mut self, group: &str, id: &str) -> (String, String) {
        let targets = vec![map([("Id", id.into())])];
        let input = map([("TargetGroupArn", group.into()), ("Targets", targets.into())]);
        let answer = self.call("DescribeTargetHealth", input).unwrap();
        let health = answer.list("TargetHealthDescriptions")[0].get("TargetHealth");
        let text = |key: &str| health.str(key).unwrap_or_default().to_owned();
        (text("State"), text("Reason"))
    }
}

pub(crate) fn call(service: Service, operation: &str, input: Value) -> Call {
    let caller = Principal { account: "123456789012".to_owned(), arn: String::new() };
    Call { service, operation: operation.to_owned(), input, caller, region: "r".to_owned() }
}
