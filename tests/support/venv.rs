//! The Python environment of the tests: `.venv`, created by `scripts/venv`, or the one that
//! CUTOVER_VENV names.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Returns the path of a program in the virtual environment. Without it the test is skipped with
/// the reason printed (`None`), except in CI, where it fails: a test that never runs proves
/// nothing.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let venv = std::env::var_os("CUTOVER_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv"), PathBuf::from);
    let program = venv.join("bin").join(name);
    if program.exists() {
        return Some(program);
    }
    let reason = format!("{} is missing; run scripts/venv", program.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
    #[allow(clippy::print_stdout)] // a test that says why it did nothing
    {
        println!("skipped: {reason}");
    }
    None
}

/// Runs `script` in `python` after `prelude`, which imports `json`; returns what it leaves in
/// `result`.
pub(crate) fn run_script(mut python: Command, prelude: &str, script: &str) -> Value {
    let postlude = "\nprint(json.dumps(result, default=str))\n";
    let mut python = python.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(format!("{prelude}{script}{postlude}").as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed:\n{script}");
    serde_json::from_slice(&output.stdout).unwrap()
}
