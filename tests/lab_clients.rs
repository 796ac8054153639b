//! The unmodified AWS CLI, boto3 with its waiters, and skopeo work with the lab as with AWS, over a
//! socket, with nothing but the lines that `cutover lab serve` prints.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod venv;
}

use std::path::Path;
use std::process::Command;

use support::lab::Lab;
use support::venv;

/// Runs one scenario of `tests/python/lab_boto3.py` against a lab of this speed.
fn boto3(test: &str, speed: u32) {
    let Some(python) = venv::program("python") else { return };
    let lab = Lab::serve(speed);
    let mut command = lab.command(python);
    command.arg(script("lab_boto3.py")).arg(test).envs(lab.github().iter().cloned());
    succeeds(command);
}

#[test]
fn boto3_sees_the_whole_architecture() {
    boto3("describe", 120);
}

#[test]
fn boto3_drives_an_instance_refresh_by_hand() {
    boto3("refresh", 120);
}

#[test]
fn boto3_moves_weights_and_waits_for_targets() {
    boto3("weights", 120);
}

#[test]
fn boto3_creates_a_parameter_only_once() {
    boto3("ledger", 120);
}

#[test]
fn boto3_assumes_a_role_with_a_workflow_token() {
    boto3("identity", 60);
}

#[test]
fn boto3_reads_request_metrics() {
    boto3("metrics", 120);
}

#[test]
fn the_aws_cli_and_skopeo_work_with_the_lab() {
    let Some(aws) = venv::program("aws") else { return };
    if Command::new("skopeo").arg("--version").output().is_err() {
        let missing = "skopeo is not installed (apt-get install skopeo)";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
        println!("skipped: {missing}");
        return;
    }
    let lab = Lab::serve(120);
    let folder = tempfile::tempdir().unwrap();
    let mut command = lab.command("bash");
    command.arg(script("lab_cli.sh")).current_dir(folder.path()).env("AWS", aws);
    succeeds(command);
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name)
}

fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
