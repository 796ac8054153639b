//! Tests of the Elastic Load Balancing API.

use super::fixture::{Fixture, world};
use super::{Action, target_state};
use crate::services::ec2;
use crate::wire::{Value, map};

fn forward(groups: &[(&str, Option<i64>)]) -> Value {
    let tuples = groups.iter().map(|(arn, weight)| {
        map([("TargetGroupArn", (*arn).into()), ("Weight", (*weight).into())])
    });
    let config = map([("TargetGroups", tuples.collect::<Vec<_>>().into())]);
    map([("Type", "forward".into()), ("ForwardConfig", config)])
}

fn modify(f: &mut Fixture, action: Value) -> Result<Value, String> {
    let input = map([("RuleArn", f.rule.as_str().into()), ("Actions", vec![action].into())]);
    f.call("ModifyRule", input).map_err(|e| e.code)
}

#[test]
fn a_single_forward_is_echoed_in_both_forms() {
    let mut f = world();
    let input = map([("ListenerArn", f.listener.as_str().into())]);
    let rules = f.call("DescribeRules", input).unwrap();
    let rules = rules.list("Rules");
    let action = &rules[0].list("Actions")[0];
    assert_eq!(action.str("TargetGroupArn"), Some(f.blue.as_str()));
    let config = action.get("ForwardConfig");
    assert_eq!(config.list("TargetGroups")[0].int("Weight"), Some(1));
    assert_eq!(config.get("TargetGroupStickinessConfig").bool("Enabled"), Some(false));
    assert_eq!(rules[0].str("Priority"), Some("10"));
    assert_eq!(rules[0].list("Conditions")[0].strings("Values"), ["/*"]);
    assert_eq!(rules[1].str("Priority"), Some("default"), "the default rule comes last");
    assert_eq!(rules[1].bool("IsDefault"), Some(true));

    let (blue, green) = (f.blue.clone(), f.green.clone());
    let changed = modify(&mut f, forward(&[(&blue, Some(95)), (&green, Some(5))])).unwrap();
    let action = &changed.list("Rules")[0].list("Actions")[0];
    assert_eq!(action.str("TargetGroupArn"), None);
    assert_eq!(action.get("ForwardConfig").list("TargetGroups")[1].int("Weight"), Some(5));
    let changed = modify(&mut f, forward(&[(&green, Some(100))])).unwrap();
    let action = &changed.list("Rules")[0].list("Actions")[0];
    assert_eq!(action.str("TargetGroupArn"), Some(green.as_str()));
    assert_eq!(action.get("ForwardConfig").list("TargetGroups")[0].int("Weight"), Some(1));
}

#[test]
fn errors_have_the_codes_of_the_service() {
    let mut f = world();
    let (blue, missing) = (f.blue.clone(), f.blue.replace("news-blue", "other"));
    assert_eq!(modify(&mut f, forward(&[(&missing, None)])), Err("TargetGroupNotFound".into()));
    assert_eq!(modify(&mut f, forward(&[(&blue, Some(1000))])), Err("ValidationError".into()));
    assert_eq!(modify(&mut f, forward(&[])), Err("ValidationError".into()));
    let oidc = map([
        ("Type", "authenticate-oidc".into()),
        ("AuthenticateOidcConfig", map([("UseExistingClientSecret", true.into())])),
    ]);
    assert_eq!(modify(&mut f, oidc), Err("ValidationError".into()), "there is no existing secret");
    f.rule = f.world.elbv2.listeners[&f.listener].default_rule.clone();
    assert_eq!(modify(&mut f, forward(&[(&blue, None)])), Err("OperationNotPermitted".into()));
}

#[test]
fn modify_listener_changes_only_the_default_action() {
    let mut f = world();
    let action = forward(&[(&f.green.clone(), None)]);
    let input =
        map([("ListenerArn", f.listener.as_str().into()), ("DefaultActions", vec![action].into())]);
    f.call("ModifyListener", input).unwrap();
    let listener = &f.world.elbv2.listeners[&f.listener];
    assert_eq!(f.world.elbv2.rules[&listener.default_rule].actions, [Action::forward(&f.green)]);
    assert_eq!(f.world.elbv2.rules[&f.rule].actions, [Action::forward(&f.blue)]);
}

#[test]
fn a_target_is_unused_until_a_rule_names_its_group() {
    let mut f = world();
    let green = f.green.clone();
    f.instance("i-1", "z-a", "v1", 0, &green);
    f.wait(60);
    assert_eq!(f.health(&green, "i-1"), ("unused".into(), "Target.NotInUse".into()));
    f.set_weights(100, 0);
    assert_eq!(f.health(&green, "i-1"), ("initial".into(), "Elb.RegistrationInProgress".into()));
    f.wait(7);
    assert_eq!(
        f.health(&green, "i-1").0,
        "healthy",
        "one passed check suffices, whatever the threshold"
    );
    f.set_weights(100, 0);
    assert_eq!(f.health(&green, "i-1").0, "healthy", "setting the same weights changes nothing");
    let blue = f.blue.clone();
    modify(&mut f, forward(&[(&blue, None)])).unwrap();
    assert_eq!(f.health(&green, "i-1"), ("unused".into(), "Target.NotInUse".into()));
}

#[test]
fn a_target_in_a_zone_without_a_node_is_unused() {
    let mut f = world();
    let blue = f.blue.clone();
    f.instance("i-1", "z-d", "v1", 0, &blue);
    f.wait(30);
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.NotInUse".into()));
}

#[test]
fn slow_boots_and_crashes_follow_the_thresholds() {
    let mut f = world();
    let blue = f.blue.clone();
    f.instance("i-1", "z-a", "v1", 25, &blue);
    f.wait(9);
    assert_eq!(f.health(&blue, "i-1"), ("initial".into(), "Elb.InitialHealthChecking".into()));
    f.wait(2);
    assert_eq!(f.health(&blue, "i-1"), ("unhealthy".into(), "Target.FailedHealthChecks".into()));
    f.wait(30);
    assert_eq!(f.health(&blue, "i-1").0, "unhealthy", "passed 2 of the 3 required checks");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1").0, "healthy");
    f.world.ec2.instances.get_mut("i-1").unwrap().program.healthy = false;
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1").0, "healthy", "failed 1 of the 2 required checks");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1"), ("unhealthy".into(), "Target.ResponseCodeMismatch".into()));
    ec2::terminate(&mut f.world, "i-1");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.InvalidState".into()));
    f.wait(30);
    assert_eq!(target_state(&f.world, &blue, "i-1"), None, "removed with its instance");
}

#[test]
fn draining_lasts_for_the_whole_delay() {
    let mut f = world().settled(0.0);
    let blue = f.blue.clone();
    super::deregister(&mut f.world, &blue, "i-1");
    f.wait(29);
    assert_eq!(
        f.health(&blue, "i-1"),
        ("draining".into(), "Target.DeregistrationInProgress".into())
    );
    f.wait(1);
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.NotRegistered".into()));
    assert_eq!(target_state(&f.world, &blue, "i-1"), None);

    super::deregister(&mut f.world, &blue, "i-2");
    f.wait(10);
    super::register(&mut f.world, &blue, "i-2", None).unwrap();
    f.wait(40);
    assert_eq!(f.health(&blue, "i-2").0, "healthy", "registered again while it was draining");
}

#[test]
fn each_node_receives_new_weights_after_its_own_delay() {
    let mut f = world().settled(0.0);
    f.set_weights(0, 100);
    let weights = |f: &Fixture| -> Vec<u32> {
        let nodes = f.world.elbv2.load_balancers[&f.balancer].nodes.values();
        nodes.map(|n| n.rule(&f.rule).unwrap().forward().unwrap().groups[1].1).collect()
    };
    assert_eq!(weights(&f), [0, 0], "the control plane has the new weights, the nodes don't yet");
    let mut seen = Vec::new();
    for _ in 0..20 {
        f.wait(1);
        seen.push(weights(&f));
    }
    assert_eq!(seen.last().unwrap(), &[100, 100]);
    assert!(seen.iter().any(|w| w[0] != w[1]), "the nodes differ for a while: {seen:?}");
}

#[test]
fn a_late_update_never_overwrites_a_newer_one() {
    let mut f = world().settled(0.0);
    for weight in 1..=50 {
        f.set_weights(100 - weight, weight);
        f.wait(1);
    }
    f.wait(20);
    let nodes = f.world.elbv2.load_balancers[&f.balancer].nodes.values();
    let weights: Vec<u32> =
        nodes.map(|n| n.rule(&f.rule).unwrap().forward().unwrap().groups[1].1).collect();
    assert_eq!(weights, [50, 50]);
}

#[test]
fn a_resource_in_use_cannot_be_deleted() {
    let mut f = world().settled(0.0);
    let (balancer, listener, blue) = (f.balancer.clone(), f.listener.clone(), f.blue.clone());
    let one = |key: &'static str, arn: &str| map([(key, arn.into())]);
    let code = |f: &mut Fixture, operation: &str, input: Value| {
        f.call(operation, input).map(|_| ()).map_err(|e| e.code)
    };
    let in_use = Err("ResourceInUse".to_owned());
    assert_eq!(code(&mut f, "DeleteTargetGroup", one("TargetGroupArn", &blue)), in_use);
    let protect = |on: &str| {
        let pair = map([("Key", "deletion_protection.enabled".into()), ("Value", on.into())]);
        one("LoadBalancerArn", &balancer).with("Attributes", vec![pair])
    };
    f.call("ModifyLoadBalancerAttributes", protect("true")).unwrap();
    let refused = Err("OperationNotPermitted".to_owned());
    assert_eq!(code(&mut f, "DeleteLoadBalancer", one("LoadBalancerArn", &balancer)), refused);
    f.call("ModifyLoadBalancerAttributes", protect("false")).unwrap();

    f.call("DeleteListener", one("ListenerArn", &listener)).unwrap();
    assert!(f.world.elbv2.rules.is_empty());
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.NotInUse".into()));
    f.call("DeleteTargetGroup", one("TargetGroupArn", &blue)).unwrap();
    f.call("DeleteLoadBalancer", one("LoadBalancerArn", &balancer)).unwrap();
    f.call("DeleteLoadBalancer", one("LoadBalancerArn", &balancer)).unwrap();
    assert_eq!(
        f.world.elbv2.interfaces(f.world.now).len(),
        2,
        "its network interfaces remain for a while"
    );
    f.wait(60);
    assert!(f.world.elbv2.interfaces(f.world.now).is_empty());
    assert!(f.world.elbv2.tags.is_empty());
}

#[test]
fn rules_swap_priorities() {
    let mut f = world();
    let input = |priority: &str| {
        let condition =
            map([("Field", "path-pattern".into()), ("Values", vec!["/b".into()].into())]);
        map([
            ("ListenerArn", f.listener.as_str().into()),
            ("Priority", priority.into()),
            ("Conditions", vec![condition].into()),
            ("Actions", vec![forward(&[(&f.green, None)])].into()),
        ])
    };
    let (taken, free) = (input("10"), input("20"));
    assert_eq!(f.call("CreateRule", taken).unwrap_err().code, "PriorityInUse");
    let made = f.call("CreateRule", free).unwrap();
    let other = made.list("Rules")[0].str("RuleArn").unwrap().to_owned();
    let pair =
        |arn: &str, priority: i64| map([("RuleArn", arn.into()), ("Priority", priority.into())]);
    let both = vec![pair(&f.rule.clone(), 20), pair(&other, 10)];
    f.call("SetRulePriorities", map([("RulePriorities", both.into())])).unwrap();
    assert_eq!(f.world.elbv2.rules[&other].priority, Some(10));
    let one = map([("RulePriorities", vec![pair(&other, 20)].into())]);
    assert_eq!(f.call("SetRulePriorities", one).unwrap_err().code, "PriorityInUse");
}

#[test]
fn the_result_of_a_check_determines_the_reason() {
    let mut f = world();
    let blue = f.blue.clone();
    f.world.ec2.zones.insert("z-c".to_owned(), ec2::Zone { id: "z".to_owned(), alive: true });
    for (id, zone) in [("i-1", "z-a"), ("i-2", "z-c")] {
        f.instance(id, zone, "v1", 0, &blue);
    }
    f.wait(30);
    ec2::set_zone_lost(&mut f.world, "z-c", true);
    f.world.ec2.instances.get_mut("i-1").unwrap().state = ec2::InstanceState::Stopped;
    f.wait(30);
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.InvalidState".into()));
    assert_eq!(f.health(&blue, "i-2"), ("unhealthy".into(), "Target.Timeout".into()));
    f.world.ec2.instances.get_mut("i-1").unwrap().state = ec2::InstanceState::Running;
    f.wait(30);
    assert_eq!(f.health(&blue, "i-1").0, "healthy", "started again");
    assert_eq!(f.health(&blue, "i-9"), ("unused".into(), "Target.NotRegistered".into()));
}

#[test]
fn the_target_groups_of_a_load_balancer_share_the_target_quota() {
    let mut f = world();
    f.set_weights(100, 0);
    let (blue, green) = (f.blue.clone(), f.green.clone());
    f.instance("i-1", "z-a", "v1", 0, &blue);
    for arn in [&blue, &green] {
        "vpc-1".clone_into(&mut f.world.elbv2.target_groups.get_mut(arn).unwrap().vpc);
    }
    let one = f.world.ec2.instances["i-1"].clone();
    let targets = |from: usize, to: usize| {
        Value::List((from..to).map(|n| map([("Id", format!("i-{n}").into())])).collect())
    };
    for n in 2..1100 {
        f.world.ec2.instances.insert(format!("i-{n}"), one.clone());
    }
    let mut register = |group: &str, from, to| {
        let input = map([("TargetGroupArn", group.into()), ("Targets", targets(from, to))]);
        f.call("RegisterTargets", input).map(drop).map_err(|e| e.code)
    };
    assert_eq!(register(&blue, 1, 601), Ok(()), "the first target is already registered");
    assert_eq!(register(&green, 601, 1002), Err("TooManyTargets".into()));
    assert_eq!(register(&green, 601, 1001), Ok(()), "the refused call registered nothing");
    assert_eq!(register(&green, 601, 1001), Ok(()), "registering the same targets again adds none");
    assert_eq!(register(&blue, 1001, 1002), Err("TooManyTargets".into()));
}

#[test]
fn checks_respect_path_port_and_timeout() {
    for (setting, value, reason) in [
        ("HealthCheckPath", "/missing", "Target.ResponseCodeMismatch"),
        ("HealthCheckPort", "9000", "Target.FailedHealthChecks"),
        ("HealthCheckTimeoutSeconds", "2", "Target.Timeout"),
        ("HealthCheckPath", "/healthz", ""),
    ] {
        let mut f = world().settled(0.0);
        let blue = f.blue.clone();
        f.world.ec2.instances.get_mut("i-1").unwrap().program.latency_ms = 3000;
        f.wait(60);
        assert_eq!(
            f.health(&blue, "i-1").0,
            "healthy",
            "a response takes 3 s, the default timeout is 5 s"
        );
        let input = map([("TargetGroupArn", blue.as_str().into()), (setting, value.into())]);
        f.call("ModifyTargetGroup", input).unwrap();
        f.wait(60);
        let state = if reason.is_empty() { "healthy" } else { "unhealthy" };
        assert_eq!(f.health(&blue, "i-1"), (state.to_owned(), reason.to_owned()), "{setting}");
    }
}

#[test]
fn target_stickiness_needs_group_stickiness() {
    let mut f = world();
    f.set_weights(100, 0);
    let (blue, green) = (f.blue.clone(), f.green.clone());
    let enable = |f: &mut Fixture| {
        let attribute = map([("Key", "stickiness.enabled".into()), ("Value", "true".into())]);
        let attributes = Value::List(vec![attribute]);
        let input = map([("TargetGroupArn", blue.as_str().into()), ("Attributes", attributes)]);
        f.call("ModifyTargetGroupAttributes", input).map(drop).map_err(|e| e.code)
    };
    let refused = "InvalidConfigurationRequest".to_owned();
    assert_eq!(enable(&mut f), Err(refused.clone()));
    modify(&mut f, forward(&[(&blue, None)])).unwrap();
    assert_eq!(
        enable(&mut f),
        Ok(()),
        "with a single target group, clients can't be sent to another"
    );
    let both = forward(&[(&blue, Some(1)), (&green, Some(1))]);
    assert_eq!(modify(&mut f, both), Err(refused));
}
