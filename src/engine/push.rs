//! The image into every registry that it goes to, and what these say of it.

use super::Job;
use crate::cloud::Cloud;
use crate::config::Config;
use crate::image::Image;
use crate::model::{Ending, Event, ImageReference, Repository};
use crate::net::Net;
use crate::preflight::{self, Finding};
use crate::publish::{self, Logins, Pushed, Reader, Terms, Unfit};
use crate::registry::RegistryError;
use crate::rollout::End;

/// How an image comes to be where instances pull it from.
#[derive(Debug, Clone)]
pub enum Made {
    /// Others have brought it there; no tag is written.
    Elsewhere,
    /// It was put together, and is to be pushed.
    Assembled(Box<Image>),
    /// It was built, and is in all repositories under its digest; tags are missing.
    Built,
}

impl Made {
    /// Whether it is our own, so that it is brought to the registries and tagged there.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Made::Elsewhere)
    }
}

/// Pushes what the registries do not have: to the one that instances pull from first, then to the
/// others, one request at a time. An image that was named and not made must be there. Gives the bytes
/// that were sent, and what is worth telling.
pub(super) async fn push(job: &Job<'_>, image: &ImageReference) -> Result<(u64, Vec<Event>), End> {
    if !job.made.is_ours() {
        return Ok((0, Vec::new()));
    }
    let tags = &job.target.tags;
    let others = job.parcel.push.iter().filter(|other| **other != image.repository);
    let mut destinations = Vec::new();
    let terms = Terms {
        net: job.net,
        cloud: Some(job.cloud),
        create: job.parcel.ecr.create.as_ref(),
        scan: job.parcel.ecr.scan.as_ref(),
    };
    let pushed = match &job.made {
        Made::Assembled(made) => Pushed::from(&**made),
        Made::Built | Made::Elsewhere => Pushed::from(image.digest.clone()),
    };
    for repository in [&image.repository].into_iter().chain(others) {
        let (net, cloud) = (job.net, Some(job.cloud));
        let to = publish::connect(net, cloud, repository, job.logins).await.map_err(failed)?;
        terms.before(&to, tags, Some(&pushed.top)).await.map_err(unfit)?;
        destinations.push(to);
    }
    let mut sent = 0;
    let reader = Reader { net: job.net, cloud: Some(job.cloud), logins: job.logins };
    if let Made::Assembled(made) = &job.made {
        for to in &destinations {
            sent += reader.push(made, to).await.map_err(failed)?.uploaded_bytes;
        }
    }
    let notices = terms.name(&destinations, &pushed, tags).await.map_err(unfit)?;
    Ok((sent, notices.into_iter().map(|message| Event::Notice { message }).collect()))
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
    to.registry.look_into(repository).await.err().map(|error| error.to_string())
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
fn unfit(why: Unfit) -> End {
    End { ending: why.ending(), ..failed(why) }
}

#[allow(clippy::needless_pass_by_value)] // As map_err gives it.
fn failed(why: impl ToString) -> End {
    End {
        ending: Ending::Failed,
        message: why.to_string(),
        hint: Some("the fleet was not touched".to_owned()),
    }
}
