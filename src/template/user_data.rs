//! User data as EC2 carries it: base64 of at most 16 KB.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Digest, ImageReference};

use super::{PinError, Pinned};

/// The most bytes of user data before base64 (user guide: 16 KB).
pub const LIMIT: usize = 16 * 1024;

/// The bytes of base64 user data; line breaks in it are allowed, as most encoders write them.
pub(super) fn decode(base64: &str) -> Result<Vec<u8>, PinError> {
    let compact: String = base64.split_ascii_whitespace().collect();
    STANDARD.decode(compact).map_err(|error| PinError::Base64(error.to_string()))
}

/// gzip is legal user data for cloud-init, but a reference within it can't be swapped in place.
pub(super) fn refuse_compressed(bytes: &[u8]) -> Result<(), PinError> {
    if is_gzip(bytes) { Err(PinError::Compressed) } else { Ok(()) }
}

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Encodes, after the size is known to be legal.
pub(super) fn finish(bytes: &[u8], image: &ImageReference) -> Result<Pinned, PinError> {
    if bytes.len() > LIMIT {
        return Err(PinError::TooLong { image: image.clone(), bytes: bytes.len() });
    }
    Ok(Pinned {
        base64: STANDARD.encode(bytes),
        bytes: bytes.len(),
        digest_count: digest_occurrences(bytes, &image.digest),
    })
}

/// How often decoded user data holds `digest`. A version is proof of an image only at exactly one.
pub fn digest_occurrences(user_data: &[u8], digest: &Digest) -> usize {
    let needle = digest.as_str().as_bytes();
    user_data.windows(needle.len()).filter(|window| *window == needle).count()
}
