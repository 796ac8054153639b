//! What an image is to be made of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bytes::Bytes;
use serde::Serialize;

/// An image without a Dockerfile: files onto nothing, and how to run them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Assembly {
    /// The files; where two mappings bring the same file, the later one wins.
    pub files: Vec<FileMapping>,
    /// The command's fixed part; empty leaves it out.
    pub entrypoint: Vec<String>,
    /// The command, or its arguments; empty leaves it out.
    pub cmd: Vec<String>,
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
    /// What it runs on.
    pub platform: Platform,
}

/// A file or folder, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileMapping {
    /// Relative to the folder of the configuration.
    pub from: PathBuf,
    /// Where in the image. A folder's content goes below it; a file goes there under this name, or
    /// into it under its own where it ends with `/`.
    pub to: String,
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

/// An operating system and an architecture by Go's names: `linux/arm64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v7`.
    pub variant: Option<String>,
}

impl Default for Platform {
    /// `linux/amd64`, on every machine: a default that followed the machine would change the digest.
    fn default() -> Platform {
        Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
    }
}

/// Why a text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: write `linux/amd64`, `linux/arm64` or `linux/arm/v7`")]
pub struct InvalidPlatform(String);

impl FromStr for Platform {
    type Err = InvalidPlatform;
    fn from_str(text: &str) -> Result<Platform, InvalidPlatform> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
        };
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() < 2 && parts.iter().all(word) => {
                Ok(Platform {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|v| (*v).to_owned()),
                })
            }
            _ => Err(InvalidPlatform(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}
