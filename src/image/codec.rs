//! How layers are compressed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A compression, by the image specification's name for it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// Read by everybody.
    #[default]
    Gzip,
    /// Smaller and faster; read by Docker from 23 on, by containerd from 1.5 on.
    Zstd,
}

impl Codec {
    /// What content that begins like this is compressed with.
    pub fn of(start: &[u8]) -> Option<Codec> {
        match start {
            [0x1f, 0x8b, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// Of a layer with this media type, OCI's or Docker's; `None` where it isn't compressed, or unknown.
    pub fn of_media_type(kind: &str) -> Option<Codec> {
        match kind {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Codec::Gzip),
            _ => [Codec::Gzip, Codec::Zstd].into_iter().find(|codec| codec.media_type() == kind),
        }
    }

    /// Of a layer (image specification, "Layer media types").
    pub fn media_type(self) -> &'static str {
        match self {
            Codec::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Codec::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
        }
    }
}
