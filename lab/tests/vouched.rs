//! From nothing to nothing: AWS's own clients build the architecture in an empty account, use it, and
//! tear it down. boto3 does the whole of it (`vouched/main.py`), with botocore's validation and waiters
//! and every answer held against botocore's models; the AWS CLI does a part (`vouched/tour.sh`).

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::Duration;

use cutover_lab::world::World;
use tokio::process::Command;

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
    let output = tokio::time::timeout(Duration::from_secs(300), run).await.unwrap().unwrap();
    println!("{}", support::succeeded(&output));
    running.world(|world| is_empty(world));
}

/// Nothing is left that a user made.
fn is_empty(world: &World) {
    assert!(world.autoscaling.groups.is_empty());
}
