//! Ids that do not depend on the seed.

use sha2::{Digest as _, Sha256};

/// Derives 16 hexadecimal digits from a name, so that they are the same in every world.
pub(super) fn stable_id(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
