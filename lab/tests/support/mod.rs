//! What the tests in this folder share: the Python that drives them, and a lab behind a socket.

// Each test compiles its own copy and uses what it needs.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Output;

use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::world::World;

/// Returns a program of the virtual environment: `.venv` at the repository's root, or the one that
/// CUTOVER_VENV names. Without it the test is skipped, except in CI.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let venv = std::env::var_os("CUTOVER_VENV").map_or_else(|| root.join(".venv"), PathBuf::from);
    let program = venv.join("bin").join(name);
    if program.exists() {
        return Some(program);
    }
    let reason = format!("{} is missing; run scripts/venv", program.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
    println!("skipped: {reason}");
    None
}

/// Returns the path of a file in the folder of the tests.
pub(crate) fn test_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// Serves the world that `build` creates for an address until the test ends. Returns the address, and a
/// handle for reading the world itself.
pub(crate) async fn serve(
    speed: f64,
    build: impl FnOnce(std::net::SocketAddr) -> World,
) -> (String, RunningWorld) {
    let transport = Loopback::bind(0).await.unwrap();
    let address = transport.address();
    let endpoint = format!("http://{address}");
    let mut world = build(address);
    world.ecr.endpoint = Some(endpoint.clone());
    let running = RunningWorld::start(world, speed);
    tokio::spawn(transport.serve(running.clone(), std::future::pending()));
    (endpoint, running)
}

/// Returns a program's output, and fails if the program did.
pub(crate) fn expect_success(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    let text = format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    assert!(output.status.success(), "{text}");
    text
}
