//! Conformance: AWS's own clients build the architecture in an empty account, use it, and tear it down.
//! boto3 does all of it (`conformance/main.py`), with botocore's validation and waiters, and every response
//! is checked against botocore's models; the AWS CLI does a part (`conformance/tour.sh`).

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::Duration;

use cutover_lab::services::{ec2, ecr, iam, ssm, sts};
use cutover_lab::world::World;
use tokio::process::Command;

/// A CLI command takes most of a second, so up to this many of the lab's seconds pass between two
/// commands.
const TOUR_SPEED: f64 = 100.0;

/// At this speed, the hour after which a refresh without progress fails takes six seconds.
const SPEED: f64 = 600.0;

#[tokio::test]
async fn boto3_builds_the_architecture_and_deletes_it_again() {
    let Some(python) = support::program("python") else { return };
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, running) = support::serve(SPEED, |_| World::new(1, start)).await;
    let run = Command::new(python)
        .arg("-B")
        .arg(support::test_file("conformance/main.py"))
        .arg(endpoint)
        .env("PYTHONPATH", support::test_file("support"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), run).await.unwrap().unwrap();
    println!("{}", support::expect_success(&output));
    running.world(|world| is_empty(world));
}

#[tokio::test]
async fn the_cli_tour_leaves_nothing_behind() {
    let Some(aws) = support::program("aws") else { return };
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, running) = support::serve(TOUR_SPEED, |_| World::new(1, start)).await;
    let home = tempfile::TempDir::new().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let run = Command::new("bash")
        .arg(support::test_file("conformance/tour.sh"))
        .env_clear()
        .env("PATH", format!("{}:{path}", aws.parent().unwrap().display()))
        .env("HOME", home.path())
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_DEFAULT_REGION", "ap-northeast-2")
        .env("AWS_ACCESS_KEY_ID", sts::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", sts::SECRET_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), run).await.unwrap().unwrap();
    println!("{}", support::expect_success(&output));
    running.world(|world| is_empty(world));
}

/// Checks that nothing is left that a user created.
fn is_empty(world: &World) {
    let leftovers = ec2::leftovers(world);
    assert!(leftovers.is_empty(), "{leftovers:?}");
    assert!(world.autoscaling.groups.is_empty());
    assert!(world.cloudwatch.alarms.is_empty());
    let balancing = &world.elbv2;
    assert!(balancing.load_balancers.is_empty() && balancing.target_groups.is_empty());
    assert!(balancing.listeners.is_empty() && balancing.rules.is_empty());
    let leftovers = [ecr::leftovers(world), iam::leftovers(world), ssm::leftovers(world)].concat();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}
