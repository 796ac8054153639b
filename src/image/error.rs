//! Why an image can't be assembled.

use std::io;
use std::path::PathBuf;

use super::Platform;

/// A refusal; nothing was pushed.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A mapping names nothing that exists.
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
    /// Something could not be read.
    #[error("cannot assemble the image: reading `{path}` failed: {source}")]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A link leads out of the folder that is copied.
    #[error(
        "cannot assemble the image: the symbolic link `{path}` points to `{target}`, outside of the folder that is copied. \
         Copy what it points to by a mapping of its own"
    )]
    LinkOutside {
        /// The link.
        path: PathBuf,
        /// Its target.
        target: PathBuf,
    },
    /// A device, a socket, a pipe.
    #[error("cannot assemble the image: `{path}` is neither file, folder nor symbolic link")]
    Special {
        /// What.
        path: PathBuf,
    },
    /// A name that isn't text.
    #[error("cannot assemble the image: the name `{path}` is not valid UTF-8")]
    NotUtf8 {
        /// Its readable part.
        path: PathBuf,
    },
    /// A path that can't be in an image.
    #[error(
        "cannot assemble the image: `{path}` is no path in an image: it must name something below `/` without `..`"
    )]
    BadPath {
        /// The path.
        path: String,
    },
    /// One path as a file and as a folder.
    #[error("cannot assemble the image: `/{path}` would be both a file and a folder")]
    Clash {
        /// The path.
        path: String,
    },
    /// A path that a base probably has as a link.
    #[error(
        "cannot assemble the image: `/{path}` is a symbolic link to `/{instead}` in most bases, and a folder would take its place, with all that is reached by it. \
         Write `/{instead}` in `image.files`"
    )]
    OverLink {
        /// The path.
        path: String,
        /// Where the link leads.
        instead: &'static str,
    },
    /// The base has not been read, or not for this platform.
    #[error("cannot assemble the image: its base has not been read for {platform}")]
    NoBase {
        /// For which.
        platform: Platform,
    },
    /// No file at all.
    #[error(
        "cannot assemble the image: no files. Name them in `image.files`, as in `- {{ from: public, to: /srv/www }}`"
    )]
    Empty,
    /// A setting that no engine would take.
    #[error("cannot assemble the image: `{value}` is not a valid {setting}: {rule}")]
    Invalid {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it must look like.
        rule: &'static str,
    },
    /// A document could not be written.
    #[error("cannot assemble the image: writing its {document} failed: {cause}")]
    Document {
        /// Configuration, manifest or layer.
        document: &'static str,
        /// What the library says.
        cause: String,
    },
}
