//! The load balancer as callers see it.

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
fn refusals_have_the_services_codes() {
    let mut f = world();
    let (blue, missing) = (f.blue.clone(), f.blue.replace("news-blue", "other"));
    assert_eq!(modify(&mut f, forward(&[(&missing, None)])), Err("TargetGroupNotFound".into()));
    assert_eq!(modify(&mut f, forward(&[(&blue, Some(1000))])), Err("ValidationError".into()));
    assert_eq!(modify(&mut f, forward(&[])), Err("ValidationError".into()));
    let oidc = map([
        ("Type", "authenticate-oidc".into()),
        ("AuthenticateOidcConfig", map([("UseExistingClientSecret", true.into())])),
    ]);
    assert_eq!(modify(&mut f, oidc), Err("ValidationError".into()), "there is no secret to keep");
    f.rule = f.world.elbv2.listeners[&f.listener].default_rule.clone();
    assert_eq!(modify(&mut f, forward(&[(&blue, None)])), Err("OperationNotPermitted".into()));
}

#[test]
fn only_the_default_action_changes_by_the_listener() {
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
    f.weigh(100, 0);
    assert_eq!(f.health(&green, "i-1"), ("initial".into(), "Elb.RegistrationInProgress".into()));
    f.wait(7);
    assert_eq!(f.health(&green, "i-1").0, "healthy", "one passed check, whatever the threshold");
    f.weigh(100, 0);
    assert_eq!(f.health(&green, "i-1").0, "healthy", "writing the same changes nothing");
    let blue = f.blue.clone();
    modify(&mut f, forward(&[(&blue, None)])).unwrap();
    assert_eq!(f.health(&green, "i-1"), ("unused".into(), "Target.NotInUse".into()));
}

#[test]
fn a_zone_without_a_node_is_not_in_use() {
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
    assert_eq!(f.health(&blue, "i-1"), ("unhealthy".into(), "Target.Timeout".into()));
    f.wait(30);
    assert_eq!(f.health(&blue, "i-1").0, "unhealthy", "two passed of three needed");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1").0, "healthy");
    f.world.ec2.instances.get_mut("i-1").unwrap().program.healthy = false;
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1").0, "healthy", "one failure of two needed");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1"), ("unhealthy".into(), "Target.ResponseCodeMismatch".into()));
    ec2::terminate(&mut f.world, "i-1");
    f.wait(10);
    assert_eq!(f.health(&blue, "i-1"), ("unused".into(), "Target.InvalidState".into()));
    f.wait(30);
    assert_eq!(target_state(&f.world, &blue, "i-1"), None, "gone with its instance");
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
    assert_eq!(f.health(&blue, "i-2").0, "healthy", "back before it was gone");
}

#[test]
fn nodes_learn_weights_later_and_each_in_its_own_time() {
    let mut f = world().settled(0.0);
    f.weigh(0, 100);
    let weights = |f: &Fixture| -> Vec<u32> {
        let nodes = f.world.elbv2.load_balancers[&f.balancer].nodes.values();
        nodes.map(|n| n.rule(&f.rule).unwrap().forward().unwrap().groups[1].1).collect()
    };
    assert_eq!(weights(&f), [0, 0], "the control plane knows, the nodes don't");
    let mut seen = Vec::new();
    for _ in 0..20 {
        f.wait(1);
        seen.push(weights(&f));
    }
    assert_eq!(seen.last().unwrap(), &[100, 100]);
    assert!(seen.iter().any(|w| w[0] != w[1]), "for a while they differ: {seen:?}");
}

#[test]
fn a_late_message_never_undoes_a_newer_one() {
    let mut f = world().settled(0.0);
    for weight in 1..=50 {
        f.weigh(100 - weight, weight);
        f.wait(1);
    }
    f.wait(20);
    let nodes = f.world.elbv2.load_balancers[&f.balancer].nodes.values();
    let weights: Vec<u32> =
        nodes.map(|n| n.rule(&f.rule).unwrap().forward().unwrap().groups[1].1).collect();
    assert_eq!(weights, [50, 50]);
}
