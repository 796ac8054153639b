//! Breaks promises 1 to 3 with calls made by hand: raised shares and rollbacks. The right checker
//! must report each.

use super::stage::{BLUE, GREEN, assert_only_violation, begun, split};
use cutover_rollout::model::Status;

#[test]
fn traffic_without_ready_targets_is_reported() {
    let mut stage = begun();
    stage.weights("run-1", 90, 10);
    assert_only_violation(&stage, "needs 1 ready targets of version 1 and has 0");
}

#[test]
fn traffic_on_a_stale_read_is_reported() {
    let mut stage = begun();
    stage.make_green_healthy();
    stage.look("run-1");
    stage.wait(60);
    stage.weights("run-1", 90, 10);
    let found = stage.found();
    assert!(found.iter().any(|f| f.contains("on health read 60 s earlier")), "{found:?}");
}

#[test]
fn traffic_to_lost_targets_is_reported() {
    let mut stage = split();
    for _ in 0..8 {
        stage.look("run-1");
        stage.wait(10);
    }
    assert_eq!(stage.found(), [""; 0]);
    // An operator terminates every instance of green, and the run does nothing about it.
    stage.update("operator", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    stage.wait(60);
    assert_only_violation(
        &stage,
        "has received 10% of the traffic with 0 of 1 ready targets for more than 30 s",
    );
}

#[test]
fn failing_calls_excuse_a_run_only_for_a_while() {
    let mut stage = split();
    stage.update("operator", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    for _ in 0..8 {
        stage.wait(10);
        stage.cut("run-1");
    }
    assert_eq!(stage.found(), [""; 0]);
    for _ in 0..4 {
        stage.wait(10);
        stage.cut("run-1");
    }
    assert_only_violation(&stage, "has received 10% of the traffic with 0 of 1 ready targets");
}

#[test]
fn a_refresh_under_traffic_is_reported() {
    let mut stage = begun();
    stage.refresh("run-1", BLUE, "1");
    assert_only_violation(
        &stage,
        "started an instance refresh of news-blue, which receives 100% of the traffic",
    );
}

#[test]
fn a_refresh_under_traffic_of_an_unmanaged_rule_is_reported() {
    let mut stage = begun();
    let listener = stage.world.elbv2.listeners.values().next().unwrap().arn.clone();
    let target_group = stage.names.sides[1].target_group.clone().unwrap();
    let input = [
        ("ListenerArn", listener.as_str()),
        ("Priority", "77"),
        ("Conditions.member.1.Field", "path-pattern"),
        ("Conditions.member.1.Values.member.1", "/beta/*"),
        ("Actions.member.1.Type", "forward"),
        ("Actions.member.1.TargetGroupArn", &target_group),
    ];
    stage.call("operator", "elasticloadbalancing", "CreateRule", &input);
    stage.wait(300);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    let found = stage.found();
    assert!(
        found[0].contains("started an instance refresh of news-green, which receives"),
        "{found:?}"
    );
}

#[test]
fn a_refresh_too_soon_after_traffic_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.wait(30);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    assert_only_violation(&stage, "whose traffic ended only 3");
}

#[test]
fn traffic_during_a_refresh_is_reported() {
    let mut stage = split();
    stage.refresh("operator", GREEN, "1");
    stage.wait(45);
    assert_only_violation(&stage, "has received 10% of the traffic during an instance refresh");
}

#[test]
fn a_scale_in_under_traffic_is_reported() {
    let mut stage = begun();
    stage.retire("run-1", BLUE, "cutover-scale-in", 600);
    assert_only_violation(
        &stage,
        "scheduled a scale-in of news-blue, which receives 100% of the traffic",
    );
    stage.wait(800);
    let scaled_in = "news-blue was scaled in while it received 100% of the traffic";
    assert!(stage.found()[1].contains(scaled_in));
}

#[test]
fn traffic_before_a_scheduled_scale_in_is_reported() {
    let mut stage = begun();
    stage.make_green_healthy();
    stage.look("run-1");
    stage.retire("run-1", GREEN, "cutover-scale-in", 1200);
    stage.look("run-1");
    stage.weights("run-1", 90, 10);
    assert_only_violation(&stage, "with its scale-in still scheduled");
}

#[test]
fn writing_before_restoring_traffic_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.record("run-1", 1, Some(Status::Failed));
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "sent PutParameter before it restored traffic");
}

#[test]
fn restoring_traffic_late_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.wait(2);
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "restored traffic 20");
}

#[test]
fn recording_a_decision_before_acting_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    stage.record("run-1", 1, Some(Status::Failed));
    assert_only_violation(&stage, "decided to restore traffic but sent PutParameter first");
}

#[test]
fn a_decision_without_action_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    stage.wait(10);
    assert_only_violation(&stage, "decided to restore traffic and did not");
}

#[test]
fn a_decision_acted_on_late_or_partly_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    stage.wait(2);
    stage.read_claim("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "restored traffic 2110 ms after deciding to");
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    stage.weights("run-1", 95, 5);
    assert_only_violation(&stage, "restored only part of a rule's traffic");
}

#[test]
fn restoring_traffic_twice_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    assert_only_violation(&stage, "wrote weights again that it knew were in place");
}

/// What the run does after giving up on the weights, above all sending the same weights again,
/// overtakes them.
#[test]
fn a_slow_restore_may_be_overtaken_by_its_retry() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    let sent = stage.send_weights("run-1");
    stage.wait(5);
    stage.record("run-1", 1, Some(Status::Failed));
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    let rule = stage.names.rules[0].clone();
    stage.weights_sent(sent, "run-1", &rule, 100, 0);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn a_slow_restore_counts_as_action() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    let sent = stage.send_weights("run-1");
    stage.wait(7);
    let rule = stage.names.rules[0].clone();
    stage.weights_sent(sent, "run-1", &rule, 100, 0);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn recording_a_decision_while_its_weights_are_pending_is_reported() {
    let mut stage = split();
    stage.look("run-1");
    stage.decide_to_restore("run-1");
    stage.send_weights("run-1");
    stage.wait(1);
    stage.record("run-1", 1, Some(Status::Failed));
    assert_only_violation(&stage, "decided to restore traffic but sent PutParameter first");
}
