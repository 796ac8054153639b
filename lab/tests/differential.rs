//! The lab beside moto, an AWS that we did not write: the same requests to both, every difference
//! mended or listed with its reason. See `differential/main.py`; its requests are in
//! `differential/requests`, the known differences in `differential/differences.yaml`.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::Duration;

use cutover_lab::world::World;
use tokio::process::Command;

/// moto lets no time pass; the lab's minutes should not keep it waiting.
const SPEED: f64 = 600.0;

#[tokio::test]
async fn the_lab_answers_as_moto_does_but_for_what_is_listed() {
    let Some(python) = support::program("python") else { return };
    // boto3 signs with the machine's clock, and scheduled actions need times to come.
    let start = std::time::SystemTime::now().try_into().unwrap();
    let (endpoint, _running) = support::serve(SPEED, |_| World::new(1, start)).await;
    // For whoever works on it: `--suggest`, `--everything`.
    let more = std::env::var("DIFFERENTIAL").unwrap_or_default();
    let run = Command::new(python)
        .arg("-B")
        .arg(support::beside("differential/main.py"))
        .arg(endpoint)
        .args(more.split_whitespace())
        .env("PYTHONPATH", support::beside("support"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), run).await.unwrap().unwrap();
    println!("{}", support::succeeded(&output));
}
