//! Somebody changes the launch template, or what a group launches from.

use super::{BLUE, GREEN};
use crate::model::Ending;
use crate::rehearse::story::{Person, Story, Verb, phase, weights};

/// A group launches from another version from now on.
async fn launches_from(hand: Person, group: &str, version: &str) {
    let template = hand.template();
    let source = [
        ("LaunchTemplate.LaunchTemplateId", template.as_str()),
        ("LaunchTemplate.Version", version),
    ];
    hand.group("UpdateAutoScalingGroup", group, &source).await;
}

/// Somebody's own version, which becomes the default.
async fn new_default(hand: Person) {
    let template = hand.template();
    let version = [
        ("LaunchTemplateId", template.as_str()),
        ("SourceVersion", "1"),
        ("LaunchTemplateData.InstanceType", "t3.large"),
    ];
    hand.ec2("CreateLaunchTemplateVersion", &version).await;
    let default = [("LaunchTemplateId", template.as_str()), ("SetDefaultVersion", "3")];
    hand.ec2("ModifyLaunchTemplate", &default).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_and_another_default_are_no_matter() {
    let mut story = Story::canary().when(phase("refresh"), new_default);
    story.run(Verb::Deploy("v2")).await.ended(Ending::Succeeded);
    assert_eq!(story.truth().group(GREEN), (2, 4, "2"));
}

#[tokio::test(start_paused = true)]
async fn a_new_side_that_launches_from_another_version_takes_back() {
    let mut story = Story::canary()
        .when(weights(10, true), |hand| async move { launches_from(hand, GREEN, "1").await });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("another hand lets news-green launch from version 1");
    story.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn what_another_hand_lets_the_new_side_launch_from_stays() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        new_default(hand.clone()).await;
        launches_from(hand, GREEN, "3").await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("another hand lets news-green launch from version 3");
    told.says("left alone");
    assert_eq!(story.truth().users(), [(BLUE, 100)], "{told}");
    assert_eq!(story.truth().groups[GREEN].version, "3", "{told}");
}

#[tokio::test(start_paused = true)]
async fn an_old_side_that_launches_from_another_version_is_told() {
    let mut story = Story::canary().when(weights(10, true), |hand| async move {
        new_default(hand.clone()).await;
        launches_from(hand, BLUE, "3").await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::Succeeded).says("another hand lets news-blue launch from version 3");
}

/// A version like the first that both groups launch from now on, while no instance runs it: what `cutover adopt` leaves,
/// and a change of the template that no refresh followed.
async fn newer_than_their_instances(hand: Person, groups: &[&str]) {
    let template = hand.template();
    let version = [
        ("LaunchTemplateId", template.as_str()),
        ("SourceVersion", "1"),
        ("LaunchTemplateData.InstanceType", "t3.micro"),
    ];
    hand.ec2("CreateLaunchTemplateVersion", &version).await;
    for group in groups {
        launches_from(hand.clone(), group, "2").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_version_is_rolled_back_to_instances_older_than_their_template() {
    let mut story = Story::canary().checked();
    newer_than_their_instances(story.person(), &[BLUE, GREEN]).await;
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::RolledBack);
    assert_eq!(story.truth().users(), [(BLUE, 100)], "{told}");
    assert_eq!(story.truth().groups[GREEN].version, "2", "{told}");
    story.keeps_its_promises();
}

#[tokio::test(start_paused = true)]
async fn one_group_is_rolled_back_to_the_version_that_it_launched() {
    let mut story = Story::rolling();
    newer_than_their_instances(story.person(), &["news"]).await;
    let told = story.run(Verb::DeployBad("v2")).await;
    told.ended(Ending::RolledBack);
    assert_eq!(story.truth().groups["news"].version, "2", "{told}");
}

async fn deleted(hand: Person) {
    hand.deletes_the_template();
}

#[tokio::test(start_paused = true)]
async fn a_template_deleted_before_the_refresh_leaves_traffic_alone() {
    let mut story = Story::canary().when(phase("free"), deleted);
    let told = story.run(Verb::Deploy("v2")).await;
    assert!(matches!(told.ending(), Some(Ending::Failed | Ending::Stuck)), "{told}");
    assert_eq!(story.truth().users(), [(BLUE, 100)], "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_template_deleted_in_mid_rollout_takes_back() {
    for moment in ["bake", "settle"] {
        let mut story = Story::canary().when(phase(moment), deleted);
        let told = story.run(Verb::Deploy("v2")).await;
        assert!(matches!(told.ending(), Some(Ending::RolledBack | Ending::Stuck)), "{told}");
        assert_eq!(story.truth().users(), [(BLUE, 100)], "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_deleted_in_mid_rollout_takes_back() {
    let mut story = Story::canary().when(weights(50, true), |hand| async move {
        let template = hand.template();
        let version = [("LaunchTemplateId", template.as_str()), ("LaunchTemplateVersion.1", "2")];
        hand.ec2("DeleteLaunchTemplateVersions", &version).await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack).says("does not hold the digest");
    story.is_as_before();
}

#[tokio::test(start_paused = true)]
async fn one_group_that_launches_from_another_version_is_not_called_a_success() {
    let mut story = Story::rolling().when(phase("verify"), |hand| async move {
        launches_from(hand, "news", "1").await;
    });
    let told = story.run(Verb::Deploy("v2")).await;
    told.ended(Ending::RolledBack);
    assert_eq!(story.truth().groups["news"].version, "1", "{told}");
}
