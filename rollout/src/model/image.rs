//! Image references, as defined by the OCI distribution specification.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A content digest: `sha256:` and 64 hexadecimal digits.
///
/// ```
/// use cutover_rollout::model::Digest;
///
/// let digest = Digest::of(b"hello");
/// assert_eq!(digest.short(), "2cf24dba5fb0");
/// assert!("sha256:2cf24d".parse::<Digest>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// The reason why a text is not a digest, repository or reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// The text is not `sha256:` and 64 lowercase hexadecimal digits.
    #[error("`{0}` is not a digest: write `sha256:` and 64 lowercase hexadecimal digits")]
    Digest(String),
    /// The text is not `registry/path`.
    #[error(
        "`{0}` is not a repository: write registry and path, as in `123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web` or `ghcr.io/acme/web`"
    )]
    Repository(String),
    /// A reference has no digest where one is needed.
    #[error("`{0}` has no digest: write `repository@sha256:…`, because a tag can move")]
    NotPinned(String),
}

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        use sha2::{Digest as _, Sha256};
        Digest::from_sha256(&Sha256::digest(bytes))
    }

    /// Makes a digest from a SHA-256 hash.
    pub fn from_sha256(hash: &[u8]) -> Digest {
        use std::fmt::Write as _;
        let mut text = String::from("sha256:");
        for byte in hash {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Digest(text)
    }

    /// Returns the complete text, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first twelve hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(7..19).unwrap_or(&self.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidReference;
    fn from_str(text: &str) -> Result<Digest, InvalidReference> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Digest(text.to_owned()))
        } else {
            Err(InvalidReference::Digest(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidReference;
    fn try_from(text: String) -> Result<Digest, InvalidReference> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository in a registry, without tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Returns the registry's host, with the port if there is one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the path within the registry.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for Repository {
    type Err = InvalidReference;
    fn from_str(text: &str) -> Result<Repository, InvalidReference> {
        let invalid = || InvalidReference::Repository(text.to_owned());
        let (registry, path) = text.split_once('/').ok_or_else(invalid)?;
        let host = registry.contains(['.', ':']) || registry == "localhost";
        let component = |c: &str| {
            c.starts_with(|x: char| x.is_ascii_lowercase() || x.is_ascii_digit())
                && c.ends_with(|x: char| x.is_ascii_lowercase() || x.is_ascii_digit())
                && c.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        if host && path.split('/').all(component) {
            Ok(Repository { registry: registry.to_owned(), path: path.to_owned() })
        } else {
            Err(invalid())
        }
    }
}

impl TryFrom<String> for Repository {
    type Error = InvalidReference;
    fn try_from(text: String) -> Result<Repository, InvalidReference> {
        text.parse()
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> String {
        repository.to_string()
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// An image pinned by digest: the only form that goes into a launch template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    /// The repository to pull from.
    pub repository: Repository,
    /// The digest of the manifest or index.
    pub digest: Digest,
}

impl FromStr for ImageReference {
    type Err = InvalidReference;
    /// Parses `repository[:tag]@sha256:…`; the tag is dropped, because the digest decides.
    fn from_str(text: &str) -> Result<ImageReference, InvalidReference> {
        let (name, digest) =
            text.split_once('@').ok_or_else(|| InvalidReference::NotPinned(text.to_owned()))?;
        let name = match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => before,
            _ => name,
        };
        Ok(ImageReference { repository: name.parse()?, digest: digest.parse()? })
    }
}

impl TryFrom<String> for ImageReference {
    type Error = InvalidReference;
    fn try_from(text: String) -> Result<ImageReference, InvalidReference> {
        text.parse()
    }
}

impl From<ImageReference> for String {
    fn from(image: ImageReference) -> String {
        image.to_string()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}
