//! The deploy role of a stack: the policies of `src/iam` for the resources that the template creates.

use super::{GitHub, Stack, StackError};
use crate::iam::render::{cloudformation, terraform};
use crate::iam::{Feature, Features, Policy, Repositories, Resources, Trust, permissions, trust};

/// The role's policies in the language of a template.
#[derive(Default)]
pub(super) struct DeployRole {
    pub(super) trust: String,
    pub(super) permissions: String,
}

/// Returns the features that the first `cutover.yaml` of a stack uses: two groups behind rules, and an image
/// that cutover builds and pushes.
pub fn uses() -> Features {
    Features::of([
        Feature::TwoGroups,
        Feature::TargetGroups,
        Feature::LoadBalancer,
        Feature::Counts,
        Feature::ScheduledScaleIn,
        Feature::Rules,
        Feature::InstanceProfile,
        Feature::LaunchTags,
        Feature::OwnRepository,
        Feature::Push,
        Feature::Build,
    ])
}

pub(super) fn in_cloudformation(stack: &Stack) -> DeployRole {
    let Some(github) = &stack.github else { return DeployRole::default() };
    let mut known =
        Resources::of("${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}", &stack.service);
    known.dns_suffix = "${AWS::URLSuffix}".to_owned();
    known.launch_template = Some(known.template_arn("${LaunchTemplate}"));
    known.instance_roles = vec!["${InstanceRole.Arn}".to_owned()];
    known.rules = ["${TrafficRule}", "${TestRule}"].map(str::to_owned).to_vec();
    let text = |policy: &Policy| format!("{:#}", cloudformation::value(policy));
    let (trust, permissions) = policies(stack, github, known, "${Repository.Arn}");
    DeployRole { trust: text(&trust), permissions: text(&permissions) }
}

pub(super) fn in_terraform(stack: &Stack) -> Result<DeployRole, StackError> {
    let Some(github) = &stack.github else { return Ok(DeployRole::default()) };
    let mut known = Resources::of(
        "${data.aws_partition.current.partition}",
        &stack.region,
        "${data.aws_caller_identity.current.account_id}",
        &stack.service,
    );
    known.dns_suffix = "${data.aws_partition.current.dns_suffix}".to_owned();
    known.launch_template = Some("${aws_launch_template.this.arn}".to_owned());
    known.instance_roles = vec!["${aws_iam_role.instance.arn}".to_owned()];
    known.rules =
        ["traffic", "test"].map(|rule| format!("${{aws_lb_listener_rule.{rule}.arn}}")).to_vec();
    let (trust, permissions) = policies(stack, github, known, "${aws_ecr_repository.this.arn}");
    Ok(DeployRole {
        trust: terraform::jsonencode(&trust)?,
        permissions: terraform::jsonencode(&permissions)?,
    })
}

fn policies(
    stack: &Stack,
    github: &GitHub,
    mut known: Resources,
    repository: &str,
) -> (Policy, Policy) {
    known.groups = vec![known.group_arn(&stack.blue()), known.group_arn(&stack.green())];
    known.launched = vec![known.launched_arn("instance")];
    let repositories = vec![repository.to_owned()];
    known.repositories =
        Repositories { pushed: repositories.clone(), own: repositories, bases: Vec::new() };
    let trusted = Trust {
        provider: Trust::provider(&known.partition, &known.account),
        repository: github.repository.clone(),
        job: github.job.clone(),
    };
    (trust(&trusted), permissions(&github.uses, &known))
}
