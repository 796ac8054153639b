//! Compression of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A compression algorithm, by the image specification's name.
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
    /// Supported everywhere.
    #[default]
    Gzip,
    /// Smaller and faster; supported since Docker 23 and containerd 1.5.
    Zstd,
}

impl Codec {
    /// Returns the compression of content that starts with these bytes.
    pub fn of(start: &[u8]) -> Option<Codec> {
        match start {
            [0x1f, 0x8b, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// Returns the compression of a layer with this media type, OCI's or Docker's; `None` if it is not
    /// compressed or unknown.
    pub fn of_media_type(kind: &str) -> Option<Codec> {
        match kind {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Codec::Gzip),
            _ => [Codec::Gzip, Codec::Zstd].into_iter().find(|codec| codec.media_type() == kind),
        }
    }

    /// Returns the media type of a layer (image specification, "Layer media types").
    pub fn media_type(self) -> &'static str {
        match self {
            Codec::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Codec::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
        }
    }
}
