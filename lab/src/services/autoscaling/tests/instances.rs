//! Single instances: standby, attachment, detachment, protection, termination policies.

use crate::services::autoscaling::fixture::Lab;
use crate::services::autoscaling::{LifecycleState, termination_policy};
use crate::services::ec2::{self, InstanceState};
use crate::services::elbv2;
use crate::wire::{Value, map};

fn named(id: &str) -> Value {
    map([("InstanceIds", Value::List(vec![id.into()]))])
}

fn lowering(id: &str, lowers: bool) -> Value {
    named(id).with("ShouldDecrementDesiredCapacity", lowers)
}

fn first(lab: &Lab) -> String {
    lab.group("news").members.keys().next().unwrap().clone()
}

fn state(lab: &Lab, id: &str) -> Option<LifecycleState> {
    lab.group("news").members.get(id).map(|member| member.state)
}

#[test]
fn standby_leaves_traffic_and_comes_back_by_pending() {
    let mut lab = Lab::one_group(&[]);
    let id = first(&lab);
    let answer = lab.ok("EnterStandby", "news", lowering(&id, true));
    let activity = &answer.list("Activities")[0];
    assert!(activity.str("Cause").unwrap().ends_with(
        "was moved to standby in response to a user request, shrinking the capacity from 4 to 3."
    ));
    assert_eq!(state(&lab, &id), Some(LifecycleState::EnteringStandby));
    lab.wait(40);
    assert_eq!(state(&lab, &id), Some(LifecycleState::Standby), "after it has drained");
    assert_eq!((lab.group("news").desired, lab.in_service("news", 1)), (3, 3));
    let target_group = lab.group("news").target_groups[0].clone();
    assert_eq!(elbv2::target_state(&lab.world, &target_group, &id), None);

    let (_, message) = lab.refused("EnterStandby", "news", lowering(&id, true));
    assert!(message.contains("is not in InService"), "{message}");
    lab.ok("ExitStandby", "news", named(&id));
    assert_eq!(state(&lab, &id), Some(LifecycleState::Pending));
    lab.wait(6);
    assert_eq!(state(&lab, &id), Some(LifecycleState::InService));
    assert_eq!(lab.group("news").desired, 4);
    assert!(lab.refused("ExitStandby", "news", named(&id)).1.contains("is not in Standby"));
}

#[test]
fn an_instance_named_twice_is_one() {
    let mut lab = Lab::one_group(&[]);
    let id = first(&lab);
    let twice = map([("InstanceIds", Value::List(vec![id.as_str().into(), id.as_str().into()]))]);
    let lowering = twice.clone().with("ShouldDecrementDesiredCapacity", true);
    let answer = lab.ok("EnterStandby", "news", lowering);
    assert_eq!((answer.list("Activities").len(), lab.group("news").desired), (1, 3));
    lab.wait(40);
    lab.ok("ExitStandby", "news", twice);
    assert_eq!(lab.group("news").desired, 4);

    let arn = lab.group("news").target_groups[0].clone();
    let twice = Value::List(vec![arn.as_str().into(), arn.as_str().into()]);
    let twice = map([("TargetGroupARNs", twice)]);
    lab.ok("DetachLoadBalancerTargetGroups", "news", twice.clone());
    lab.ok("AttachLoadBalancerTargetGroups", "news", twice);
    assert_eq!(lab.group("news").target_groups, [arn]);
}

#[test]
fn nothing_is_attached_to_a_group_that_is_being_deleted() {
    let mut lab = Lab::one_group(&[]);
    let id = first(&lab);
    lab.ok("DetachInstances", "news", lowering(&id, false));
    lab.wait(60);
    lab.ok("DeleteAutoScalingGroup", "news", map([("ForceDelete", true.into())]));
    let (_, message) = lab.refused("AttachInstances", "news", named(&id));
    assert!(message.contains("pending delete"), "{message}");
}

#[test]
fn standby_without_lowering_is_replaced_and_may_be_unable_to_return() {
    let mut lab = Lab::one_group(&[]);
    let id = first(&lab);
    lab.ok("UpdateAutoScalingGroup", "news", map([("MaxSize", 4_i64.into())]));
    lab.ok("EnterStandby", "news", lowering(&id, false));
    lab.wait(60);
    assert_eq!(lab.in_service("news", 1), 4);
    let (_, message) = lab.refused("ExitStandby", "news", named(&id));
    assert_eq!(
        message,
        "AutoScalingGroup news has min-size=2, max-size=4, and desired-size=4. To place into service 1 more instance, please update the AutoScalingGroup sizes appropriately."
    );
    // Health checks ignore instances in standby.
    ec2::terminate(&mut lab.world, &id);
    lab.wait(120);
    assert_eq!(state(&lab, &id), Some(LifecycleState::Standby));
}

#[test]
fn a_detached_instance_lives_and_can_be_attached() {
    let mut lab = Lab::one_group(&[]);
    let id = first(&lab);
    let answer = lab.ok("DetachInstances", "news", lowering(&id, true));
    assert_eq!(
        answer.list("Activities")[0].str("Description"),
        Some(format!("Detaching EC2 instance: {id}").as_str())
    );
    assert_eq!(state(&lab, &id), Some(LifecycleState::Detaching));
    lab.wait(60);
    assert_eq!(state(&lab, &id), None);
    assert_eq!(lab.world.ec2.instances[&id].state, InstanceState::Running);
    assert_eq!((lab.group("news").desired, lab.group("news").members.len()), (3, 3));
    lab.ok("AttachInstances", "news", named(&id));
    assert_eq!(state(&lab, &id), Some(LifecycleState::Pending));
    lab.wait(20);
    assert_eq!((lab.group("news").desired, lab.in_service("news", 1)), (4, 4));
    let (_, message) = lab.refused("AttachInstances", "news", named(&id));
    assert!(message.ends_with("is already part of AutoScalingGroup:news"), "{message}");
    assert!(lab.refused("AttachInstances", "news", named("i-0")).1.contains("'running' state"));
    assert!(lab.refused("DetachInstances", "news", named(&id)).1.contains("ShouldDecrement"));
    lab.ok("UpdateAutoScalingGroup", "news", map([("MinSize", 4_i64.into())]));
    assert!(lab.refused("DetachInstances", "news", lowering(&id, true)).1.contains("min-size=4"));
    // Without lowering DesiredCapacity, another takes its place.
    lab.ok("DetachInstances", "news", lowering(&id, false));
    lab.wait(60);
    assert_eq!(lab.in_service("news", 1), 4);
}

#[test]
fn an_instance_set_unhealthy_is_replaced_but_not_in_its_grace_period() {
    let mut lab = Lab::one_group(&[]);
    let set = |lab: &mut Lab, id: &str, respects: Option<bool>| {
        let input = map([
            ("InstanceId", id.into()),
            ("HealthStatus", "Unhealthy".into()),
            ("ShouldRespectGracePeriod", respects.into()),
        ]);
        lab.call("SetInstanceHealth", input).unwrap();
    };
    let id = first(&lab);
    lab.ok("UpdateAutoScalingGroup", "news", map([("HealthCheckGracePeriod", "3600".into())]));
    set(&mut lab, &id, None);
    lab.wait(30);
    assert_eq!(state(&lab, &id), Some(LifecycleState::InService));
    set(&mut lab, &id, Some(false));
    lab.wait(30);
    assert_eq!(state(&lab, &id), Some(LifecycleState::Terminating));
    let causes = lab.group("news").activities.iter().map(|a| a.cause.as_str());
    assert!(causes.clone().any(|cause| cause.contains("user health-check")));
}

#[test]
fn termination_policies_choose() {
    let mut lab = Lab::one_group(&[]);
    let oldest = first(&lab);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", 6_i64.into())]));
    lab.wait(60);
    let by = |lab: &mut Lab, policy: &str| {
        let policies = Value::List(vec![policy.into()]);
        lab.ok("UpdateAutoScalingGroup", "news", map([("TerminationPolicies", policies)]));
        let group = lab.group("news");
        let chosen = termination_policy::choose(group, lab.world.now).unwrap();
        group.members[&chosen].launched
    };
    let begun = lab.group("news").members[&oldest].launched;
    assert_eq!(by(&mut lab, "OldestInstance"), begun);
    assert!(by(&mut lab, "NewestInstance") > begun);
    assert_eq!(by(&mut lab, "Default"), begun);
    let unknown = map([("TerminationPolicies", Value::List(vec!["Random".into()]))]);
    assert!(lab.refused("UpdateAutoScalingGroup", "news", unknown).1.contains("Random"));
    // Protection overrides every policy.
    let all: Vec<Value> = lab.group("news").members.keys().map(|id| id.as_str().into()).collect();
    let protect = map([("InstanceIds", all.into()), ("ProtectedFromScaleIn", true.into())]);
    lab.ok("SetInstanceProtection", "news", protect);
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", 2_i64.into())]));
    lab.wait(600);
    assert_eq!((lab.group("news").desired, lab.in_service("news", 1)), (2, 6));
}

#[test]
fn a_zone_that_is_no_longer_the_groups_is_left() {
    let mut lab = Lab::one_group(&[]);
    let subnet = lab.group("news").subnets[0].clone();
    lab.ok("UpdateAutoScalingGroup", "news", map([("VPCZoneIdentifier", subnet.into())]));
    let (fewest, _) = lab.extremes("news", 900);
    assert_eq!(fewest, 4, "a new instance is launched first");
    let zones: Vec<_> = lab.group("news").live().map(|(_, m)| m.zone.clone()).collect();
    assert_eq!(zones, ["ap-northeast-2a"; 4]);
}
