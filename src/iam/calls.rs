//! The table of calls: every IAM action that cutover needs as the deploy role, the resources it needs it on,
//! and the feature that needs it.
//!
//! Resource types and condition keys are from the Service Authorization Reference ("Actions, resources, and
//! condition keys for …"). Some actions are not called by cutover, but checked by a service for the caller: by
//! Auto Scaling for launching, by Elastic Load Balancing for authentication, and by ECR for signing and
//! Inspector's findings. ECR's registry checks actions for requests to `/v2/` that have no API operation (ECR
//! user guide, "IAM permissions for pushing").

use super::{Condition, Feature, Resources};

/// An action, its resources and the feature that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The IAM action: `autoscaling:StartInstanceRefresh`.
    pub action: &'static str,
    /// The resources that it is needed on.
    pub scope: Scope,
    /// The feature that needs it.
    pub when: Feature,
}

/// A set of resources with conditions. Actions with the same scope share a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `*`: the action has no resource type.
    Everything,
    /// The repositories that are pushed to.
    PushedRepositories,
    /// The account's own repositories.
    OwnRepositories,
    /// The repositories of base images.
    BaseRepositories,
    /// The signing profiles of ECR's managed signing.
    SigningProfiles,
    /// The launch template.
    LaunchTemplate,
    /// The groups.
    Groups,
    /// `*`, if launched from the launch template.
    Launch,
    /// Resources that are tagged at launch.
    LaunchTags,
    /// The roles of the instance profiles, passed to EC2.
    InstanceRoles,
    /// The SSM parameters of the AMI.
    ImageParameters,
    /// The listener rules.
    Rules,
    /// The listeners.
    Listeners,
    /// The Cognito user pools.
    UserPools,
    /// The ledger in Parameter Store.
    Ledger,
}

const fn call(action: &'static str, scope: Scope, when: Feature) -> Call {
    Call { action, scope, when }
}

/// Every call. An action that several features need has a row for each.
pub const CALLS: &[Call] = &[
    // Groups. Describe actions of Auto Scaling have no resource types.
    call("autoscaling:DescribeAutoScalingGroups", Scope::Everything, Feature::Rollout),
    call("autoscaling:DescribeInstanceRefreshes", Scope::Everything, Feature::Rollout),
    call("autoscaling:DescribeScalingActivities", Scope::Everything, Feature::Rollout),
    call("autoscaling:DescribeScheduledActions", Scope::Everything, Feature::Rollout),
    call("autoscaling:StartInstanceRefresh", Scope::Groups, Feature::Rollout),
    call("autoscaling:CancelInstanceRefresh", Scope::Groups, Feature::Rollout),
    call("autoscaling:RollbackInstanceRefresh", Scope::Groups, Feature::OneGroup),
    call("autoscaling:UpdateAutoScalingGroup", Scope::Groups, Feature::TwoGroups),
    call("autoscaling:PutScheduledUpdateGroupAction", Scope::Groups, Feature::ScheduledScaleIn),
    call("autoscaling:DeleteScheduledAction", Scope::Groups, Feature::ScheduledScaleIn),
    // The launch template.
    call("ec2:DescribeLaunchTemplates", Scope::Everything, Feature::Rollout),
    call("ec2:DescribeLaunchTemplateVersions", Scope::Everything, Feature::Rollout),
    call("ec2:CreateLaunchTemplateVersion", Scope::LaunchTemplate, Feature::Rollout),
    call("ec2:DeleteLaunchTemplateVersions", Scope::LaunchTemplate, Feature::Rollout),
    // Setting a group's launch template requires permission to launch from it (Auto Scaling user guide,
    // "Control Amazon EC2 launch template usage in Auto Scaling groups"); the last row is for an AMI from a
    // parameter.
    call("ec2:RunInstances", Scope::Launch, Feature::Rollout),
    call("ec2:CreateTags", Scope::LaunchTags, Feature::LaunchTags),
    call("iam:PassRole", Scope::InstanceRoles, Feature::InstanceProfile),
    call("ssm:GetParameters", Scope::ImageParameters, Feature::ImageParameter),
    // Traffic. Describe actions of Elastic Load Balancing have no resource types.
    call("elasticloadbalancing:DescribeTargetGroups", Scope::Everything, Feature::TargetGroups),
    call(
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        Scope::Everything,
        Feature::TargetGroups,
    ),
    call("elasticloadbalancing:DescribeTargetHealth", Scope::Everything, Feature::TargetGroups),
    call("elasticloadbalancing:DescribeLoadBalancers", Scope::Everything, Feature::LoadBalancer),
    call("elasticloadbalancing:DescribeListeners", Scope::Everything, Feature::LoadBalancer),
    call("elasticloadbalancing:DescribeRules", Scope::Everything, Feature::LoadBalancer),
    call("elasticloadbalancing:ModifyRule", Scope::Rules, Feature::Rules),
    call("elasticloadbalancing:ModifyListener", Scope::Listeners, Feature::Listeners),
    // Elastic Load Balancing reads the client of an `authenticate-cognito` action (ELB user guide,
    // "Authenticate users using an Application Load Balancer": Prepare to use Amazon Cognito).
    call("cognito-idp:DescribeUserPoolClient", Scope::UserPools, Feature::Cognito),
    // Evidence. Composite alarms are only returned with permission on `*` (API reference, DescribeAlarms).
    call("cloudwatch:GetMetricData", Scope::Everything, Feature::Counts),
    call("cloudwatch:DescribeAlarms", Scope::Everything, Feature::Alarms),
    // The ledger. A path is authorized like a parameter of that name (Systems Manager user guide, "Restricting
    // access to parameters using IAM policies").
    call("ssm:GetParametersByPath", Scope::Ledger, Feature::Rollout),
    call("ssm:GetParameters", Scope::Ledger, Feature::Rollout),
    call("ssm:GetParameter", Scope::Ledger, Feature::Rollout),
    call("ssm:PutParameter", Scope::Ledger, Feature::Rollout),
    call("ssm:DeleteParameters", Scope::Ledger, Feature::Rollout),
    // The image.
    call("ecr:GetAuthorizationToken", Scope::Everything, Feature::Push),
    call("ecr:GetAuthorizationToken", Scope::Everything, Feature::Base),
    call("ecr:DescribeRepositories", Scope::OwnRepositories, Feature::OwnRepository),
    call("ecr:CreateRepository", Scope::OwnRepositories, Feature::CreateRepository),
    call("ecr:BatchGetImage", Scope::OwnRepositories, Feature::DeployPushed),
    // HEAD of a blob; POST, PATCH and PUT of an upload; HEAD, GET and PUT of a manifest.
    call("ecr:BatchCheckLayerAvailability", Scope::PushedRepositories, Feature::Push),
    call("ecr:InitiateLayerUpload", Scope::PushedRepositories, Feature::Push),
    call("ecr:UploadLayerPart", Scope::PushedRepositories, Feature::Push),
    call("ecr:CompleteLayerUpload", Scope::PushedRepositories, Feature::Push),
    call("ecr:BatchGetImage", Scope::PushedRepositories, Feature::Push),
    call("ecr:PutImage", Scope::PushedRepositories, Feature::Push),
    // GET of the list of tags and of a blob, to find the layers of earlier images.
    call("ecr:ListImages", Scope::PushedRepositories, Feature::Build),
    call("ecr:GetDownloadUrlForLayer", Scope::PushedRepositories, Feature::Build),
    call("ecr:BatchGetImage", Scope::BaseRepositories, Feature::Base),
    call("ecr:GetDownloadUrlForLayer", Scope::BaseRepositories, Feature::Base),
    // Findings of an enhanced scan come from Inspector (ECR user guide, "IAM permissions required for enhanced
    // scanning").
    call("ecr:DescribeImageScanFindings", Scope::OwnRepositories, Feature::Scan),
    call("inspector2:ListFindings", Scope::Everything, Feature::EnhancedScan),
    call("inspector2:ListCoverage", Scope::Everything, Feature::EnhancedScan),
    // ECR signs with the permissions of the identity that pushes (ECR user guide, "Managed signing").
    call("signer:SignPayload", Scope::SigningProfiles, Feature::Signing),
];

impl Scope {
    /// Returns the Sid of the statement.
    pub(super) fn sid(self) -> &'static str {
        match self {
            Scope::Everything => "Read",
            Scope::PushedRepositories => "Push",
            Scope::OwnRepositories => "Repositories",
            Scope::BaseRepositories => "Base",
            Scope::SigningProfiles => "Sign",
            Scope::LaunchTemplate => "Versions",
            Scope::Groups => "Groups",
            Scope::Launch => "LaunchByTemplate",
            Scope::LaunchTags => "TagAtLaunch",
            Scope::InstanceRoles => "PassInstanceRole",
            Scope::ImageParameters => "ImageParameter",
            Scope::Rules => "Rules",
            Scope::Listeners => "DefaultActions",
            Scope::UserPools => "UserPools",
            Scope::Ledger => "Ledger",
        }
    }

    /// Returns the ARNs. Empty if they are not known.
    pub(super) fn resources(self, known: &Resources) -> Vec<String> {
        let everything = || vec!["*".to_owned()];
        match self {
            Scope::Everything => everything(),
            Scope::PushedRepositories => known.repositories.pushed.clone(),
            Scope::OwnRepositories => known.repositories.own.clone(),
            Scope::BaseRepositories => known.repositories.bases.clone(),
            Scope::SigningProfiles => known.signing_profiles.clone(),
            Scope::LaunchTemplate => known.launch_template.iter().cloned().collect(),
            Scope::Groups => known.groups.clone(),
            // The AMI, subnets, security groups and more, as in the launch template and the group.
            Scope::Launch => known.launch_template.iter().flat_map(|_| everything()).collect(),
            Scope::LaunchTags => known.launched.clone(),
            Scope::InstanceRoles => known.instance_roles.clone(),
            Scope::ImageParameters => known.image_parameters.clone(),
            Scope::Rules => known.rules.clone(),
            Scope::Listeners => known.listeners.clone(),
            Scope::UserPools => known.user_pools.clone(),
            Scope::Ledger => {
                let Resources { partition, region, account, service, .. } = known;
                let ledger = format!("parameter/cutover/{service}/*");
                vec![format!("arn:{partition}:ssm:{region}:{account}:{ledger}")]
            }
        }
    }

    /// Returns the conditions.
    pub(super) fn conditions(self, known: &Resources) -> Vec<Condition> {
        let condition = |operator, key: &str, value: &str| {
            vec![Condition { operator, key: key.to_owned(), values: vec![value.to_owned()] }]
        };
        match self {
            Scope::Launch => {
                let template = known.launch_template.as_deref().unwrap_or_default();
                condition("ArnLike", "ec2:LaunchTemplate", template)
            }
            Scope::LaunchTags => condition("StringEquals", "ec2:CreateAction", "RunInstances"),
            Scope::InstanceRoles => {
                let ec2 = format!("ec2.{}", known.dns_suffix);
                condition("StringEquals", "iam:PassedToService", &ec2)
            }
            _ => Vec::new(),
        }
    }
}
