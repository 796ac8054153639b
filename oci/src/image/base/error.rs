//! Errors of base images.

use crate::registry::RegistryError;
use cutover_rollout::model::ImageReference;

use super::super::Platform;

/// Why a base image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The registry cannot be reached or refuses.
    #[error("cannot read the base image {base}: {source}")]
    Registry {
        /// As configured.
        base: ImageReference,
        /// The registry's error.
        source: RegistryError,
    },
    /// The registry doesn't have it.
    #[error(
        "cannot read the base image {base}: the registry does not have this digest. Correct `image.base`; \
         `skopeo inspect docker://{}:<tag>` prints a tag's digest", .base.repository
    )]
    Missing {
        /// As configured.
        base: ImageReference,
    },
    /// The base image does not support a platform.
    #[error(
        "the base image {base} does not support {platform}; it supports {}. Correct `image.platform` or `image.platforms`, or choose another base image",
        platforms(there)
    )]
    Platform {
        /// As configured.
        base: ImageReference,
        /// The platform.
        platform: Platform,
        /// The platforms that it supports.
        there: Vec<Platform>,
    },
    /// It cannot be a base image.
    #[error("{base} cannot be used as a base image: {why}")]
    Unusable {
        /// As configured.
        base: ImageReference,
        /// The reason.
        why: UnusableBase,
    },
}

/// Why an image cannot be a base image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableBase {
    /// A document is invalid.
    #[error("its {document} is invalid: {cause}. Check that `image.base` names an image's digest")]
    Document {
        /// Index, manifest or configuration.
        document: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Another kind of artifact: a chart, a signature.
    #[error("it is not an image but `{0}`. Use an image's digest in `image.base`")]
    NotAnImage(String),
    /// A layer that may not be redistributed, or that not every engine can read.
    #[error(
        "it has a layer of type `{0}`, which may not be copied or cannot be read everywhere. Choose another base image"
    )]
    Layer(String),
    /// Manifest and configuration do not match.
    #[error(
        "its manifest names {manifest} layers but its configuration {config}. Choose another base image"
    )]
    Layers {
        /// Layers in the manifest.
        manifest: usize,
        /// DiffIDs in the configuration.
        config: usize,
    },
    /// A digest uses another algorithm.
    #[error("it names `{0}`, which is not a SHA-256 digest. Choose another base image")]
    Digest(String),
    /// It has ONBUILD instructions.
    #[error(
        "its `ONBUILD {0}` needs a container engine. Use a Dockerfile, or a base image without ONBUILD"
    )]
    OnBuild(String),
}

fn platforms(there: &[Platform]) -> String {
    let all: Vec<String> = there.iter().map(ToString::to_string).collect();
    if all.is_empty() { "no platform".to_owned() } else { all.join(", ") }
}
