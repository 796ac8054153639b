//! A key pair as data.

use jiff::Timestamp;

/// A key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// Its name, unique in the Region.
    pub name: String,
    /// `rsa` or `ed25519`.
    pub kind: String,
    /// A fingerprint of the key material.
    pub fingerprint: String,
    /// When it was created.
    pub created: Timestamp,
}
