//! The image into every registry that it goes to, and what these say of it.

use super::Job;
use crate::cloud::Cloud;
use crate::config::Config;
use crate::model::{Ending, Event, ImageReference, Repository};
use crate::net::Net;
use crate::preflight::{self, Finding};
use crate::publish::{self, Destination, Logins, Unfit};
use crate::registry::RegistryError;
use crate::rollout::End;

/// Pushes what the registries do not have: to the one that instances pull from first, then to the
/// others, one request at a time. An image that was named and not made must be there. Gives the bytes
/// that were sent, and what is worth telling.
pub(super) async fn push(job: &Job<'_>, image: &ImageReference) -> Result<(u64, Vec<Event>), End> {
    let Some(made) = &job.image else { return Ok((0, Vec::new())) };
    let others = job.parcel.push.iter().filter(|other| **other != image.repository);
    let mut destinations = Vec::new();
    for repository in [&image.repository].into_iter().chain(others) {
        let (net, cloud) = (job.net, Some(job.cloud));
        let to = publish::connect(net, cloud, repository, job.logins).await.map_err(failed)?;
        ready(job, &to, image).await.map_err(failed)?;
        destinations.push(to);
    }
    let mut sent = 0;
    let mut events = Vec::new();
    for Destination { repository, registry } in &destinations {
        let pushed = registry.push(made, repository, &job.target.tags).await.map_err(failed)?;
        sent += pushed.uploaded_bytes;
    }
    for (n, to) in destinations.iter().enumerate() {
        events.extend(afterwards(job, to, image, n == 0).await?);
    }
    Ok((sent, events))
}

/// Sees to it that the repository is there and takes the tags, before anything is uploaded.
async fn ready(job: &Job<'_>, to: &Destination, image: &ImageReference) -> Result<(), Unfit> {
    let new = job.parcel.ecr.create.as_ref();
    if new.is_none() && job.target.tags.is_empty() {
        // A push tells by itself that a repository is missing.
        return Ok(());
    }
    let ensured = publish::ensure(job.cloud, &job.net.clock, &to.repository, new).await?;
    match ensured {
        Some(found) => publish::check_tags(to, &found.facts, &job.target.tags, &image.digest).await,
        None => Ok(()),
    }
}

/// What is to be known of an image that has been pushed: ECR's scan, and who may pull from GHCR.
async fn afterwards(
    job: &Job<'_>,
    to: &Destination,
    image: &ImageReference,
    pulled_from: bool,
) -> Result<Vec<Event>, End> {
    let Destination { repository, .. } = to;
    let (cloud, clock, digests) = (job.cloud, &job.net.clock, [image.digest.clone()]);
    if let Some(gate) = job.parcel.ecr.scan.filter(|_| cloud.owns(repository)) {
        let scanned = publish::ensure_scanned(cloud, clock, repository, &digests, &gate).await;
        scanned.map_err(|why| End { ending: Ending::Refused, ..failed(why) })?;
    }
    // Whether it can be told is no reason to end a rollout.
    let visible = match publish::is_ghcr(repository) {
        true => publish::visibility(to, &image.digest).await.ok(),
        false => None,
    };
    let notice =
        visible.map(|visible| Event::Notice { message: visible.told(repository, pulled_from) });
    Ok(notice.into_iter().collect())
}

/// The repositories that a push would not get into, as far as asking tells: those that AWS gives no
/// login for.
pub(super) async fn closed(
    (net, cloud): (&Net, &Cloud),
    config: &Config,
    logins: &Logins,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for repository in config.image.push.iter().filter(|repository| repository.ecr().is_none()) {
        if let Some(why) = asked((net, cloud), repository, logins).await {
            findings.push(preflight::closed_registry(repository, &why));
        }
    }
    findings
}

async fn asked(
    (net, cloud): (&Net, &Cloud),
    repository: &Repository,
    logins: &Logins,
) -> Option<String> {
    let to = match publish::connect(net, Some(cloud), repository, logins).await {
        Ok(to) => to,
        Err(error) => return Some(error.to_string()),
    };
    to.registry.manifest_digest(repository, "latest").await.err().map(|error| error.to_string())
}

/// Whether a registry other than ECR's surely does not have `image`. One that doesn't let us look may
/// let the instances.
pub(super) async fn is_missing(
    (net, cloud): (&Net, &Cloud),
    image: &ImageReference,
    logins: &Logins,
) -> bool {
    let repository = &image.repository;
    let Ok(from) = publish::connect_to_read(net, Some(cloud), repository, logins).await else {
        return false;
    };
    let found: Result<_, RegistryError> =
        from.registry.manifest_digest(repository, image.digest.as_str()).await;
    matches!(found, Ok(None))
}

#[allow(clippy::needless_pass_by_value)] // As map_err gives it.
fn failed(why: impl ToString) -> End {
    End {
        ending: Ending::Failed,
        message: why.to_string(),
        hint: Some("the fleet was not touched".to_owned()),
    }
}
