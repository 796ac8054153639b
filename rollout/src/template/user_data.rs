//! User data as EC2 stores it: base64 of at most 16 KB.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Digest, ImageReference};

use super::{PinError, PinnedUserData};

/// The largest size of user data in bytes, before base64 (user guide: 16 KB).
pub const LIMIT: usize = 16 * 1024;

/// Decodes base64 user data. Line breaks are allowed, because most encoders write them.
pub(super) fn decode(base64: &str) -> Result<Vec<u8>, PinError> {
    let compact: String = base64.split_ascii_whitespace().collect();
    STANDARD.decode(compact).map_err(|error| PinError::Base64(error.to_string()))
}

/// Refuses gzip: cloud-init accepts it, but a reference in it cannot be replaced in place.
pub(super) fn refuse_compressed(bytes: &[u8]) -> Result<(), PinError> {
    if is_gzip(bytes) { Err(PinError::Compressed) } else { Ok(()) }
}

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Checks the size and encodes the user data.
pub(super) fn finish(bytes: &[u8], image: &ImageReference) -> Result<PinnedUserData, PinError> {
    if bytes.len() > LIMIT {
        return Err(PinError::TooLong { repository: image.repository.clone(), bytes: bytes.len() });
    }
    Ok(PinnedUserData {
        base64: STANDARD.encode(bytes),
        bytes: bytes.len(),
        digest_count: digest_occurrences(bytes, &image.digest),
    })
}

/// Counts how often decoded user data contains `digest`. A version proves an image only if it is exactly one.
pub fn digest_occurrences(user_data: &[u8], digest: &Digest) -> usize {
    let needle = digest.as_str().as_bytes();
    user_data.windows(needle.len()).filter(|window| *window == needle).count()
}
