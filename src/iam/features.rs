//! The features that need API calls.

use std::collections::BTreeSet;

/// A feature of the configuration or the account that needs API calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Any rollout.
    Rollout,
    /// Two groups: blue-green, canary and linear.
    TwoGroups,
    /// One group: rolling.
    OneGroup,
    /// A target group, always with two groups.
    TargetGroups,
    /// Target groups behind a load balancer, always with two groups.
    LoadBalancer,
    /// Counts of requests and errors: always with two groups; with one if `judge` has a limit on errors.
    Counts,
    /// `judge.alarms`.
    Alarms,
    /// `scale_in: scheduled`, the default with two groups.
    ScheduledScaleIn,
    /// A rule that is changed, including the test rule.
    Rules,
    /// A listener whose default action is changed.
    Listeners,
    /// A changed rule with an `authenticate-cognito` action.
    Cognito,
    /// A launch template version with tag specifications.
    LaunchTags,
    /// A launch template version with an instance profile that has a role.
    InstanceProfile,
    /// A launch template version whose AMI is an SSM parameter.
    ImageParameter,
    /// An image that cutover builds or assembles and pushes to ECR.
    Push,
    /// An image built by a container engine, for which layers of earlier images are looked up.
    Build,
    /// An assembled image with a base image in ECR.
    Base,
    /// A repository in the account's own ECR registry.
    OwnRepository,
    /// An already pushed image in the account's own ECR registry.
    DeployPushed,
    /// `image.ecr.create`.
    CreateRepository,
    /// `image.ecr.scan`.
    Scan,
    /// `image.ecr.scan` with enhanced scanning by Amazon Inspector.
    EnhancedScan,
    /// Managed signing that applies to a repository that is pushed to.
    Signing,
}

/// The features that a configuration uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features(BTreeSet<Feature>);

impl Features {
    /// Makes a set of these and [`Feature::Rollout`].
    pub fn of(uses: impl IntoIterator<Item = Feature>) -> Features {
        let mut all: BTreeSet<Feature> = uses.into_iter().collect();
        all.insert(Feature::Rollout);
        Features(all)
    }

    /// Adds a feature.
    pub fn insert(&mut self, one: Feature) {
        self.0.insert(one);
    }

    /// Returns true if the feature is used.
    pub fn has(&self, one: Feature) -> bool {
        self.0.contains(&one)
    }
}
