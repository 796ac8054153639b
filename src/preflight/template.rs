//! Checks the launch template: all groups use it at a version number, and it can have another version.

use super::finding::Finding;
use super::view::View;
use cutover_aws::TemplateFacts;
use cutover_rollout::model::{Group, Strategy, TemplateSource, VersionSpec};

/// The number of versions that a launch template can have (user guide: quotas).
const QUOTA: u64 = 10_000;
/// The number of versions from which on there is a warning.
const NEAR: u64 = 9_900;

const TOPIC: &str = "launch template";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for facts in view.groups() {
        findings.extend(source(&facts.group, view));
    }
    let Some(template) = &view.facts.template else {
        if let Some(name) = &view.config.template.name {
            findings.push(
                Finding::error(
                    TOPIC,
                    format!("the launch template `{name}` does not exist"),
                    "correct `template.base` in cutover.yaml, or remove it",
                )
                .cli(
                    "aws ec2 describe-launch-templates --query \
                      'LaunchTemplates[].LaunchTemplateName'",
                ),
            );
        }
        return findings;
    };
    findings.extend(elsewhere(template, view));
    findings.extend(quota(&template.name, view.facts.versions));
    findings.extend(content(template, view));
    findings
}

/// Checks what a configured group launches from.
fn source(group: &Group, view: &View<'_>) -> Vec<Finding> {
    let name = &group.name;
    let describe =
        format!("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name}");
    let mut findings = Vec::new();
    match &group.source {
        TemplateSource::Other => findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "`{name}` does not use a launch template, so there is no version to roll out"
                ),
                "create a launch template from its launch configuration, and use it in the group",
            )
            .cli(&describe),
        ),
        TemplateSource::Mixed { attribute_based: true, .. } => findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "`{name}` uses attribute-based instance type selection, for which a \
                         refresh takes no desired configuration"
                ),
                "list instance types in its mixed instances policy instead",
            )
            .cli(&describe),
        ),
        TemplateSource::Mixed { overrides_have_templates: true, .. } => findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "an override of `{name}` has its own launch template, in which cutover \
                         creates no version"
                ),
                "remove the launch templates from the overrides of its mixed instances policy",
            )
            .cli(&describe),
        ),
        TemplateSource::Mixed { .. } | TemplateSource::Template(_) => {}
    }
    if let (Some(used), Some(wanted)) = (group.source.template(), &view.facts.template)
        && used.id != wanted.id
    {
        findings.push(
            Finding::error(
                TOPIC,
                format!("`{name}` launches from `{}`, not from `{}`", used.name, wanted.name),
                "use one launch template in all groups, and set `template.base` to it or remove \
                 the key",
            )
            .cli(&describe),
        );
    } else if let Some(template) = &view.facts.template {
        findings.extend(unpinned(group, template, true, view));
    }
    findings
}

/// Checks other groups: at `$Latest` or `$Default`, their next launch would use the new version.
fn elsewhere(template: &TemplateFacts, view: &View<'_>) -> Vec<Finding> {
    let ours = view.config.groups();
    let others = view.facts.users.iter().filter(|group| !ours.contains(&group.name.as_str()));
    others.filter_map(|group| unpinned(group, template, false, view)).collect()
}

fn unpinned(
    group: &Group,
    template: &TemplateFacts,
    ours: bool,
    view: &View<'_>,
) -> Option<Finding> {
    let version = group.source.template()?.version;
    if version.number().is_some() {
        return None;
    }
    // Suggest the version that the instances run, even if newer ones exist.
    let (meant, running) = (template.number(version), group.running_version());
    let number = running.unwrap_or(meant);
    let (name, of) = (&group.name, &template.name);
    let consequence = if ours {
        "its next launch may use an untested version, and a rollback would not be possible"
    } else if version == VersionSpec::Latest {
        "its next launch would use the untested version that this rollout creates"
    } else {
        "its next launch would use whatever version is then the default"
    };
    let finding = Finding::error(
        TOPIC,
        format!("`{name}` launches from `{of}` at {version}: {consequence}"),
        match (ours && view.facts.unfinished.is_none(), running) {
            (true, _) => {
                "run `cutover adopt`, or pin it to a version number; no instance is replaced"
                    .to_owned()
            }
            (false, Some(running)) => format!(
                "pin it to {running}, which its instances run; {version} is now {meant}; no instance is replaced"
            ),
            (false, None) => format!(
                "pin it to a version number; {version} is now {meant}; no instance is replaced"
            ),
        },
    );
    Some(match &group.source {
        TemplateSource::Template(_) => finding.cli(format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \
             --launch-template LaunchTemplateId={},Version={number}",
            template.id
        )),
        TemplateSource::Mixed { .. } | TemplateSource::Other => finding.cli(format!(
            "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name} \
             --query 'AutoScalingGroups[].MixedInstancesPolicy'"
        )),
    })
}

fn quota(name: &str, versions: u64) -> Option<Finding> {
    let show = format!(
        "aws ec2 describe-launch-template-versions --launch-template-name {name} \
         --query 'LaunchTemplateVersions[].[VersionNumber,CreateTime,VersionDescription]'"
    );
    let remedy = "delete versions that are no longer used, oldest first \
                  (`aws ec2 delete-launch-template-versions`)";
    match versions {
        QUOTA.. => Some(
            Finding::error(TOPIC, format!("`{name}` has {versions} versions, the maximum"), remedy)
                .cli(show),
        ),
        NEAR.. => Some(
            Finding::warning(
                TOPIC,
                format!("`{name}` has {versions} versions of at most {QUOTA}"),
                remedy,
            )
            .cli(show),
        ),
        _ => None,
    }
}

/// Checks the live version, from which the new one is created.
fn content(template: &TemplateFacts, view: &View<'_>) -> Vec<Finding> {
    let Some(live) = &view.facts.live else { return Vec::new() };
    let (name, number) = (&template.name, live.number);
    let show = format!(
        "aws ec2 describe-launch-template-versions --launch-template-name {name} --versions \
         {number}"
    );
    let mut findings = Vec::new();
    if live.instance_profile.is_none() {
        findings.push(
            Finding::warning(
                "instance profile",
                format!(
                    "version {number} of `{name}` has no instance profile, so its instances \
                         cannot log in to ECR"
                ),
                "add an instance profile whose role may pull, unless the registry needs no login",
            )
            .cli(&show),
        );
    }
    if live.hop_limit == Some(1) {
        findings.push(
            Finding::warning(
                "instance metadata",
                format!(
                    "version {number} of `{name}` has a hop limit of 1, so containers cannot \
                         use the instance metadata service or the instance's role"
                ),
                "set HttpPutResponseHopLimit to 2 if the container needs its role",
            )
            .cli(&show),
        );
    }
    let parameter = live.image_id.as_ref().is_some_and(|id| id.starts_with("resolve:ssm:"));
    if parameter && view.config.strategy == Strategy::Rolling {
        findings.push(
            Finding::warning(
                TOPIC,
                format!(
                    "version {number} of `{name}` takes its AMI from a parameter, so Auto \
                         Scaling cannot roll back a refresh to it"
                ),
                "set the AMI by id; otherwise a rollback needs a second refresh",
            )
            .cli(&show),
        );
    }
    findings
}
