//! The table of calls: every action that IAM checks while cutover works as the deploy role, the resources that it is checked
//! on, and what makes it necessary.
//!
//! Resource types and condition keys are those of the Service Authorization Reference ("Actions, resources, and condition keys
//! for …"). Three kinds of rows stand for no call of ours: Auto Scaling checks on its caller what launching takes, Elastic Load
//! Balancing what authentication takes, and ECR what signing and Inspector's findings take. ECR's registry checks actions for
//! requests to `/v2/`, which have no operation of that name (ECR user guide, "IAM permissions for pushing").

use super::{Condition, Resources, Use};

/// An action, and when it is needed on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// As IAM writes it: `autoscaling:StartInstanceRefresh`.
    pub action: &'static str,
    /// What it is checked on.
    pub scope: Scope,
    /// What makes it necessary.
    pub when: Use,
}

/// Resources, with the conditions that belong to them. Actions with the same scope share a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `*`: the action has no resource type.
    Everything,
    /// The repositories that are pushed to.
    PushedRepositories,
    /// The account's own repositories.
    OwnRepositories,
    /// The repositories of bases.
    BaseRepositories,
    /// The profiles of managed signing.
    SigningProfiles,
    /// The launch template.
    LaunchTemplate,
    /// The groups.
    Groups,
    /// Everything, where it is launched by the launch template.
    Launch,
    /// What is launched, while it is launched.
    LaunchTags,
    /// The instances' roles, passed to EC2.
    InstanceRoles,
    /// The AMI's parameters.
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

const fn call(action: &'static str, scope: Scope, when: Use) -> Call {
    Call { action, scope, when }
}

/// Every call. An action that several things make necessary has a row for each.
pub const CALLS: &[Call] = &[
    // Groups. Describe actions of Auto Scaling have no resource types.
    call("autoscaling:DescribeAutoScalingGroups", Scope::Everything, Use::Rollout),
    call("autoscaling:DescribeInstanceRefreshes", Scope::Everything, Use::Rollout),
    call("autoscaling:DescribeScalingActivities", Scope::Everything, Use::Rollout),
    call("autoscaling:DescribeScheduledActions", Scope::Everything, Use::Rollout),
    call("autoscaling:StartInstanceRefresh", Scope::Groups, Use::Rollout),
    call("autoscaling:CancelInstanceRefresh", Scope::Groups, Use::Rollout),
    call("autoscaling:RollbackInstanceRefresh", Scope::Groups, Use::OneGroup),
    call("autoscaling:UpdateAutoScalingGroup", Scope::Groups, Use::TwoGroups),
    call("autoscaling:PutScheduledUpdateGroupAction", Scope::Groups, Use::Retirement),
    call("autoscaling:DeleteScheduledAction", Scope::Groups, Use::Retirement),
    // The launch template.
    call("ec2:DescribeLaunchTemplates", Scope::Everything, Use::Rollout),
    call("ec2:DescribeLaunchTemplateVersions", Scope::Everything, Use::Rollout),
    call("ec2:CreateLaunchTemplateVersion", Scope::LaunchTemplate, Use::Rollout),
    call("ec2:DeleteLaunchTemplateVersions", Scope::LaunchTemplate, Use::Rollout),
    // Whoever lets a group launch from a template must be allowed to launch from it (Auto Scaling user guide, "Control Amazon
    // EC2 launch template usage in Auto Scaling groups"); the last row is what an AMI from a parameter adds.
    call("ec2:RunInstances", Scope::Launch, Use::Rollout),
    call("ec2:CreateTags", Scope::LaunchTags, Use::LaunchTags),
    call("iam:PassRole", Scope::InstanceRoles, Use::InstanceProfile),
    call("ssm:GetParameters", Scope::ImageParameters, Use::ImageParameter),
    // Traffic. Describe actions of Elastic Load Balancing have no resource types.
    call("elasticloadbalancing:DescribeTargetGroups", Scope::Everything, Use::TargetGroups),
    call(
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        Scope::Everything,
        Use::TargetGroups,
    ),
    call("elasticloadbalancing:DescribeTargetHealth", Scope::Everything, Use::TargetGroups),
    call("elasticloadbalancing:DescribeLoadBalancers", Scope::Everything, Use::LoadBalancer),
    call("elasticloadbalancing:DescribeListeners", Scope::Everything, Use::LoadBalancer),
    call("elasticloadbalancing:DescribeRules", Scope::Everything, Use::LoadBalancer),
    call("elasticloadbalancing:ModifyRule", Scope::Rules, Use::Rules),
    call("elasticloadbalancing:ModifyListener", Scope::Listeners, Use::Listeners),
    // Elastic Load Balancing reads the client of an `authenticate-cognito` action that it is given (ELB user guide,
    // "Authenticate users using an Application Load Balancer": Prepare to use Amazon Cognito).
    call("cognito-idp:DescribeUserPoolClient", Scope::UserPools, Use::Cognito),
    // Evidence. Composite alarms are only returned to a permission on `*` (API reference, DescribeAlarms).
    call("cloudwatch:GetMetricData", Scope::Everything, Use::Counts),
    call("cloudwatch:DescribeAlarms", Scope::Everything, Use::Alarms),
    // The ledger. A path is checked as the parameter of that name (Systems Manager user guide, "Restricting access to
    // parameters using IAM policies").
    call("ssm:GetParametersByPath", Scope::Ledger, Use::Rollout),
    call("ssm:GetParameters", Scope::Ledger, Use::Rollout),
    call("ssm:GetParameter", Scope::Ledger, Use::Rollout),
    call("ssm:PutParameter", Scope::Ledger, Use::Rollout),
    call("ssm:DeleteParameters", Scope::Ledger, Use::Rollout),
    // The image.
    call("ecr:GetAuthorizationToken", Scope::Everything, Use::Push),
    call("ecr:GetAuthorizationToken", Scope::Everything, Use::Base),
    call("ecr:DescribeRepositories", Scope::OwnRepositories, Use::OwnRepository),
    call("ecr:CreateRepository", Scope::OwnRepositories, Use::CreateRepository),
    call("ecr:BatchGetImage", Scope::OwnRepositories, Use::DeployPushed),
    // HEAD of a blob; POST, PATCH and PUT of an upload; HEAD, GET and PUT of a manifest.
    call("ecr:BatchCheckLayerAvailability", Scope::PushedRepositories, Use::Push),
    call("ecr:InitiateLayerUpload", Scope::PushedRepositories, Use::Push),
    call("ecr:UploadLayerPart", Scope::PushedRepositories, Use::Push),
    call("ecr:CompleteLayerUpload", Scope::PushedRepositories, Use::Push),
    call("ecr:BatchGetImage", Scope::PushedRepositories, Use::Push),
    call("ecr:PutImage", Scope::PushedRepositories, Use::Push),
    // GET of the list of tags, and of a blob: which layers an earlier image has.
    call("ecr:ListImages", Scope::PushedRepositories, Use::Build),
    call("ecr:GetDownloadUrlForLayer", Scope::PushedRepositories, Use::Build),
    call("ecr:BatchGetImage", Scope::BaseRepositories, Use::Base),
    call("ecr:GetDownloadUrlForLayer", Scope::BaseRepositories, Use::Base),
    // Findings of an enhanced scan are Inspector's (ECR user guide, "IAM permissions required for enhanced scanning").
    call("ecr:DescribeImageScanFindings", Scope::OwnRepositories, Use::Scan),
    call("inspector2:ListFindings", Scope::Everything, Use::EnhancedScan),
    call("inspector2:ListCoverage", Scope::Everything, Use::EnhancedScan),
    // ECR signs as the identity that pushes (ECR user guide, "Managed signing").
    call("signer:SignPayload", Scope::SigningProfiles, Use::Signing),
];

impl Scope {
    /// The Sid of its statement.
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

    /// Its ARNs. Empty where they are not known.
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
            // The image, subnets, security groups and more; which ones, only the template and the group know.
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

    /// Its conditions.
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
