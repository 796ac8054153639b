//! What the deploy role of a configuration needs in its account: the calls that are made there, and the names that a policy
//! holds. [`survey`] reads them with whatever credentials it is given; what it may not read is a [`Gap`], never a silence.

mod gap;
mod image;
mod launch;
mod traffic;

use crate::cloud::{Cloud, CloudError};
use crate::config::{Config, Fleet, Retire};
use crate::iam::{Gap, Resources, Use, Uses};
use crate::model::Group;
use crate::rollout::retirement;

pub use gap::unless_denied;

/// What was found, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What makes calls necessary.
    pub uses: Uses,
    /// What they are about.
    pub resources: Resources,
    /// What could not be read, or is not there. The policy lacks what depends on it.
    pub gaps: Vec<Gap>,
}

/// Reads what a policy for `config` needs.
///
/// # Errors
/// Where AWS does not answer. A refused read is none.
pub async fn survey(cloud: &Cloud, config: &Config) -> Result<Access, CloudError> {
    let identity = cloud.identity();
    let (partition, account) = (identity.partition(), &identity.account);
    let mut survey = Survey {
        cloud,
        config,
        uses: Uses::of([shape(config)]),
        resources: Resources::of(partition, &config.region, account, &config.service),
        gaps: Vec::new(),
    };
    let names = config.groups();
    survey.resources.groups = names.iter().map(|name| survey.resources.group_arn(name)).collect();
    if !config.judge.alarms.is_empty() {
        survey.uses.insert(Use::Alarms);
    }
    let groups = survey.groups(&names).await?;
    survey.retirement(&names).await?;
    survey.launch(groups.as_deref()).await?;
    survey.traffic(groups.as_deref()).await?;
    survey.image().await?;
    let Survey { uses, resources, mut gaps, .. } = survey;
    gaps.sort();
    gaps.dedup();
    Ok(Access { uses, resources, gaps })
}

/// What of a deploy role is in the account already; `None` where that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Existing {
    /// GitHub's OIDC provider.
    pub provider: Option<bool>,
    /// The role itself.
    pub role: Option<bool>,
}

/// Reads whether the OIDC provider of this ARN and the role of this name exist, and adds to `gaps` what could not be read.
///
/// # Errors
/// Where AWS does not answer. A refused read is none.
pub async fn existing(
    cloud: &Cloud,
    provider: &str,
    role: &str,
    gaps: &mut Vec<Gap>,
) -> Result<Existing, CloudError> {
    let found = cloud.has_oidc_provider(provider).await;
    let provider = unless_denied(found, "whether the account has GitHub's OIDC provider", gaps)?;
    let role = unless_denied(cloud.has_role(role).await, "whether the role exists", gaps)?;
    Ok(Existing { provider, role })
}

fn shape(config: &Config) -> Use {
    match config.fleet {
        Fleet::Pair(_) => Use::TwoGroups,
        Fleet::Single(_) => Use::OneGroup,
    }
}

/// A survey in the making.
struct Survey<'a> {
    cloud: &'a Cloud,
    config: &'a Config,
    uses: Uses,
    resources: Resources,
    gaps: Vec<Gap>,
}

impl Survey<'_> {
    /// What was read. A refusal leaves a gap: `without` says what is missing because of it.
    fn known<T>(
        &mut self,
        read: Result<T, CloudError>,
        without: impl Into<String>,
    ) -> Result<Option<T>, CloudError> {
        unless_denied(read, without, &mut self.gaps)
    }

    fn gap(&mut self, action: &str, what: impl Into<String>) {
        self.gaps.push(Gap::new(action, what));
    }

    /// The configured groups that exist; `None` where that could not be read.
    async fn groups(&mut self, names: &[&str]) -> Result<Option<Vec<Group>>, CloudError> {
        const READ: &str = "autoscaling:DescribeAutoScalingGroups";
        let read = self.cloud.groups(names).await;
        let groups = self.known(read, "the launch template of the groups")?;
        for name in names {
            let exists = |groups: &Vec<Group>| groups.iter().any(|group| group.name == **name);
            if groups.as_ref().is_some_and(|groups| !exists(groups)) {
                self.gap(
                    READ,
                    format!("the Auto Scaling group `{name}` does not exist, so what it launches is unknown"),
                );
            }
        }
        Ok(groups)
    }

    /// Whether retirements are scheduled. One that an earlier configuration scheduled is deleted, too.
    async fn retirement(&mut self, names: &[&str]) -> Result<(), CloudError> {
        if !self.uses.has(Use::TwoGroups) {
            return Ok(());
        }
        if self.config.retire == Retire::Scheduled {
            self.uses.insert(Use::Retirement);
            return Ok(());
        }
        for name in names {
            let read = self.cloud.scheduled_actions(name).await;
            let without = format!("whether a retirement of `{name}` is scheduled");
            let actions = self.known(read, without)?.unwrap_or_default();
            if retirement(&actions).is_some() {
                self.uses.insert(Use::Retirement);
            }
        }
        Ok(())
    }
}
