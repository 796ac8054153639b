//! What a repository asks before a push, and what is asked of it afterwards.

use super::{Destination, Unfit, Visibility};
use crate::cloud::{Class, Cloud};
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

    /// Waits for ECR's scan of these images, before a tag names them.
    ///
    /// # Errors
    /// Where it finds what the gate refuses, or says nothing in time.
    pub async fn scanned(&self, to: &Destination, digests: &[Digest]) -> Result<(), Unfit> {
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
    pub async fn visible(&self, to: &Destination, digest: &Digest) -> Option<Visibility> {
        match super::is_ghcr(&to.repository) {
            true => super::visibility(to, digest).await.ok(),
            false => None,
        }
    }
}
