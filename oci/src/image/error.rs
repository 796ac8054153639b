//! Errors of assembling an image.

use std::io;
use std::path::PathBuf;

use super::Platform;
use crate::registry::document::DocumentError;

/// Why an image cannot be assembled. Nothing was pushed.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A mapping's file or folder does not exist.
    #[error(
        "cannot assemble the image: `{from}` does not exist (looked for `{path}`). \
         Build the site or program first, or correct `image.files`"
    )]
    Missing {
        /// As configured.
        from: PathBuf,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("cannot assemble the image: reading `{path}` failed: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A symbolic link leads out of the copied folder.
    #[error(
        "cannot assemble the image: the symbolic link `{path}` points to `{target}`, outside the copied folder. \
         Add a mapping for what it points to"
    )]
    LinkOutside {
        /// The link.
        path: PathBuf,
        /// Its target.
        target: PathBuf,
    },
    /// A device, socket or pipe.
    #[error("cannot assemble the image: `{path}` is not a file, folder or symbolic link")]
    Special {
        /// The path.
        path: PathBuf,
    },
    /// A name that is not UTF-8.
    #[error("cannot assemble the image: the name `{path}` is not valid UTF-8")]
    NotUtf8 {
        /// The path, as far as it is readable.
        path: PathBuf,
    },
    /// A path that cannot be in an image.
    #[error(
        "cannot assemble the image: `{path}` is not a valid path in an image: it must be below `/` and not contain `..`"
    )]
    BadPath {
        /// The path.
        path: String,
    },
    /// A path that is both a file and a folder.
    #[error("cannot assemble the image: `/{path}` would be both a file and a folder")]
    Clash {
        /// The path.
        path: String,
    },
    /// A path that is a symbolic link in most base images.
    #[error(
        "cannot assemble the image: `/{path}` is a symbolic link to `/{instead}` in most base images; a folder would replace it and hide what it links to. \
         Write `/{instead}` in `image.files`"
    )]
    OverLink {
        /// The path.
        path: String,
        /// Where the link leads.
        instead: &'static str,
    },
    /// The base image has not been read, or not for this platform.
    #[error("cannot assemble the image: the base image has not been read for {platform}")]
    NoBase {
        /// The platform.
        platform: Platform,
    },
    /// There are no files.
    #[error(
        "cannot assemble the image: it has no files. List them in `image.files`, as in `- {{ from: public, to: /srv/www }}`"
    )]
    Empty,
    /// A setting that engines would reject.
    #[error("cannot assemble the image: `{value}` is not a valid {setting}: {rule}")]
    Invalid {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it must look like.
        rule: &'static str,
    },
    /// A document could not be written.
    #[error("cannot assemble the image: writing its {document} failed: {cause}")]
    Document {
        /// Configuration or layer.
        document: &'static str,
        /// The cause.
        cause: String,
    },
    /// A manifest or index could not be written.
    #[error("cannot assemble the image: {0}")]
    Manifest(#[from] DocumentError),
}
