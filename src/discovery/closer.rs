//! What is read of one service only, once it is chosen.

use jiff::SignedDuration;

use super::Service;
use super::image::{Image, Unpinnable, find_image};
use crate::access::unless_denied;
use crate::cloud::{Cloud, CloudError, VersionFacts};
use crate::iam::Gap;
use crate::model::{Group, LaunchTemplate, TargetGroupCounts, VersionSpec};

/// What a service's instances are launched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The launch template, as the live group names it.
    pub template: LaunchTemplate,
    /// The version that it launches today; `None` where we may not look.
    pub version: Option<VersionFacts>,
    /// The image in that version's user data; `None` where we may not look.
    pub image: Option<Result<Image, Unpinnable>>,
    /// Requests a minute to the service over the last ten minutes; `None` where CloudWatch has none, or we may not look.
    pub requests: Option<u64>,
    /// Groups that launch whatever is made last, by their names, and the version that `adopt` pins them to.
    pub unpinned: Vec<(String, VersionSpec)>,
}

impl Launch {
    /// Whether `cutover adopt` has something to pin: a group, or a tag in the user data.
    pub fn is_to_be_pinned(&self) -> bool {
        let by_tag = matches!(&self.image, Some(Ok(image)) if image.digest.is_none());
        by_tag || !self.unpinned.is_empty()
    }
}

/// Reads the launch template of a service and finds its image.
///
/// # Errors
/// Where AWS does not answer. What it refuses is a gap.
pub async fn look_closer(
    cloud: &Cloud,
    service: &Service,
    gaps: &mut Vec<Gap>,
) -> Result<Option<Launch>, CloudError> {
    let Some(used) = service.template() else { return Ok(None) };
    let unpinned = |group: &&Group| {
        let version = group.source.template().map(|template| template.version);
        version.is_some_and(|version| version.number().is_none())
    };
    let unpinned: Vec<(String, VersionSpec)> = service
        .groups()
        .into_iter()
        .filter(unpinned)
        .filter_map(|group| Some((group.name.clone(), group.source.template()?.version)))
        .collect();
    let running = service.groups().into_iter().find_map(Group::running);
    let number = match (used.version, running) {
        (VersionSpec::Number(number), _) | (_, Some(number)) => Some(number),
        (version, None) => {
            let template = cloud.template(&used.name).await;
            let template =
                unless_denied(template, "what the launch template's versions are", gaps)?;
            template.flatten().map(|template| template.number(version))
        }
    };
    let version = match number {
        Some(number) => {
            let version = cloud.version(&used.id, number).await;
            unless_denied(version, "which image the instances run", gaps)?.flatten()
        }
        None => None,
    };
    let own = |repository: &_| cloud.owns(repository);
    let image = version.as_ref().map(|version| find_image(version.user_data.bytes(), own));
    let requests = requests(cloud, service, gaps).await?;
    Ok(Some(Launch { template: used.clone(), version, image, requests, unpinned }))
}

/// Requests a minute to all target groups of the service, over the minutes that CloudWatch has of the last ten.
async fn requests(
    cloud: &Cloud,
    service: &Service,
    gaps: &mut Vec<Gap>,
) -> Result<Option<u64>, CloudError> {
    let Some(balancer) = service.load_balancers.first() else { return Ok(None) };
    let pairs: Vec<(String, String)> = service
        .members()
        .into_iter()
        .filter_map(|member| Some((balancer.arn.clone(), member.target_group.clone()?)))
        .collect();
    let until = cloud.now();
    let from = until - SignedDuration::from_mins(10);
    let counts = cloud.counts(&pairs, from, until).await;
    let counts = unless_denied(counts, "how many requests the service gets", gaps)?;
    let minutes = |counts: &TargetGroupCounts| counts.minutes.len() as u64;
    let counts = counts.unwrap_or_default();
    let longest = counts.iter().map(minutes).max().filter(|minutes| *minutes > 0);
    let all = counts.iter().map(|counts| counts.within(from, until).requests).sum::<u64>();
    Ok(longest.map(|minutes| all / minutes))
}
