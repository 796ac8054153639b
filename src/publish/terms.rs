//! What a repository asks before a push, and what is asked of it afterwards.

use super::{Destination, Unfit, Visibility};
use crate::cloud::{Class, Cloud};
use crate::image::Image;
use crate::model::{Digest, NewRepository, ScanGate};
use crate::net::Net;

/// The account whose ECR it may be, and the clock that waiting goes by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The clock.
    pub net: &'a Net,
    /// The account; `None` where no repository is in ECR.
    pub cloud: Option<&'a Cloud>,
    /// How repositories are created that do not exist.
    pub create: Option<&'a NewRepository>,
    /// What refuses an image.
    pub scan: Option<&'a ScanGate>,
}

/// An image that is in the registries, under its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// What instances launch.
    pub digest: Digest,
    /// What tags are to name: the index, where there is one.
    pub top: Digest,
    /// The image of each platform.
    pub platforms: Vec<Digest>,
}

impl Pushed {
    /// The manifests that are there: of each platform, and the index over them if there is one.
    pub fn manifests(&self) -> impl Iterator<Item = &Digest> {
        let index = Some(&self.top).filter(|top| !self.platforms.contains(top));
        self.platforms.iter().chain(index)
    }
}

impl From<&Image> for Pushed {
    fn from(image: &Image) -> Pushed {
        Pushed {
            digest: image.digest().clone(),
            top: image.top().digest.clone(),
            platforms: image.platforms().map(|image| image.digest().clone()).collect(),
        }
    }
}

impl From<Digest> for Pushed {
    fn from(digest: Digest) -> Pushed {
        Pushed { top: digest.clone(), platforms: vec![digest.clone()], digest }
    }
}

impl Terms<'_> {
    /// Sees to it that the repository is there, and takes the tags for this image, before anything is
    /// uploaded. The image may not be known yet.
    ///
    /// # Errors
    /// Where it doesn't.
    pub async fn before(
        &self,
        to: &Destination,
        tags: &[String],
        digest: Option<&Digest>,
    ) -> Result<(), Unfit> {
        let Some(cloud) = self.cloud else { return Ok(()) };
        if self.create.is_none() && tags.is_empty() {
            // A push tells by itself that a repository is missing.
            return Ok(());
        }
        let ensured = super::ensure(cloud, &self.net.clock, &to.repository, self.create).await;
        let ensured = match ensured {
            // Who may push need not be let look: the push tells by itself.
            Err(Unfit::Cloud { source })
                if self.create.is_none() && source.class == Class::Denied =>
            {
                None
            }
            ensured => ensured?,
        };
        match (ensured, digest) {
            (Some(found), Some(digest)) => super::check_tags(to, &found.facts, tags, digest).await,
            _ => Ok(()),
        }
    }

    /// Lets `tags` name what was pushed, once no scan speaks against it anywhere; gives what people should
    /// know of it. Instances pull from the first destination.
    ///
    /// # Errors
    /// Where a scan does, or a registry doesn't take a tag.
    pub async fn name(
        &self,
        destinations: &[Destination],
        pushed: &Pushed,
        tags: &[String],
    ) -> Result<Vec<String>, Unfit> {
        for to in destinations {
            self.scanned(to, &pushed.platforms).await?;
        }
        let mut notices = Vec::new();
        for (at, to) in destinations.iter().enumerate() {
            to.registry.tag(&to.repository, &pushed.top, tags).await?;
            let visible = self.visible(to, &pushed.digest).await;
            notices.extend(visible.map(|visible| visible.told(&to.repository, at == 0)));
        }
        Ok(notices)
    }

    /// Waits for ECR's scan of these images.
    async fn scanned(&self, to: &Destination, digests: &[Digest]) -> Result<(), Unfit> {
        let Destination { repository, .. } = to;
        if let (Some(gate), Some(cloud)) = (self.scan, self.cloud)
            && cloud.owns(repository)
        {
            super::ensure_scanned(cloud, &self.net.clock, repository, digests, gate).await?;
        }
        Ok(())
    }

    /// Who may pull from GHCR. `None` elsewhere, and where it cannot be told: that is no reason to end
    /// anything.
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
        let all = |pushed: &Pushed| pushed.manifests().cloned().collect::<Vec<_>>();
        assert_eq!(all(&one.clone().into()).len(), 1);
        let platforms = vec![one.clone(), two.clone()];
        let pushed = Pushed { digest: one.clone(), top: index.clone(), platforms };
        assert_eq!(all(&pushed), [one, two, index]);
    }
}
