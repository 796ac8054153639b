//! Lifecycle hooks, through the API and over time.

use super::super::{ActivityStatus, LifecycleState, Status};
use crate::services::autoscaling::fixture::Lab;
use crate::services::elbv2;
use crate::wire::{Value, map};

fn hook(lab: &mut Lab, name: &str, transition: &str, timeout: i64, result: &str) {
    let input = map([
        ("LifecycleHookName", name.into()),
        ("LifecycleTransition", format!("autoscaling:EC2_INSTANCE_{transition}").into()),
        ("HeartbeatTimeout", timeout.into()),
        ("DefaultResult", result.into()),
    ]);
    lab.ok("PutLifecycleHook", "news", input);
}

fn desired(lab: &mut Lab, n: i64) {
    lab.ok("SetDesiredCapacity", "news", map([("DesiredCapacity", n.into())]));
}

fn having(lab: &Lab, state: LifecycleState) -> Vec<String> {
    let members = lab.group("news").members.iter();
    members.filter(|(_, m)| m.state == state).map(|(id, _)| id.clone()).collect()
}

fn complete(lab: &mut Lab, hook: &str, id: &str, result: &str) {
    let input = map([
        ("LifecycleHookName", hook.into()),
        ("InstanceId", id.into()),
        ("LifecycleActionResult", result.into()),
    ]);
    lab.ok("CompleteLifecycleAction", "news", input);
}

#[test]
fn a_launch_waits_unregistered_until_it_may_go_on() {
    let mut lab = Lab::one_group(&[]);
    hook(&mut lab, "warm", "LAUNCHING", 600, "ABANDON");
    desired(&mut lab, 5);
    lab.wait(300);
    let waiting = having(&lab, LifecycleState::PendingWait);
    assert_eq!(waiting.len(), 1);
    let group = lab.group("news");
    assert_eq!(elbv2::target_state(&lab.world, &group.target_groups[0], &waiting[0]), None);
    assert_eq!(group.activities.last().unwrap().status, ActivityStatus::MidLifecycleAction);
    complete(&mut lab, "warm", &waiting[0], "CONTINUE");
    lab.wait(2);
    assert_eq!(lab.in_service("news", 1), 5);
    let (code, message) = lab.refused(
        "CompleteLifecycleAction",
        "news",
        map([
            ("LifecycleHookName", "warm".into()),
            ("InstanceId", waiting[0].as_str().into()),
            ("LifecycleActionResult", "CONTINUE".into()),
        ]),
    );
    assert_eq!(code, "ValidationError");
    assert!(message.starts_with("No active Lifecycle Action found with instance ID i-"));
}

#[test]
fn an_abandoned_launch_is_terminated_and_another_tried() {
    let mut lab = Lab::one_group(&[]);
    hook(&mut lab, "warm", "LAUNCHING", 30, "ABANDON");
    desired(&mut lab, 5);
    lab.wait(46);
    let first = lab.group("news").activities.iter().find(|a| a.status == ActivityStatus::Failed);
    let message = first.unwrap().message.as_ref().unwrap();
    assert!(message.starts_with("Instance failed to complete user's Lifecycle Action: "));
    assert!(message.ends_with("was abandoned: Heartbeat Timeout"), "{message}");
    lab.wait(30);
    assert_eq!(having(&lab, LifecycleState::PendingWait).len(), 1, "the next one");
    // With CONTINUE as the default, the launch proceeds instead.
    hook(&mut lab, "warm", "LAUNCHING", 30, "CONTINUE");
    lab.wait(120);
    assert_eq!(lab.in_service("news", 1), 5);
}

#[test]
fn a_heartbeat_gives_more_time_up_to_the_longest() {
    let mut lab = Lab::one_group(&[]);
    hook(&mut lab, "warm", "LAUNCHING", 30, "ABANDON");
    desired(&mut lab, 5);
    lab.wait(40);
    let waiting = having(&lab, LifecycleState::PendingWait);
    let beat =
        map([("LifecycleHookName", "warm".into()), ("InstanceId", waiting[0].as_str().into())]);
    for _ in 0..148 {
        lab.ok("RecordLifecycleActionHeartbeat", "news", beat.clone());
        lab.wait(20);
    }
    assert_eq!(having(&lab, LifecycleState::PendingWait), waiting);
    lab.wait(60);
    assert_ne!(
        having(&lab, LifecycleState::PendingWait),
        waiting,
        "the wait ends after a hundred timeouts"
    );
}

#[test]
fn a_termination_waits_after_draining_for_every_hook() {
    let mut lab = Lab::one_group(&[]);
    hook(&mut lab, "logs", "TERMINATING", 600, "CONTINUE");
    hook(&mut lab, "audit", "TERMINATING", 900, "ABANDON");
    desired(&mut lab, 3);
    lab.wait(60);
    let waiting = having(&lab, LifecycleState::TerminatingWait);
    assert_eq!(waiting.len(), 1);
    lab.wait(600);
    assert_eq!(having(&lab, LifecycleState::TerminatingWait), waiting, "it still waits for audit");
    complete(&mut lab, "audit", &waiting[0], "CONTINUE");
    assert_eq!(having(&lab, LifecycleState::TerminatingProceed), waiting);
    lab.wait(30);
    assert_eq!(lab.group("news").members.len(), 3);
}

#[test]
fn a_refresh_runs_the_hooks() {
    let mut lab = Lab::one_group(&[]);
    hook(&mut lab, "warm", "LAUNCHING", 120, "CONTINUE");
    hook(&mut lab, "logs", "TERMINATING", 60, "CONTINUE");
    lab.start("news", map([("MinHealthyPercentage", "0".into()), ("InstanceWarmup", "0".into())]));
    lab.wait(100);
    assert_eq!(having(&lab, LifecycleState::PendingWait).len(), 4);
    assert_eq!(having(&lab, LifecycleState::TerminatingWait).len(), 4);
    lab.wait_for("news", Status::Successful);
    assert_eq!(lab.in_service("news", 2), 4);
    // Launches that keep being abandoned are no progress.
    hook(&mut lab, "warm", "LAUNCHING", 30, "ABANDON");
    lab.start("news", map([("MinHealthyPercentage", "75".into())]));
    lab.wait_for("news", Status::Failed);
    assert!(lab.in_service("news", 2) >= 3);
}

#[test]
fn hooks_are_checked_described_and_deleted() {
    let mut lab = Lab::one_group(&[]);
    let refused = |lab: &mut Lab, key: &'static str, value: Value| {
        let input = map([("LifecycleHookName", "warm".into()), (key, value)]);
        lab.refused("PutLifecycleHook", "news", input).1
    };
    assert!(
        refused(&mut lab, "HeartbeatTimeout", 60_i64.into()).contains("Transition is required")
    );
    hook(&mut lab, "warm", "LAUNCHING", 60, "ABANDON");
    assert!(refused(&mut lab, "HeartbeatTimeout", 29_i64.into()).contains("between 30 and 7200"));
    assert!(refused(&mut lab, "DefaultResult", "STAY".into()).contains("CONTINUE or ABANDON"));
    let described = lab.ok("DescribeLifecycleHooks", "news", map([]));
    let hooks = described.list("LifecycleHooks");
    assert_eq!(hooks[0].int("GlobalTimeout"), Some(6000));
    assert_eq!(hooks[0].str("DefaultResult"), Some("ABANDON"));
    desired(&mut lab, 5);
    lab.wait(20);
    lab.ok("DeleteLifecycleHook", "news", map([("LifecycleHookName", "warm".into())]));
    assert!(having(&lab, LifecycleState::PendingWait).is_empty(), "abandoned with its hook");
    lab.wait(30);
    assert_eq!(lab.in_service("news", 1), 5);
    for n in 0..50 {
        hook(&mut lab, &format!("hook-{n}"), "LAUNCHING", 60, "ABANDON");
    }
    let input = map([
        ("LifecycleHookName", "more".into()),
        ("LifecycleTransition", "autoscaling:EC2_INSTANCE_LAUNCHING".into()),
    ]);
    assert_eq!(lab.refused("PutLifecycleHook", "news", input).0, "LimitExceeded");
}
