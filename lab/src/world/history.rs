//! A fingerprint of everything that has happened: equal for two worlds with the same history.

use sha2::{Digest as _, Sha256};

/// A running SHA-256 over one line per event, and per request with its response.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(Sha256);

impl History {
    /// Adds a line.
    pub(crate) fn record(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// Adds the hash of a body.
    pub(crate) fn record_bytes(&mut self, bytes: &[u8]) {
        self.0.update(Sha256::digest(bytes));
    }

    /// Returns the fingerprint so far, in hexadecimal.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
