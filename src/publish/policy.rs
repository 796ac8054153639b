//! What is checked before a push to a repository, and after it.

use super::{Destination, PolicyError, Visibility};
use cutover_aws::{Aws, ErrorClass};
use cutover_net::Net;
use cutover_oci::image::Image;
use cutover_rollout::model::{Digest, RepositorySettings, ScanPolicy};

/// The account for ECR, the clock for waiting, and what repositories and images must meet.
#[derive(Debug, Clone, Copy)]
pub struct PushPolicy<'a> {
    /// The network and the clock.
    pub net: &'a Net,
    /// The account; `None` if no repository is in ECR.
    pub cloud: Option<&'a Aws>,
    /// How to create repositories that do not exist; `None` not to.
    pub create: Option<&'a RepositorySettings>,
    /// The scan gate that images must pass, if any.
    pub scan: Option<&'a ScanPolicy>,
}

/// An image that is in the registries, by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest that instances launch.
    pub digest: Digest,
    /// What tags are to point to: the index if there is one.
    pub tag_target: Digest,
    /// The digest of each platform's image.
    pub platforms: Vec<Digest>,
}

impl PushedImage {
    /// Returns the manifests of the image: each platform's, and the index over them if there is one.
    pub fn manifests(&self) -> impl Iterator<Item = &Digest> {
        let index = Some(&self.tag_target).filter(|top| !self.platforms.contains(top));
        self.platforms.iter().chain(index)
    }
}

impl From<&Image> for PushedImage {
    fn from(image: &Image) -> PushedImage {
        PushedImage {
            digest: image.digest().clone(),
            tag_target: image.tag_target().digest.clone(),
            platforms: image.platforms().map(|image| image.digest().clone()).collect(),
        }
    }
}

impl From<Digest> for PushedImage {
    fn from(digest: Digest) -> PushedImage {
        PushedImage { tag_target: digest.clone(), platforms: vec![digest.clone()], digest }
    }
}

impl PushPolicy<'_> {
    /// Ensures that the repository exists and accepts the tags for this image, before anything is uploaded.
    /// The image's digest may not be known yet.
    ///
    /// # Errors
    /// Fails if it does not.
    pub async fn before(
        &self,
        to: &Destination,
        tags: &[String],
        digest: Option<&Digest>,
    ) -> Result<(), PolicyError> {
        let Some(cloud) = self.cloud else { return Ok(()) };
        if self.create.is_none() && tags.is_empty() {
            // The push itself reports a missing repository.
            return Ok(());
        }
        let ensured = super::ensure(cloud, &self.net.clock, &to.repository, self.create).await;
        let ensured = match ensured {
            // Permission to push does not imply permission to read: the push itself reports errors.
            Err(PolicyError::Cloud { source })
                if self.create.is_none() && source.class == ErrorClass::Denied =>
            {
                None
            }
            ensured => ensured?,
        };
        match (ensured, digest) {
            (Some(found), Some(digest)) => {
                super::check_immutable_tags(to, &found.facts, tags, digest).await
            }
            _ => Ok(()),
        }
    }

    /// Points `tags` to what was pushed, once no scan blocks it in any registry; returns notices for users.
    /// Instances pull from the first destination.
    ///
    /// # Errors
    /// Fails if a scan blocks it, or a registry rejects a tag.
    pub async fn tag(
        &self,
        destinations: &[Destination],
        pushed: &PushedImage,
        tags: &[String],
    ) -> Result<Vec<String>, PolicyError> {
        for to in destinations {
            self.scanned(to, &pushed.platforms).await?;
        }
        let mut notices = Vec::new();
        for (at, to) in destinations.iter().enumerate() {
            to.registry.tag(&to.repository, &pushed.tag_target, tags).await?;
            let visible = self.visible(to, &pushed.digest).await;
            notices.extend(visible.map(|visible| visible.reported(&to.repository, at == 0)));
        }
        Ok(notices)
    }

    /// Waits for ECR's scan of these images.
    async fn scanned(&self, to: &Destination, digests: &[Digest]) -> Result<(), PolicyError> {
        let Destination { repository, .. } = to;
        if let (Some(gate), Some(cloud)) = (self.scan, self.cloud)
            && cloud.owns(repository)
        {
            super::ensure_scanned(cloud, &self.net.clock, repository, digests, gate).await?;
        }
        Ok(())
    }

    /// Returns who may pull from GHCR; `None` elsewhere, and if it cannot be found out, which is no reason to
    /// fail.
    async fn visible(&self, to: &Destination, digest: &Digest) -> Option<Visibility> {
        match super::is_ghcr(&to.repository) {
            true => super::visibility(to, digest).await.ok(),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manifest_comes_once() {
        let [one, two, index] = ["1", "2", "i"].map(|text| Digest::of(text.as_bytes()));
        let all = |pushed: &PushedImage| pushed.manifests().cloned().collect::<Vec<_>>();
        assert_eq!(all(&one.clone().into()).len(), 1);
        let platforms = vec![one.clone(), two.clone()];
        let pushed = PushedImage { digest: one.clone(), tag_target: index.clone(), platforms };
        assert_eq!(all(&pushed), [one, two, index]);
    }
}
