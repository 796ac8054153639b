//! Finds the image that instances run in their user data.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::Regex;

use cutover_rollout::model::{Digest, Repository};
use cutover_rollout::template::{self, PinError, UserDataSource};

/// The image that instances run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The repository.
    pub repository: Repository,
    /// The tag in the user data; `None` if there is none.
    pub tag: Option<String>,
    /// The digest in the user data.
    pub digest: Option<Digest>,
    /// Other repositories in the user data.
    pub others: Vec<Repository>,
}

/// The reason why no image can be pinned in the user data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpinnable {
    /// There is no user data.
    Empty,
    /// It contains no image reference with a registry.
    NoReference,
    /// It contains a reference that cannot be replaced: the repository and the reason.
    Refused(Repository, String),
}

impl fmt::Display for Unpinnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unpinnable::Empty => f.write_str("there is no user data"),
            Unpinnable::NoReference => {
                f.write_str("it contains no image reference with a registry")
            }
            Unpinnable::Refused(repository, why) => {
                write!(f, "the reference to {repository} cannot be replaced by a digest: {why}")
            }
        }
    }
}

/// Registry, path, and an optional tag and digest. A registry's host contains a dot (Docker's reference grammar).
const REFERENCE: &str = r"(?-u)(?P<name>(?:[a-z0-9-]+\.)+[a-z0-9-]+(?::[0-9]+)?/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?";

/// Finds the image in decoded user data: the first that can be pinned and is in an `own` registry, otherwise
/// the first that can be pinned.
///
/// # Errors
/// The reason why there is none.
pub fn find_image(
    user_data: Option<&[u8]>,
    own: impl Fn(&Repository) -> bool,
) -> Result<Image, Unpinnable> {
    let text = user_data.filter(|text| !text.is_empty()).ok_or(Unpinnable::Empty)?;
    let mut candidates: Vec<Image> = Vec::new();
    let mut refused = None;
    for image in mentioned(text) {
        if candidates.iter().any(|found| found.repository == image.repository) {
            continue;
        }
        match pinned(text, &image.repository) {
            Ok(()) => candidates.push(image),
            Err(why) => {
                let why = match why {
                    PinError::UnparsableReference { line, why, .. } => {
                        format!("on line {line}, {why}")
                    }
                    other => other.to_string(),
                };
                refused.get_or_insert((image.repository, why));
            }
        }
    }
    let position = candidates.iter().position(|image| own(&image.repository));
    if candidates.is_empty() {
        return Err(match refused {
            Some((repository, why)) => Unpinnable::Refused(repository, why),
            None => Unpinnable::NoReference,
        });
    }
    let mut image = candidates.remove(position.unwrap_or(0));
    image.others = candidates.into_iter().map(|other| other.repository).collect();
    Ok(image)
}

/// Returns everything that looks like an image reference, in order. Ignores URLs and comments of shell scripts.
fn mentioned(text: &[u8]) -> Vec<Image> {
    let Ok(pattern) = Regex::new(REFERENCE) else { return Vec::new() };
    let read = |line: &[u8]| -> Vec<Image> {
        let captures = pattern.captures_iter(line).filter(|found| {
            let start = found.get(0).map_or(0, |all| all.start());
            let before = &line[..start];
            !before.ends_with(b"//") || before.ends_with(b"docker://")
        });
        let images = captures.filter_map(|found| {
            let name = std::str::from_utf8(found.name("name")?.as_bytes()).ok()?;
            let repository: Repository = name.parse().ok()?;
            let part = |key: &str| {
                let bytes = found.name(key)?.as_bytes();
                std::str::from_utf8(bytes).ok().map(str::to_owned)
            };
            let (tag, digest) = (part("tag"), part("digest").and_then(|text| text.parse().ok()));
            // A path on a host is an image only if the host is a known registry or it has a tag or digest.
            let is_registry = repository.ecr().is_some() || repository.registry() == "ghcr.io";
            (is_registry || tag.is_some() || digest.is_some()).then(|| Image {
                repository,
                tag,
                digest,
                others: Vec::new(),
            })
        });
        images.collect()
    };
    let is_comment = |line: &&[u8]| line.trim_ascii_start().starts_with(b"#");
    text.split(|b| *b == b'\n').filter(|line| !is_comment(line)).flat_map(read).collect()
}

/// Checks that every reference to the repository can be replaced by a digest.
fn pinned(text: &[u8], repository: &Repository) -> Result<(), PinError> {
    let base = STANDARD.encode(text);
    match template::check_pinnable(&UserDataSource::Rewrite, Some(&base), repository) {
        // The length does not matter for finding the image.
        Ok(()) | Err(PinError::TooLong { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/team/web";

    fn found(script: &str) -> Result<Image, Unpinnable> {
        find_image(Some(script.as_bytes()), |repository| repository.ecr().is_some())
    }

    #[test]
    fn the_image_is_found_with_its_tag_or_digest() {
        let image = found(&format!("#!/bin/sh\ndocker run -d -p 80:8080 {ECR}:v1\n")).unwrap();
        assert_eq!(
            (image.repository.to_string().as_str(), image.tag.as_deref()),
            (ECR, Some("v1"))
        );
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = found(&format!("docker run \"{ECR}@{digest}\"")).unwrap();
        assert_eq!(image.digest.map(|d| d.to_string()), Some(digest));
    }

    #[test]
    fn a_sidecar_does_not_hide_the_image_of_the_own_registry() {
        let script = format!(
            "curl https://example.com/a/b:1\ndocker run public.ecr.aws/acme/agent:1\n# {ECR}-old:v1\n\
             docker login --username AWS {}\ndocker run {ECR}:v1\n",
            ECR.split('/').next().unwrap()
        );
        let image = found(&script).unwrap();
        assert_eq!(image.repository.to_string(), ECR);
        assert_eq!(image.others.len(), 1);
        assert_eq!(image.others[0].to_string(), "public.ecr.aws/acme/agent");
    }

    #[test]
    fn what_cannot_be_pinned_is_said() {
        assert_eq!(found(""), Err(Unpinnable::Empty));
        assert_eq!(found("#!/bin/sh\nyum install -y nginx\n"), Err(Unpinnable::NoReference));
        let computed = found(&format!("TAG=v1\ndocker run {ECR}:$TAG\n"));
        assert!(matches!(computed, Err(Unpinnable::Refused(..))), "{computed:?}");
    }
}
