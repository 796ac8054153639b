//! An operator changes weights or rules.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{EventFilter, LabOperator, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::{Event, Status};

const ALL: u32 = 100;

/// Runs a deployment in which the users' rule forwards like this from a phase on, which must be
/// rolled back; returns the test case at its end.
async fn rolled_back_from(moment: &'static str, forward: &'static [(&str, u16)]) -> TestCase {
    let mut case = TestCase::canary()
        .when(phase(moment), move |operator| async move { operator.set_forward(forward).await });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says("an external change");
    case
}

#[tokio::test(start_paused = true)]
async fn traffic_before_the_new_side_is_ready_is_removed() {
    for moment in ["cancel-scale-in", "scale-out", "healthy"] {
        rolled_back_from(moment, &[(BLUE, 50), (GREEN, 50)]).await.assert_unchanged();
    }
}

#[tokio::test(start_paused = true)]
async fn traffic_moved_to_the_old_side_rolls_back() {
    rolled_back_from("bake", &[(BLUE, 100), (GREEN, 0)]).await.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn traffic_moved_to_the_new_side_rolls_back() {
    rolled_back_from("bake", &[(BLUE, 0), (GREEN, 100)]).await.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn traffic_moved_after_the_last_step_rolls_back() {
    rolled_back_from("settle", &[(BLUE, 100), (GREEN, 0)]).await.assert_unchanged();
    rolled_back_from("verify", &[(BLUE, 60), (GREEN, 40)]).await.assert_unchanged();
    rolled_back_from("schedule-scale-in", &[(BLUE, 60), (GREEN, 40)]).await.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn the_weight_of_a_third_group_is_not_touched() {
    for (moment, green) in [("bake", 10), ("settle", 100)] {
        let mut case = TestCase::canary().when(phase(moment), move |operator| async move {
            operator.create_target_group("third").await;
            operator.set_forward(&[(BLUE, 100 - green), (GREEN, green), ("third", 5)]).await;
        });
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::RolledBack).assert_says("an external change set the weights");
        reported.assert_says("belongs to neither side");
        assert_eq!(case.truth().users(), [(BLUE, ALL), ("third", 5)], "{reported}");
        assert_eq!(case.truth().group(GREEN), (0, 0, "1"), "{reported}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_forwards_only_to_another_group_is_not_touched() {
    for moment in ["healthy", "bake", "settle"] {
        let mut case = TestCase::canary().when(phase(moment), |operator| async move {
            operator.create_target_group("maintenance").await;
            operator.set_forward(&[("maintenance", 1)]).await;
        });
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.assert_says("belongs to neither side").assert_never_says("all traffic is back");
        assert!(
            matches!(reported.ending(), Some(Status::RolledBack | Status::Failed)),
            "{reported}"
        );
        assert_eq!(case.truth().users(), [("maintenance", ALL)], "{reported}");
        assert_eq!(case.truth().group(GREEN), (0, 0, "1"), "{reported}");
    }
}

async fn answers_itself(operator: LabOperator) {
    let rule = operator.rule(10);
    let fixed = "Actions.member.1.FixedResponseConfig.StatusCode";
    let parameters =
        [("RuleArn", rule.as_str()), ("Actions.member.1.Type", "fixed-response"), (fixed, "503")];
    operator.balancing("ModifyRule", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_without_its_rule_is_stuck() {
    let mut deleted = TestCase::canary().when(weights(10, true), |operator| async move {
        let rule = operator.rule(10);
        operator.balancing("DeleteRule", &[("RuleArn", &rule)]).await;
    });
    let reported = deleted.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Stuck)
        .assert_says("a rule of this rollout was deleted, or no longer forwards");
    let mut edited = TestCase::canary().when(weights(10, true), answers_itself);
    let reported = edited.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Stuck)
        .assert_says("a rule of this rollout was deleted, or no longer forwards");
    // The operator's change was not overwritten.
    assert!(edited.truth().users().is_empty());
}

/// An operator keeps giving the new side traffic during the undo.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_others_fight_is_stuck() {
    let mut case = TestCase::canary().when(phase("undo"), |operator| async move {
        for _ in 0..40 {
            operator.waits(15).await;
            operator.set_forward(&[(BLUE, 50), (GREEN, 50)]).await;
        }
    });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::Stuck).assert_says("external changes keep taking traffic");
}

#[tokio::test(start_paused = true)]
async fn traffic_moved_once_during_the_undo_is_restored() {
    let mut case = TestCase::canary().when(phase("undo"), |operator| async move {
        operator.set_forward(&[(BLUE, 50), (GREEN, 50)]).await;
    });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::RolledBack).assert_says("lost traffic again");
    case.assert_unchanged();
}

/// Creates a rule that forwards to the pair and that this rollout does not shift.
async fn another_rule(operator: &LabOperator, group: &str) {
    let (listener, forward) =
        (operator.listener(), operator.weighted("Actions.member.1.ForwardConfig", &[(group, 1)]));
    let mut parameters = vec![
        ("ListenerArn", listener.as_str()),
        ("Priority", "5"),
        ("Conditions.member.1.Field", "path-pattern"),
        ("Conditions.member.1.PathPatternConfig.Values.member.1", "/beta/*"),
        ("Actions.member.1.Type", "forward"),
    ];
    parameters.extend(forward.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    operator.balancing("CreateRule", &parameters).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_new_rule_gives_traffic_to_is_not_replaced() {
    let mut case = TestCase::canary().when(phase("cancel-scale-in"), |operator| async move {
        another_rule(&operator, GREEN).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::Failed).assert_says("but is not a rule of this rollout");
    assert_eq!(case.truth().users(), [(BLUE, ALL)], "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_new_rule_gives_traffic_to_is_not_emptied() {
    let mut case = TestCase::canary()
        .when(phase("bake"), |operator| async move { another_rule(&operator, GREEN).await });
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::Stuck).assert_says("but is not a rule of this rollout");
    assert_eq!(case.truth().users(), [(BLUE, ALL)], "{reported}");
    assert_eq!(case.truth().groups[GREEN].desired, 4, "{reported}");
}

#[tokio::test(start_paused = true)]
async fn an_old_group_that_a_new_rule_gives_traffic_to_is_not_scaled_in() {
    let settling: EventFilter = Box::new(phase("settle"));
    let retiring: EventFilter = Box::new(|event| matches!(event, Event::ScaleInScheduled { .. }));
    for moment in [settling, retiring] {
        let mut case = TestCase::canary()
            .when(moment, |operator| async move { another_rule(&operator, BLUE).await });
        let reported = case.run(TestCommand::Deploy("v2")).await;
        reported.ended(Status::Succeeded).assert_says("must be scaled in by hand");
        assert_eq!(case.truth().groups[BLUE].scheduled, [""; 0], "{reported}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_loses_its_test_rule_is_rolled_back() {
    let mut case = TestCase::canary().when(phase("bake"), |operator| async move {
        let rule = operator.rule(1);
        operator.balancing("DeleteRule", &[("RuleArn", &rule)]).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says("a rule of this rollout was deleted");
    assert_eq!(case.truth().users(), [(BLUE, ALL)], "{reported}");
    assert_eq!(case.truth().group(GREEN), (0, 0, "1"), "{reported}");
}
