//! What makes a call necessary.

use std::collections::BTreeSet;

/// A property of the configuration or the account that makes calls necessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Any rollout.
    Rollout,
    /// Two groups that take turns: blue-green, canary and linear.
    TwoGroups,
    /// One group whose instances are replaced: rolling.
    OneGroup,
    /// A target group, always with two groups.
    TargetGroups,
    /// Target groups that a load balancer serves, always with two groups.
    LoadBalancer,
    /// Counts of requests and errors: always with two groups, with one where `judge` has a limit on errors.
    Counts,
    /// `judge.alarms`.
    Alarms,
    /// `retire: scheduled`, the default with two groups.
    Retirement,
    /// A rule that moves, the test rule among them.
    Rules,
    /// A listener whose default action moves.
    Listeners,
    /// A moved action list with `authenticate-cognito` in it.
    Cognito,
    /// A launch template version that tags what it launches.
    LaunchTags,
    /// A launch template version with an instance profile that has a role.
    InstanceProfile,
    /// A launch template version whose AMI is a parameter's value.
    ImageParameter,
    /// An image that cutover makes and pushes to ECR.
    Push,
    /// The same, built by a container engine: layers of earlier images are looked up.
    Build,
    /// An image from files on a base in ECR.
    Base,
    /// A repository of the account's own ECR registry.
    OwnRepository,
    /// An image in the account's own ECR registry that others have pushed.
    DeployPushed,
    /// `image.ecr.create`.
    CreateRepository,
    /// `image.ecr.scan`.
    Scan,
    /// `image.ecr.scan` where Amazon Inspector scans the registry.
    EnhancedScan,
    /// A registry whose managed signing applies to a repository that is pushed to.
    Signing,
}

/// All that holds for a configuration in its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uses(BTreeSet<Use>);

impl Uses {
    /// Exactly these, and [`Use::Rollout`].
    pub fn of(uses: impl IntoIterator<Item = Use>) -> Uses {
        let mut all: BTreeSet<Use> = uses.into_iter().collect();
        all.insert(Use::Rollout);
        Uses(all)
    }

    /// Adds one.
    pub fn insert(&mut self, one: Use) {
        self.0.insert(one);
    }

    /// Whether it holds.
    pub fn has(&self, one: Use) -> bool {
        self.0.contains(&one)
    }
}
