//! What an image is to be made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::{Mode, Owner, Platform};
use crate::model::ImageReference;

/// An image without a Dockerfile: files onto nothing or onto a base, and how to run them. What is
/// said of environment, labels and ports adds to the base's; the rest takes the place of the base's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Assembly {
    /// The files; where two mappings bring the same file, the later one wins.
    pub files: Vec<FileMapping>,
    /// What they are put onto: an image, or the index of several.
    pub base: Option<ImageReference>,
    /// The command's fixed part. Where it is given, even empty, a base's command goes with its
    /// entrypoint, as in a Dockerfile.
    pub entrypoint: Option<Vec<String>>,
    /// The command, or its arguments.
    pub cmd: Option<Vec<String>>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `user[:group]` to run as, names or numbers.
    pub user: Option<String>,
    /// The absolute working directory.
    pub workdir: Option<String>,
    /// Ports it listens on, `8080` or `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// What it runs on; with `platforms`, the one that the fleet runs.
    pub platform: Platform,
    /// All platforms, `platform` among them, if there is to be an index over an image for each.
    pub platforms: Vec<Platform>,
}

impl Assembly {
    /// Every platform that there is to be an image for.
    pub fn all_platforms(&self) -> &[Platform] {
        if self.platforms.is_empty() {
            std::slice::from_ref(&self.platform)
        } else {
            &self.platforms
        }
    }
}

/// A file or folder, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FileMapping {
    /// Relative to the folder of the configuration.
    pub from: PathBuf,
    /// Where in the image. A folder's content goes below it; a file goes there under this name, or
    /// into it under its own where it ends with `/`.
    pub to: String,
    /// Whose it is, and everything below it; root's where nothing is said.
    pub owner: Option<Owner>,
    /// The mode of the file, or of all files below it; folders can be searched by whoever may read
    /// them. Where nothing is said it is 0644, or 0755 for what the disk says is a program.
    pub mode: Option<Mode>,
    /// The only platform whose image has it.
    pub platform: Option<Platform>,
}

impl FileMapping {
    /// Root's, in the images of all platforms.
    pub fn new(from: impl Into<PathBuf>, to: impl Into<String>) -> FileMapping {
        FileMapping { from: from.into(), to: to.into(), ..FileMapping::default() }
    }

    /// Whether the image for `platform` has it.
    pub(super) fn is_for(&self, platform: &Platform) -> bool {
        self.platform.as_ref().is_none_or(|only| only.is(platform))
    }
}

/// Where an image comes from, for annotations of manifest and index (OCI image specification,
/// "Pre-Defined Annotation Keys"). Whoever calls knows; nothing of it is found out here, and the time
/// is never that of the machine's clock: the same image would get another digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// The URL of the source.
    pub source: Option<String>,
    /// The commit.
    pub revision: Option<String>,
    /// When it was made, as far as that can be repeated: the commit's time.
    pub created: Option<Timestamp>,
}

impl Annotations {
    /// By their keys.
    pub fn by_key(&self) -> BTreeMap<&'static str, String> {
        let created = self.created.map(|created| created.to_string());
        let all = [
            ("org.opencontainers.image.source", self.source.clone()),
            ("org.opencontainers.image.revision", self.revision.clone()),
            ("org.opencontainers.image.created", created),
        ];
        all.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect()
    }
}

/// A file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where in the image.
    pub path: String,
    /// Mode 0755 rather than 0644.
    pub executable: bool,
    /// Its content.
    pub bytes: Bytes,
}

impl Entry {
    /// A file that isn't a program.
    pub fn file(path: impl Into<String>, bytes: impl Into<Bytes>) -> Entry {
        Entry { path: path.into(), executable: false, bytes: bytes.into() }
    }
}
