//! The launch template: what the groups launch from, at a number, and room for another version.

use super::finding::Finding;
use super::view::View;
use crate::cloud::TemplateFacts;
use crate::model::{Group, Strategy, TemplateSource, VersionSpec};

/// Versions that a template can have (user guide: quotas).
const QUOTA: u64 = 10_000;
/// From here on it is worth saying.
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
                    "correct `template.base` in cutover.yaml, or leave it out",
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

/// What a configured group launches from.
fn source(group: &Group, view: &View<'_>) -> Vec<Finding> {
    let name = &group.name;
    let describe =
        format!("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name}");
    let mut findings = Vec::new();
    match &group.source {
        TemplateSource::Other => findings.push(
            Finding::error(
                TOPIC,
                format!("`{name}` launches from no launch template, so no version can be given"),
                "make a launch template of its launch configuration, and let the group use it",
            )
            .cli(&describe),
        ),
        TemplateSource::Mixed { attribute_based: true, .. } => findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "`{name}` selects instances by attributes: a refresh then takes no \
                         desired configuration"
                ),
                "list instance types in its mixed instances policy instead",
            )
            .cli(&describe),
        ),
        TemplateSource::Mixed { own_templates: true, .. } => findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "an override of `{name}` brings a launch template of its own, which no \
                         version of ours would reach"
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
                "let both groups launch from one template, and name that one, or none, in \
                 `template.base`",
            )
            .cli(&describe),
        );
    } else if let Some(template) = &view.facts.template {
        findings.extend(unpinned(group, template, true, view));
    }
    findings
}

/// Other groups at `$Latest` or `$Default`: the next time they launch, they would launch ours.
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
    // What the instances run is what they are to be pinned to, whatever was made since.
    let (meant, running) = (template.number(version), group.running());
    let number = running.unwrap_or(meant);
    let (name, of) = (&group.name, &template.name);
    let consequence = if ours {
        "its next launch would take whatever version was made last, and nothing could be rolled \
         back"
    } else if version == VersionSpec::Latest {
        "its next launch would take the version that this rollout makes, untested"
    } else {
        "its next launch would follow whoever moves the default"
    };
    let finding = Finding::error(
        TOPIC,
        format!("`{name}` launches from `{of}` at {version}: {consequence}"),
        match (ours && view.facts.unfinished.is_none(), running) {
            (true, _) => {
                "run `cutover adopt`, or pin it to a number yourself; no instance is replaced"
                    .to_owned()
            }
            (false, Some(running)) => format!(
                "pin it to {running}, which its instances run; {version} is {meant} now. No instance is replaced by that"
            ),
            (false, None) => format!(
                "pin it to a number; {version} is {meant} now. No instance is replaced by that"
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
    let remedy = "delete versions that nothing names any longer, oldest first \
                  (`aws ec2 delete-launch-template-versions`)";
    match versions {
        QUOTA.. => Some(
            Finding::error(
                TOPIC,
                format!("`{name}` has {versions} versions, and no more are allowed"),
                remedy,
            )
            .cli(show),
        ),
        NEAR.. => Some(
            Finding::warning(
                TOPIC,
                format!("`{name}` has {versions} of the {QUOTA} versions that are allowed"),
                remedy,
            )
            .cli(show),
        ),
        _ => None,
    }
}

/// What the new version will inherit.
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
                    "version {number} of `{name}` has no instance profile: its instances \
                         can't log in to ECR"
                ),
                "add one whose role may pull, unless the image needs no login",
            )
            .cli(&show),
        );
    }
    if live.hop_limit == Some(1) {
        findings.push(
            Finding::warning(
                "instance metadata",
                format!(
                    "version {number} of `{name}` has a hop limit of 1: containers can't \
                         reach the instance's metadata, nor its role"
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
                    "version {number} of `{name}` takes its AMI from a parameter: Auto \
                         Scaling can't roll such a refresh back"
                ),
                "name the AMI by its id; otherwise going back takes a second refresh",
            )
            .cli(&show),
        );
    }
    findings
}
