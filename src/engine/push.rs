//! Pushes an image to its registries, and checks access to them.

use super::Job;
use crate::config::Config;
use crate::preflight::{self, Finding};
use crate::publish::{self, AssembledPush, Logins, PushPolicy, PushedImage};
use cutover_aws::Aws;
use cutover_net::Net;
use cutover_oci::image::Image;
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Event, Failure, ImageReference, Repository};

/// How an image gets to where instances pull it from.
#[derive(Debug, Clone)]
pub enum ImageSource {
    /// It is already there; cutover pushes nothing and sets no tags.
    Remote,
    /// It was assembled, and is to be pushed.
    Assembled(Box<Image>),
    /// It was built, and is in all repositories by digest; its tags are still to be set.
    Built,
}

impl ImageSource {
    /// Returns whether cutover built or assembled the image, and so pushes and tags it.
    pub fn is_made_by_cutover(&self) -> bool {
        !matches!(self, ImageSource::Remote)
    }
}

/// Pushes what the registries lack: first to the one that instances pull from, then to the others, one request at a
/// time. An image that cutover did not make must already exist. Returns the number of bytes sent, and events to
/// report.
pub(super) async fn push(
    job: &Job<'_>,
    image: &ImageReference,
) -> Result<(u64, Vec<Event>), Failure> {
    if !job.made.is_made_by_cutover() {
        return Ok((0, Vec::new()));
    }
    let tags = &job.target.tags;
    let others = job.image_config.push.iter().filter(|other| **other != image.repository);
    let mut destinations = Vec::new();
    let terms = PushPolicy {
        net: job.net,
        cloud: Some(job.cloud),
        create: job.image_config.ecr.create.as_ref(),
        scan: job.image_config.ecr.scan.as_ref(),
    };
    let pushed = match &job.made {
        ImageSource::Assembled(made) => PushedImage::from(&**made),
        ImageSource::Built | ImageSource::Remote => PushedImage::from(image.digest.clone()),
    };
    for repository in [&image.repository].into_iter().chain(others) {
        let (net, cloud) = (job.net, Some(job.cloud));
        let to = publish::connect(net, cloud, repository, job.logins).await?;
        terms.before(&to, tags, Some(&pushed.tag_target)).await?;
        destinations.push(to);
    }
    let mut sent = 0;
    let reader = AssembledPush { net: job.net, cloud: Some(job.cloud), logins: job.logins };
    if let ImageSource::Assembled(made) = &job.made {
        for to in &destinations {
            sent += reader.push(made, to).await?.uploaded_bytes;
        }
    }
    let notices = terms.tag(&destinations, &pushed, tags).await?;
    Ok((sent, notices.into_iter().map(|message| Event::Notice { message }).collect()))
}

/// Returns a finding for each repository outside ECR that denies access to a push, as far as a read shows.
pub(super) async fn inaccessible_repositories(
    (net, cloud): (&Net, &Aws),
    config: &Config,
    logins: &Logins,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for repository in config.image.push.iter().filter(|repository| repository.ecr().is_none()) {
        if let Err(failure) = check_access((net, cloud), repository, logins).await {
            findings.push(preflight::registry_denied(repository, &failure.message_and_hint()));
        }
    }
    findings
}

/// Checks that a registry accepts the login.
async fn check_access(
    (net, cloud): (&Net, &Aws),
    repository: &Repository,
    logins: &Logins,
) -> Result<(), Failure> {
    let to = publish::connect(net, Some(cloud), repository, logins).await?;
    Ok(to.registry.check_readable(repository).await?)
}

/// Returns whether a registry other than ECR definitely lacks `image`. A registry that denies cutover may still admit
/// the instances.
pub(super) async fn is_missing(
    (net, cloud): (&Net, &Aws),
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
