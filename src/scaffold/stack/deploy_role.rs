//! The deploy role of a stack: `src/iam`'s policies, whose resources are what the template itself creates.

use super::{GitHub, Stack, StackError};
use crate::iam::render::{cloudformation, terraform};
use crate::iam::{Policy, Repositories, Resources, Trust, Use, Uses, permissions, trust};

/// The role's policies as text in the language of a template.
#[derive(Default)]
pub(super) struct DeployRole {
    pub(super) trust: String,
    pub(super) permissions: String,
}

/// What the first `cutover.yaml` of a stack makes necessary: two groups whose traffic moves by rules, and an image that
/// cutover builds and pushes, and whose scan it may wait for.
pub fn uses() -> Uses {
    Uses::of([
        Use::TwoGroups,
        Use::TargetGroups,
        Use::LoadBalancer,
        Use::Counts,
        Use::Retirement,
        Use::Rules,
        Use::InstanceProfile,
        Use::LaunchTags,
        Use::OwnRepository,
        Use::Push,
        Use::Build,
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
