//! An operator changes the launch template, or what a group launches from.

use super::{BLUE, GREEN};
use crate::rehearse::testcase::{LabOperator, TestCase, TestCommand, phase, weights};
use cutover_rollout::model::Status;

/// Makes a group launch from another version.
async fn launches_from(operator: LabOperator, group: &str, version: &str) {
    let template = operator.template();
    let source = [
        ("LaunchTemplate.LaunchTemplateId", template.as_str()),
        ("LaunchTemplate.Version", version),
    ];
    operator.group("UpdateAutoScalingGroup", group, &source).await;
}

/// Creates an operator's own version and makes it the default.
async fn new_default(operator: LabOperator) {
    let template = operator.template();
    let version = [
        ("LaunchTemplateId", template.as_str()),
        ("SourceVersion", "1"),
        ("LaunchTemplateData.InstanceType", "t3.large"),
    ];
    operator.ec2("CreateLaunchTemplateVersion", &version).await;
    let default = [("LaunchTemplateId", template.as_str()), ("SetDefaultVersion", "3")];
    operator.ec2("ModifyLaunchTemplate", &default).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_and_default_are_ignored() {
    let mut case = TestCase::canary().when(phase("refresh"), new_default);
    case.run(TestCommand::Deploy("v2")).await.ended(Status::Succeeded);
    assert_eq!(case.truth().group(GREEN), (2, 4, "2"));
}

#[tokio::test(start_paused = true)]
async fn a_new_side_that_launches_another_version_rolls_back() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        launches_from(operator, GREEN, "1").await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::RolledBack)
        .assert_says("an external change made news-green launch from version 1");
    case.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn a_version_that_others_set_on_the_new_side_is_kept() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        new_default(operator.clone()).await;
        launches_from(operator, GREEN, "3").await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::RolledBack)
        .assert_says("is not open: an external change made news-green launch from version 3");
    reported.assert_says("left as it is");
    assert_eq!(case.truth().users(), [(BLUE, 100)], "{reported}");
    assert_eq!(case.truth().groups[GREEN].version, "3", "{reported}");
}

#[tokio::test(start_paused = true)]
async fn an_old_side_that_launches_another_version_is_reported() {
    let mut case = TestCase::canary().when(weights(10, true), |operator| async move {
        new_default(operator.clone()).await;
        launches_from(operator, BLUE, "3").await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported
        .ended(Status::Succeeded)
        .assert_says("an external change made news-blue launch from version 3");
}

/// Creates a version like the first that these groups launch from now on, while no instance runs
/// it: what `cutover adopt` leaves, and a change of the template without a refresh.
async fn newer_than_their_instances(operator: LabOperator, groups: &[&str]) {
    let template = operator.template();
    let version = [
        ("LaunchTemplateId", template.as_str()),
        ("SourceVersion", "1"),
        ("LaunchTemplateData.InstanceType", "t3.micro"),
    ];
    operator.ec2("CreateLaunchTemplateVersion", &version).await;
    for group in groups {
        launches_from(operator.clone(), group, "2").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_version_is_rolled_back_to_instances_older_than_their_template() {
    let mut case = TestCase::canary().with_checkers();
    newer_than_their_instances(case.operator(), &[BLUE, GREEN]).await;
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::RolledBack);
    assert_eq!(case.truth().users(), [(BLUE, 100)], "{reported}");
    assert_eq!(case.truth().groups[GREEN].version, "2", "{reported}");
    case.assert_promises_hold();
}

#[tokio::test(start_paused = true)]
async fn one_group_is_rolled_back_to_the_version_that_it_launched() {
    let mut case = TestCase::rolling();
    newer_than_their_instances(case.operator(), &["news"]).await;
    let reported = case.run(TestCommand::DeployBad("v2")).await;
    reported.ended(Status::RolledBack);
    assert_eq!(case.truth().groups["news"].version, "2", "{reported}");
}

async fn deleted(operator: LabOperator) {
    operator.delete_template();
}

#[tokio::test(start_paused = true)]
async fn a_template_deleted_before_the_refresh_leaves_traffic_alone() {
    let mut case = TestCase::canary().when(phase("cancel-scale-in"), deleted);
    let reported = case.run(TestCommand::Deploy("v2")).await;
    assert!(matches!(reported.ending(), Some(Status::Failed | Status::Stuck)), "{reported}");
    assert_eq!(case.truth().users(), [(BLUE, 100)], "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_template_deleted_during_a_rollout_rolls_back() {
    for moment in ["bake", "settle"] {
        let mut case = TestCase::canary().when(phase(moment), deleted);
        let reported = case.run(TestCommand::Deploy("v2")).await;
        assert!(
            matches!(reported.ending(), Some(Status::RolledBack | Status::Stuck)),
            "{reported}"
        );
        assert_eq!(case.truth().users(), [(BLUE, 100)], "{reported}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_deleted_during_a_rollout_rolls_back() {
    let mut case = TestCase::canary().when(weights(50, true), |operator| async move {
        let template = operator.template();
        let version = [("LaunchTemplateId", template.as_str()), ("LaunchTemplateVersion.1", "2")];
        operator.ec2("DeleteLaunchTemplateVersions", &version).await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack).assert_says("does not name the image by its digest");
    case.assert_unchanged();
}

#[tokio::test(start_paused = true)]
async fn one_group_that_launches_another_version_is_not_a_success() {
    let mut case = TestCase::rolling().when(phase("verify"), |operator| async move {
        launches_from(operator, "news", "1").await;
    });
    let reported = case.run(TestCommand::Deploy("v2")).await;
    reported.ended(Status::RolledBack);
    assert_eq!(case.truth().groups["news"].version, "1", "{reported}");
}
