//! The files that belong to the repository.

use std::process::Command;

/// Returns the tracked files that match a pattern of git's, relative to the repository's root.
pub(crate) fn files(pattern: &str) -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let listed =
        Command::new("git").args(["ls-files", "-z", pattern]).current_dir(root).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
