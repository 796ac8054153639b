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

#[cfg(test)]
mod tests {
    use super::*;

    fn hex() -> String {
        "0123456789abcdef".repeat(4)
    }

    #[test]
    fn a_digest_is_64_lowercase_hexadecimal_digits() {
        let digest: Digest = format!("sha256:{}", hex()).parse().unwrap();
        assert_eq!(digest.short(), "0123456789ab");
        assert_eq!(digest.to_string(), format!("sha256:{}", hex()));
        // Debug output is read by people, too.
        assert_eq!(format!("{digest:?}"), digest.to_string());
        for bad in [
            hex(),
            format!("sha512:{}", hex()),
            format!("sha256:{}", &hex()[1..]),
            format!("sha256:{}0", hex()),
            format!("sha256:{}", hex().to_uppercase()),
            format!("sha256:{}g", &hex()[1..]),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(InvalidReference::Digest(bad)));
        }
    }

    #[test]
    fn a_repository_is_a_registry_and_a_path() {
        for (text, registry, path) in [
            ("ghcr.io/acme/web", "ghcr.io", "acme/web"),
            ("registry:5000/web", "registry:5000", "web"),
            ("localhost/web", "localhost", "web"),
            ("ghcr.io/a.c_m-e/9web9", "ghcr.io", "a.c_m-e/9web9"),
        ] {
            let repository: Repository = text.parse().unwrap();
            assert_eq!((repository.registry(), repository.path()), (registry, path));
            assert_eq!(repository.to_string(), text);
        }
        for bad in [
            "web",
            "acme/web",
            "ghcr.io/",
            "ghcr.io//web",
            "ghcr.io/Web",
            "ghcr.io/web/-api",
            "ghcr.io/web-",
            "ghcr.io/w@b",
            "ghcr.io/web:v1",
        ] {
            let refused = InvalidReference::Repository(bad.to_owned());
            assert_eq!(bad.parse::<Repository>(), Err(refused), "{bad}");
        }
    }

    #[test]
    fn a_tag_beside_the_digest_is_dropped() {
        let parse = |name: &str| {
            let image: Result<ImageReference, _> = format!("{name}@sha256:{}", hex()).parse();
            image.map(|image| image.repository.to_string())
        };
        assert_eq!(parse("ghcr.io/acme/web:v1").unwrap(), "ghcr.io/acme/web");
        assert_eq!(parse("registry:5000/web").unwrap(), "registry:5000/web");
        assert_eq!(parse("registry:5000/web:v1").unwrap(), "registry:5000/web");
        let tag = "ghcr.io/acme/web:v1".to_owned();
        assert_eq!(tag.parse::<ImageReference>(), Err(InvalidReference::NotPinned(tag)));
    }

    /// The record in the ledger and every report hold them as text.
    #[test]
    fn references_are_text_in_json() {
        let text = format!("ghcr.io/acme/web@sha256:{}", hex());
        let image: ImageReference = text.parse().unwrap();
        let parts = (image.clone(), image.repository.clone(), image.digest.clone());
        let json = serde_json::to_string(&parts).unwrap();
        assert_eq!(json, format!("[\"{text}\",\"ghcr.io/acme/web\",\"sha256:{}\"]", hex()));
        let read: (ImageReference, Repository, Digest) = serde_json::from_str(&json).unwrap();
        assert_eq!(read, parts);
        for bad in ["\"web\"", "\"sha256:0\"", "7"] {
            assert!(serde_json::from_str::<ImageReference>(bad).is_err(), "{bad}");
            assert!(serde_json::from_str::<Repository>(bad).is_err(), "{bad}");
            assert!(serde_json::from_str::<Digest>(bad).is_err(), "{bad}");
        }
    }
}
