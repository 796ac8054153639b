//! The lab's two registries over its socket, ECR at 127.0.0.1 and the GitHub Container Registry at
//! localhost: used by an installed skopeo, and ECR's own API by boto3.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use cutover_lab::scenario::Scenario;
use cutover_lab::services::ghcr::{self, Visibility};
use cutover_lab::services::{ecr, github};
use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::world::World;
use tempfile::TempDir;
use tokio::process::Command;

struct Skopeo {
    home: TempDir,
}

impl Skopeo {
    /// Returns skopeo with a home directory of its own. Without skopeo the test is skipped, except in
    /// CI.
    async fn new() -> Option<Skopeo> {
        if Command::new("skopeo").arg("--version").output().await.is_ok() {
            return Some(Skopeo { home: TempDir::new().unwrap() });
        }
        let reason = "skopeo is not installed (apt-get install skopeo)";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
        println!("skipped: {reason}");
        None
    }

    async fn output(&self, arguments: &str) -> Output {
        let home = self.home.path();
        let run = Command::new("skopeo")
            .arg("--insecure-policy")
            .args(arguments.split_whitespace())
            .current_dir(home)
            .env("HOME", home)
            .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
            .kill_on_drop(true)
            .output();
        tokio::time::timeout(Duration::from_secs(60), run).await.unwrap().unwrap()
    }

    /// Returns what it prints.
    async fn run(&self, arguments: &str) -> String {
        let output = self.output(arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "skopeo {arguments}: {complaint}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Returns its error output, and fails if it succeeds.
    async fn fails(&self, arguments: &str) -> String {
        let output = self.output(arguments).await;
        assert!(!output.status.success(), "skopeo {arguments} should have failed");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    async fn copy(&self, from: &str, to: &str) {
        let insecure = "--src-tls-verify=false --dest-tls-verify=false";
        self.run(&format!("copy --quiet {insecure} {from} {to}")).await;
    }

    async fn digest(&self, image: &str) -> String {
        self.run(&format!("inspect --tls-verify=false --format {{{{.Digest}}}} {image}")).await
    }
}

#[tokio::test]
async fn skopeo_copies_between_ecr_and_ghcr() {
    let Some(skopeo) = Skopeo::new().await else { return };
    let transport = Loopback::bind(0).await.unwrap();
    let (ecr, ghcr) =
        (transport.address().to_string(), format!("localhost:{}", transport.address().port()));
    let start = "2026-01-05T09:00:00Z".parse().unwrap();
    let mut world = World::from_scenario(&Scenario::default(), 1, start).unwrap();
    transport.set_endpoints(&mut world);
    let password = ecr::mint(&mut world);
    let running = RunningWorld::start(world, 1.0);
    tokio::spawn(transport.serve(running.clone(), std::future::pending()));

    let login = "login --tls-verify=false";
    let wrong = skopeo.fails(&format!("{login} -u ada -p ghp_wrong {ghcr}")).await;
    assert!(wrong.contains("403 (Forbidden)"), "{wrong}");
    skopeo.run(&format!("{login} -u AWS -p {password} {ecr}")).await;
    skopeo.run(&format!("{login} -u ada -p {} {ghcr}", github::GITHUB_TOKEN)).await;

    // From ECR to GHCR, to a folder, and back to ECR under another tag: always the same image.
    let (at_ecr, at_ghcr) = (format!("docker://{ecr}/news"), format!("docker://{ghcr}/acme/news"));
    skopeo.copy(&format!("{at_ecr}:v1"), &format!("{at_ghcr}:v1")).await;
    skopeo.copy(&format!("{at_ghcr}:v1"), "oci:layout:v1").await;
    skopeo.copy("oci:layout:v1", &format!("{at_ecr}:back")).await;
    let digest = skopeo.digest(&format!("{at_ecr}:v1")).await;
    for image in [format!("{at_ghcr}:v1"), format!("{at_ecr}:back")] {
        assert_eq!(skopeo.digest(&image).await, digest, "{image}");
    }
    let tags = skopeo.run(&format!("list-tags --tls-verify=false {at_ecr}")).await;
    assert!(tags.contains("\"back\"") && tags.contains("\"v1\""), "{tags}");
    // A second package of the same owner: its blobs can be mounted.
    skopeo.copy(&format!("{at_ghcr}:v1"), &format!("docker://{ghcr}/acme/mirror:v1")).await;

    // A package is private to its owner until it is public, and only GitHub's API deletes it.
    let anonymous = format!("inspect --tls-verify=false --no-creds {at_ghcr}:v1");
    let denied = skopeo.fails(&anonymous).await;
    assert!(denied.contains("403 (Forbidden)"), "{denied}");
    assert!(running.world(|w| ghcr::set_visibility(w, "acme/news", Visibility::Public)));
    skopeo.run(&anonymous).await;
    let kept = skopeo.fails(&format!("delete --tls-verify=false {at_ghcr}:v1")).await;
    assert!(kept.contains("UNSUPPORTED") || kept.contains("405"), "{kept}");
    running.world(|world| {
        let token = world.github.tokens.get_mut(github::GITHUB_TOKEN).unwrap();
        token.packages = github::Level::Read;
    });
    let another = format!("docker://{ghcr}/acme/another:v1");
    let options = "copy --quiet --dest-tls-verify=false oci:layout:v1";
    let refused = skopeo.fails(&format!("{options} {another}")).await;
    assert!(refused.contains("installation not allowed to Create"), "{refused}");
    skopeo.run(&format!("delete --tls-verify=false {at_ecr}:back")).await;
    let missing = skopeo.fails(&format!("inspect --tls-verify=false {at_ecr}:v1")).await;
    assert!(missing.contains("Requested image not found"), "the same digest: {missing}");
    let nowhere = skopeo.fails(&format!("{options} docker://{ecr}/nowhere:v1")).await;
    assert!(nowhere.contains("does not exist in the registry"), "{nowhere}");
}

/// Returns Python with boto3: from `.venv` at the repository's root, or the environment that
/// CUTOVER_VENV names. Without it the test is skipped, except in CI.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let venv = std::env::var_os("CUTOVER_VENV").map_or_else(|| root.join(".venv"), PathBuf::from);
    let python = venv.join("bin/python");
    if python.exists() {
        return Some(python);
    }
    let reason = format!("{} is missing; run scripts/venv", python.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
    println!("skipped: {reason}");
    None
}

#[tokio::test]
async fn boto3_uses_all_of_ecr() {
    let Some(python) = python() else { return };
    let transport = Loopback::bind(0).await.unwrap();
    let endpoint = format!("http://{}", transport.address());
    let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
    transport.set_endpoints(&mut world);
    tokio::spawn(transport.serve(RunningWorld::start(world, 60.0), std::future::pending()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registries/ecr.py");
    let run = Command::new(python).arg("-B").arg(script).arg(endpoint).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(120), run).await.unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
}
