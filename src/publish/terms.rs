//! What a repository asks before a push, and what is asked of it afterwards.

use super::{Destination, Unfit, Visibility};
use crate::cloud::Cloud;
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
        let ensured = super::ensure(cloud, &self.net.clock, &to.repository, self.create).await?;
        match (ensured, digest) {
            (Some(found), Some(digest)) => super::check_tags(to, &found.facts, tags, digest).await,
            _ => Ok(()),
        }
    }

    /// Waits for ECR's scan, and finds out who may pull from GHCR.
    ///
    /// # Errors
    /// Where the scan finds what the gate refuses, or says nothing in time.
    pub async fn after(
        &self,
        to: &Destination,
        digest: &Digest,
    ) -> Result<Option<Visibility>, Unfit> {
        let Destination { repository, .. } = to;
        if let (Some(gate), Some(cloud)) = (self.scan, self.cloud)
            && cloud.owns(repository)
        {
            let digests = [digest.clone()];
            super::ensure_scanned(cloud, &self.net.clock, repository, &digests, gate).await?;
        }
        // Whether it can be told is no reason to end anything.
        Ok(match super::is_ghcr(repository) {
            true => super::visibility(to, digest).await.ok(),
            false => None,
        })
    }
}
