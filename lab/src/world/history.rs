//! A fingerprint of all that has happened: two worlds with the same one have lived through the same.

use sha2::{Digest as _, Sha256};

/// A running SHA-256 over one line for each event and each request with its response.
#[derive(Debug, Clone, Default)]
pub(super) struct History(Sha256);

impl History {
    /// Takes note of a line.
    pub(super) fn note(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// Takes note of the content of a body.
    pub(super) fn note_bytes(&mut self, bytes: &[u8]) {
        self.0.update(Sha256::digest(bytes));
    }

    /// The fingerprint so far, in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
