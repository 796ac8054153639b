//! Promises 1 to 3 broken by hand: weight, and the way back. Each is told, and by the checker that it
//! belongs to.

use super::stage::{BLUE, GREEN, begun, split, told};
use crate::model::Ending;

#[test]
fn weight_without_health() {
    let mut stage = begun();
    stage.weights("run-1", 90, 10);
    told(&stage, "needs 1 ready targets of version 1, and has 0");
}

#[test]
fn weight_without_a_look() {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.wait(60);
    stage.weights("run-1", 90, 10);
    let found = stage.found();
    assert!(found.iter().any(|f| f.contains("on a look of 60 s ago")), "{found:?}");
}

#[test]
fn weight_that_is_no_longer_borne() {
    let mut stage = split();
    for _ in 0..8 {
        stage.look("run-1");
        stage.wait(10);
    }
    assert_eq!(stage.found(), [""; 0]);
    // Somebody ends every instance of green, and the run just looks on.
    stage.update("hand", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    stage.wait(60);
    told(&stage, "has borne 10 % with 0 of 1 ready targets for more than 30 s");
}

#[test]
fn trouble_is_no_excuse_for_ever() {
    let mut stage = split();
    stage.update("hand", GREEN, &[("MinSize", "0"), ("DesiredCapacity", "0")]);
    for _ in 0..8 {
        stage.wait(10);
        stage.cut("run-1");
    }
    assert_eq!(stage.found(), [""; 0]);
    for _ in 0..4 {
        stage.wait(10);
        stage.cut("run-1");
    }
    told(&stage, "has borne 10 % with 0 of 1 ready targets");
}

#[test]
fn a_refresh_under_traffic() {
    let mut stage = begun();
    stage.refresh("run-1", BLUE, "1");
    told(&stage, "started an instance refresh of news-blue, which bears 100 %");
}

#[test]
fn a_refresh_under_traffic_of_a_rule_that_is_not_ours() {
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
    stage.call("hand", "elasticloadbalancing", "CreateRule", &input);
    stage.wait(300);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    let found = stage.found();
    assert!(
        found[0].contains("started an instance refresh of news-green, which bears"),
        "{found:?}"
    );
}

#[test]
fn a_refresh_too_soon() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.wait(30);
    stage.look("run-1");
    stage.refresh("run-1", GREEN, "1");
    told(&stage, "without weight for only 3");
}

#[test]
fn weight_under_a_refresh() {
    let mut stage = split();
    stage.refresh("hand", GREEN, "1");
    stage.wait(45);
    told(&stage, "has borne 10 % under a refresh");
}

#[test]
fn a_retirement_under_traffic() {
    let mut stage = begun();
    stage.retire("run-1", BLUE, "cutover-retire", 600);
    told(&stage, "scheduled the retirement of news-blue, which bears 100 %");
    stage.wait(800);
    assert!(stage.found()[1].contains("news-blue was retired while it bore 100 %"));
}

#[test]
fn weight_with_a_retirement_to_come() {
    let mut stage = begun();
    stage.warm_green();
    stage.look("run-1");
    stage.retire("run-1", GREEN, "cutover-retire", 1200);
    stage.look("run-1");
    stage.weights("run-1", 90, 10);
    told(&stage, "with its retirement still to come");
}

#[test]
fn something_written_before_traffic_is_back() {
    let mut stage = split();
    stage.look("run-1");
    stage.record("run-1", 1, Some(Ending::Failed));
    stage.weights("run-1", 100, 0);
    told(&stage, "sent PutParameter before it took traffic back");
}

#[test]
fn traffic_taken_back_late() {
    let mut stage = split();
    stage.look("run-1");
    stage.wait(2);
    stage.weights("run-1", 100, 0);
    told(&stage, "took traffic back 20");
}

#[test]
fn a_decision_that_is_put_on_record_first() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.record("run-1", 1, Some(Ending::Failed));
    told(&stage, "sent PutParameter before it took traffic back, as it had decided");
}

#[test]
fn a_decision_that_is_not_acted_on() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.wait(10);
    told(&stage, "decided to take traffic back, and did not");
}

#[test]
fn a_decision_that_is_acted_on_late_or_by_half() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.wait(2);
    stage.look_at_the_claim("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "took traffic back 2110 ms after it had decided to");
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.weights("run-1", 95, 5);
    told(&stage, "took back only a part of a rule's traffic");
}

#[test]
fn traffic_taken_back_twice() {
    let mut stage = split();
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    told(&stage, "wrote again what it knew to be written");
}

/// What is done after weights were given up, the same weights again above all, overtakes them.
#[test]
fn traffic_that_is_taken_back_by_a_request_that_is_long_on_its_way() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    let sent = stage.sends_weights("run-1");
    stage.wait(5);
    stage.record("run-1", 1, Some(Ending::Failed));
    stage.look("run-1");
    stage.weights("run-1", 100, 0);
    let rule = stage.names.rules[0].clone();
    stage.weights_sent(sent, "run-1", &rule, 100, 0);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn weights_alone_on_their_way_for_long_are_acted_upon() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    let sent = stage.sends_weights("run-1");
    stage.wait(7);
    let rule = stage.names.rules[0].clone();
    stage.weights_sent(sent, "run-1", &rule, 100, 0);
    assert_eq!(stage.found(), [""; 0]);
}

#[test]
fn a_decision_that_is_put_on_record_while_its_weights_may_still_be_answered() {
    let mut stage = split();
    stage.look("run-1");
    stage.decides("run-1");
    stage.sends_weights("run-1");
    stage.wait(1);
    stage.record("run-1", 1, Some(Ending::Failed));
    told(&stage, "sent PutParameter before it took traffic back, as it had decided");
}
