//! `cutover lab swarm`: a seed's history is the same in two processes.

use std::process::Command;

/// Returns the output for a seed, including its history's fingerprint.
fn swarm_output(seed: &str) -> std::io::Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["lab", "swarm", "--seeds", seed])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    Ok(text)
}

#[test]
fn the_same_seed_has_the_same_history_in_two_processes() {
    for seed in ["3", "11"] {
        let (first, second) = (swarm_output(seed).unwrap(), swarm_output(seed).unwrap());
        assert!(first.lines().any(|line| line.starts_with("history ")), "{first}");
        assert_eq!(first, second);
    }
    assert_ne!(swarm_output("3").unwrap(), swarm_output("11").unwrap());
}

#[test]
fn an_invalid_range_is_refused() {
    for range in ["5..5", "x", "9..3"] {
        let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["lab", "swarm", "--seeds", range])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("0..200"), "{text}");
    }
}
