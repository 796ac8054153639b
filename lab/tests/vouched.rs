//! From nothing to nothing: AWS's own clients build the architecture in an empty account, use it, and
//! tear it down. boto3 does the whole of it (`vouched/main.py`), with botocore's validation and waiters
//! and every answer held against botocore's models; the AWS CLI does a part (`vouched/tour.sh`).

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::Duration;

use cutover_lab::services::{ec2, ecr, iam, ssm, sts};
use cutover_lab::world::World;
use tokio::process::Command;

/// The CLI needs most of a second for each command, so this many times that passes between two.
const TOUR_SPEED: f64 = 100.0;

/// The hour after which a refresh without progress fails takes six seconds.
const SPEED: f64 = 600.0;

#[tokio::test]
async fn boto3_builds_everything_from_nothing_and_takes_it_down_again() {
    let Some(python) = support::program("python") else { return };
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, running) = support::serve(SPEED, |_| World::new(1, start)).await;
    let run = Command::new(python)
        .arg("-B")
        .arg(support::beside("vouched/main.py"))
        .arg(endpoint)
        .env("PYTHONPATH", support::beside("support"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), run).await.unwrap().unwrap();
    println!("{}", support::succeeded(&output));
    running.world(|world| is_empty(world));
}

#[tokio::test]
async fn the_tour_in_the_cli_ends_where_it_began() {
    let Some(aws) = support::program("aws") else { return };
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, running) = support::serve(TOUR_SPEED, |_| World::new(1, start)).await;
    let home = tempfile::TempDir::new().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let run = Command::new("bash")
        .arg(support::beside("vouched/tour.sh"))
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
    println!("{}", support::succeeded(&output));
    running.world(|world| is_empty(world));
}

/// Nothing is left that a user made.
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
