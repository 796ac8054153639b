//! Reads the details of one service, once it is chosen.

use jiff::SignedDuration;

use super::Service;
use super::image::{Image, Unpinnable, find_image};
use crate::access::gap_if_denied;
use crate::iam::Gap;
use cutover_aws::{Aws, AwsError, VersionFacts};
use cutover_rollout::model::{Group, LaunchTemplate, TargetGroupCounts, VersionSpec};

/// What a service launches, and its traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The launch template as specified in the live group.
    pub template: LaunchTemplate,
    /// The version that it currently launches; `None` if the read was denied.
    pub version: Option<VersionFacts>,
    /// The image in that version's user data; `None` if the read was denied.
    pub image: Option<Result<Image, Unpinnable>>,
    /// Requests per minute to the service over the last ten minutes; `None` if CloudWatch has none or the read
    /// was denied.
    pub requests: Option<u64>,
    /// The groups that are not pinned to a version number, and their version.
    pub unpinned: Vec<(String, VersionSpec)>,
}

impl Launch {
    /// Returns true if `cutover adopt` has something to pin: a group, or a tag in the user data.
    pub fn needs_adoption(&self) -> bool {
        let by_tag = matches!(&self.image, Some(Ok(image)) if image.digest.is_none());
        by_tag || !self.unpinned.is_empty()
    }
}

/// Reads the launch template of a service and finds its image.
///
/// # Errors
/// If a request fails. A denied read is a gap, not an error.
pub async fn read_launch(
    cloud: &Aws,
    service: &Service,
    gaps: &mut Vec<Gap>,
) -> Result<Option<Launch>, AwsError> {
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
    let running = service.groups().into_iter().find_map(Group::running_version);
    let number = match (used.version, running) {
        (VersionSpec::Number(number), _) | (_, Some(number)) => Some(number),
        (version, None) => {
            let template = cloud.template(&used.name).await;
            let template = gap_if_denied(template, "which versions the launch template has", gaps)?;
            template.flatten().map(|template| template.number(version))
        }
    };
    let version = match number {
        Some(number) => {
            let version = cloud.version(&used.id, number).await;
            gap_if_denied(version, "which image the instances run", gaps)?.flatten()
        }
        None => None,
    };
    let own = |repository: &_| cloud.owns(repository);
    let image = version.as_ref().map(|version| find_image(version.user_data.bytes(), own));
    let requests = requests(cloud, service, gaps).await?;
    Ok(Some(Launch { template: used.clone(), version, image, requests, unpinned }))
}

/// Returns the requests per minute to all target groups of the service, in those of the last ten minutes that
/// CloudWatch has.
async fn requests(
    cloud: &Aws,
    service: &Service,
    gaps: &mut Vec<Gap>,
) -> Result<Option<u64>, AwsError> {
    let Some(balancer) = service.load_balancers.first() else { return Ok(None) };
    let pairs: Vec<(String, String)> = service
        .members()
        .into_iter()
        .filter_map(|member| Some((balancer.arn.clone(), member.target_group.clone()?)))
        .collect();
    let until = cloud.now();
    let from = until - SignedDuration::from_mins(10);
    let counts = cloud.counts(&pairs, from, until).await;
    let counts = gap_if_denied(counts, "how many requests the service receives", gaps)?;
    let minutes = |counts: &TargetGroupCounts| counts.minutes.len() as u64;
    let counts = counts.unwrap_or_default();
    let longest = counts.iter().map(minutes).max().filter(|minutes| *minutes > 0);
    let all = counts.iter().map(|counts| counts.within(from, until).requests).sum::<u64>();
    Ok(longest.map(|minutes| all / minutes))
}
