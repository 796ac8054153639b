//! What an image is assembled from.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::{Mode, Owner, Platform};
use cutover_rollout::model::ImageReference;

/// An image without a Dockerfile: files, on a base image or on nothing, and how to run them. Environment,
/// labels and ports add to the base image's; everything else replaces the base image's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Assembly {
    /// The files; if two mappings contain the same file, the later one wins.
    pub files: Vec<FileMapping>,
    /// The base image, or the index of several.
    pub base: Option<ImageReference>,
    /// The fixed part of the command. If it is set, even to empty, the base image's command is dropped along
    /// with its entrypoint, as in a Dockerfile.
    pub entrypoint: Option<Vec<String>>,
    /// The command, or the entrypoint's arguments.
    pub cmd: Option<Vec<String>>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The `user[:group]` to run as, by name or number.
    pub user: Option<String>,
    /// The working directory, an absolute path.
    pub workdir: Option<String>,
    /// Ports that it listens on, as in `8080` or `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// The platform; with `platforms`, the one that the instances run.
    pub platform: Platform,
    /// All platforms, including `platform`, to get an index over an image for each; empty for a single image.
    pub platforms: Vec<Platform>,
}

impl Assembly {
    /// Returns every platform to assemble an image for.
    pub fn all_platforms(&self) -> &[Platform] {
        if self.platforms.is_empty() {
            std::slice::from_ref(&self.platform)
        } else {
            &self.platforms
        }
    }
}

/// A file or folder, and its path in the image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FileMapping {
    /// Path relative to the folder of the configuration.
    pub from: PathBuf,
    /// Path in the image. A folder's content goes below it. A file gets this path, or keeps its name below it
    /// if the path ends with `/`.
    pub to: String,
    /// The owner of it and everything below it; root by default.
    pub owner: Option<Owner>,
    /// The mode of the file, or of all files below it; folders are searchable by whoever may read them. The
    /// default is 0644, or 0755 for files that are executable on disk.
    pub mode: Option<Mode>,
    /// The only platform whose image contains it; `None` for all.
    pub platform: Option<Platform>,
}

impl FileMapping {
    /// Creates a mapping with owner root, for all platforms.
    pub fn new(from: impl Into<PathBuf>, to: impl Into<String>) -> FileMapping {
        FileMapping { from: from.into(), to: to.into(), ..FileMapping::default() }
    }

    /// Returns whether the image for `platform` contains it.
    pub(super) fn is_for(&self, platform: &Platform) -> bool {
        self.platform.as_ref().is_none_or(|only| only.matches(platform))
    }
}

/// An image's origin, for the annotations of manifest and index (OCI image specification, "Pre-Defined
/// Annotation Keys"). The caller provides all of it. The time is never the machine's clock: the same image
/// would get another digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// URL of the source.
    pub source: Option<String>,
    /// The commit.
    pub revision: Option<String>,
    /// Creation time, which must be reproducible: the commit's time.
    pub created: Option<Timestamp>,
}

impl Annotations {
    /// Returns the annotations by key.
    pub fn by_key(&self) -> HashMap<String, String> {
        let created = self.created.map(|created| created.to_string());
        let all = [
            ("org.opencontainers.image.source", self.source.clone()),
            ("org.opencontainers.image.revision", self.revision.clone()),
            ("org.opencontainers.image.created", created),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// A file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path in the image.
    pub path: String,
    /// Whether its mode is 0755 rather than 0644.
    pub executable: bool,
    /// Its content.
    pub bytes: Bytes,
}

impl Entry {
    /// Creates a file that is not executable.
    pub fn file(path: impl Into<String>, bytes: impl Into<Bytes>) -> Entry {
        Entry { path: path.into(), executable: false, bytes: bytes.into() }
    }
}
