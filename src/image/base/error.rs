//! Why nothing can be put onto a base.

use crate::model::ImageReference;
use crate::registry::RegistryError;

use super::super::Platform;

/// Why a base could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The registry doesn't answer, or refuses.
    #[error("cannot read the base {base}: {source}")]
    Registry {
        /// As configured.
        base: ImageReference,
        /// What the registry says.
        source: RegistryError,
    },
    /// The registry doesn't have it.
    #[error(
        "cannot read the base {base}: its registry has nothing of this digest there. Correct `image.base`; \
         `skopeo inspect docker://{}:<tag>` tells a tag's digest", .base.repository
    )]
    Missing {
        /// As configured.
        base: ImageReference,
    },
    /// There is no image for a platform.
    #[error(
        "the base {base} has no image for {platform}, but for {}. Choose among them in `image.platform` or `image.platforms`, or another base",
        platforms(there)
    )]
    Platform {
        /// As configured.
        base: ImageReference,
        /// For which.
        platform: Platform,
        /// For which there is one.
        there: Vec<Platform>,
    },
    /// It is nothing that an image can be put onto.
    #[error("nothing can be put onto the base {base}: {why}")]
    Unfit {
        /// As configured.
        base: ImageReference,
        /// Why.
        why: Unfit,
    },
}

/// Why an image is no base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A document isn't what it should be.
    #[error("its {document} cannot be read: {cause}. Is it an image's digest?")]
    Document {
        /// Index, manifest or configuration.
        document: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Something else in a registry: a chart, a signature.
    #[error("it is no image but `{0}`. Give an image's digest in `image.base`")]
    NoImage(String),
    /// A layer that may not be passed on, or that nobody here can.
    #[error(
        "it has a layer of the kind `{0}`, which may not be copied or cannot be read everywhere. Choose another base"
    )]
    Layer(String),
    /// The two documents don't fit each other.
    #[error(
        "its manifest names {manifest} layers and its configuration {config}. Choose another base"
    )]
    Layers {
        /// Layers in the manifest.
        manifest: usize,
        /// DiffIDs in the configuration.
        config: usize,
    },
    /// Something has a digest by another algorithm.
    #[error("it names `{0}`, which is not a SHA-256 digest. Choose another base")]
    Digest(String),
    /// It wants commands to be run.
    #[error(
        "it wants `{0}` to be run (ONBUILD), which needs an engine. Use a Dockerfile, or a base without that"
    )]
    OnBuild(String),
}

fn platforms(there: &[Platform]) -> String {
    let all: Vec<String> = there.iter().map(ToString::to_string).collect();
    if all.is_empty() { "none at all".to_owned() } else { all.join(", ") }
}
