//! Determines what the deploy role of a configuration needs: the API calls and the resources in the account. [`survey`]
//! reads them with the given credentials. Every denied read becomes a [`Gap`].

mod gap;
mod image;
mod launch;
mod traffic;

use crate::iam::{Feature, Features, Gap, Resources};
use cutover_aws::{Aws, AwsError};
use cutover_config::{Config, Fleet, ScaleIn};
use cutover_rollout::model::Group;
use cutover_rollout::scheduled_scale_in;

pub use gap::gap_if_denied;

/// The permissions that a configuration needs, and what could not be determined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The features that need API calls.
    pub uses: Features,
    /// The resources that are accessed.
    pub resources: Resources,
    /// What could not be read or does not exist. The policy lacks what depends on it.
    pub gaps: Vec<Gap>,
}

/// Determines what a policy for `config` needs.
///
/// # Errors
/// If a request fails. A denied read is a gap, not an error.
pub async fn survey(cloud: &Aws, config: &Config) -> Result<Access, AwsError> {
    let identity = cloud.identity();
    let (partition, account) = (identity.partition(), &identity.account);
    let mut survey = Survey {
        cloud,
        config,
        uses: Features::of([shape(config)]),
        resources: Resources::of(partition, &config.region, account, &config.service),
        gaps: Vec::new(),
    };
    let names = config.groups();
    survey.resources.groups = names.iter().map(|name| survey.resources.group_arn(name)).collect();
    if !config.judge.alarms.is_empty() {
        survey.uses.insert(Feature::Alarms);
    }
    let groups = survey.groups(&names).await?;
    survey.scale_in(&names).await?;
    survey.launch(groups.as_deref()).await?;
    survey.traffic(groups.as_deref()).await?;
    survey.image().await?;
    let Survey { uses, resources, mut gaps, .. } = survey;
    gaps.sort();
    gaps.dedup();
    Ok(Access { uses, resources, gaps })
}

/// Whether the deploy role and its provider exist; `None` if that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Existing {
    /// GitHub's OIDC provider.
    pub provider: Option<bool>,
    /// The role itself.
    pub role: Option<bool>,
}

/// Reads whether the OIDC provider of this ARN and the role of this name exist. Adds denied reads to `gaps`.
///
/// # Errors
/// If a request fails. A denied read is a gap, not an error.
pub async fn existing(
    cloud: &Aws,
    provider: &str,
    role: &str,
    gaps: &mut Vec<Gap>,
) -> Result<Existing, AwsError> {
    let found = cloud.has_oidc_provider(provider).await;
    let provider = gap_if_denied(found, "whether the account has GitHub's OIDC provider", gaps)?;
    let role = gap_if_denied(cloud.has_role(role).await, "whether the role exists", gaps)?;
    Ok(Existing { provider, role })
}

fn shape(config: &Config) -> Feature {
    match config.fleet {
        Fleet::Pair(_) => Feature::TwoGroups,
        Fleet::Single(_) => Feature::OneGroup,
    }
}

/// The state of a survey.
struct Survey<'a> {
    cloud: &'a Aws,
    config: &'a Config,
    uses: Features,
    resources: Resources,
    gaps: Vec<Gap>,
}

impl Survey<'_> {
    /// Returns the result of a read. A denied read adds a gap: `without` says what cannot be determined.
    fn known<T>(
        &mut self,
        read: Result<T, AwsError>,
        without: impl Into<String>,
    ) -> Result<Option<T>, AwsError> {
        gap_if_denied(read, without, &mut self.gaps)
    }

    /// Records that something does not exist.
    fn gap(&mut self, action: &str, what: impl Into<String>) {
        self.gaps.push(Gap::missing(action, what));
    }

    /// Returns the configured groups that exist; `None` if that could not be read.
    async fn groups(&mut self, names: &[&str]) -> Result<Option<Vec<Group>>, AwsError> {
        const READ: &str = "autoscaling:DescribeAutoScalingGroups";
        let read = self.cloud.groups(names).await;
        let groups = self.known(read, "the launch template of the groups")?;
        for name in names {
            let exists = |groups: &Vec<Group>| groups.iter().any(|group| group.name == **name);
            if groups.as_ref().is_some_and(|groups| !exists(groups)) {
                self.gap(
                    READ,
                    format!("the Auto Scaling group `{name}` does not exist, so its launch template is unknown"),
                );
            }
        }
        Ok(groups)
    }

    /// Determines whether scheduled scale-ins are used. Those that an earlier configuration scheduled are also
    /// canceled.
    async fn scale_in(&mut self, names: &[&str]) -> Result<(), AwsError> {
        if !self.uses.has(Feature::TwoGroups) {
            return Ok(());
        }
        if self.config.scale_in == ScaleIn::Scheduled {
            self.uses.insert(Feature::ScheduledScaleIn);
            return Ok(());
        }
        for name in names {
            let read = self.cloud.scheduled_actions(name).await;
            let without = format!("whether a scale-in of `{name}` is scheduled");
            let actions = self.known(read, without)?.unwrap_or_default();
            if scheduled_scale_in(&actions).is_some() {
                self.uses.insert(Feature::ScheduledScaleIn);
            }
        }
        Ok(())
    }
}
