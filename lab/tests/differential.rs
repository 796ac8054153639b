//! Compares the lab with moto, an independent simulation of AWS: both get the same requests, and every
//! difference is fixed or listed with its reason. See `differential/main.py`; its requests are in
//! `differential/requests`, the known differences in `differential/differences.yaml`.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::Duration;

use cutover_lab::world::World;
use tokio::process::Command;

/// No time passes in moto, and it should not wait for the lab's minutes.
const SPEED: f64 = 600.0;

#[tokio::test]
async fn the_lab_and_moto_differ_only_as_listed() {
    let Some(python) = support::program("python") else { return };
    // boto3 signs with the machine's clock, and scheduled actions need times in the future.
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, _running) = support::serve(SPEED, |_| World::new(1, start)).await;
    // Options for working on this test: `--suggest`, `--everything`.
    let more = std::env::var("DIFFERENTIAL").unwrap_or_default();
    let run = Command::new(python)
        .arg("-B")
        .arg(support::test_file("differential/main.py"))
        .arg(endpoint)
        .args(more.split_whitespace())
        .env("PYTHONPATH", support::test_file("support"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), run).await.unwrap().unwrap();
    println!("{}", support::expect_success(&output));
}
