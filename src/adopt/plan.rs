//! Decides what to pin to which version.

use crate::discovery::Image;
use cutover_aws::TemplateFacts;
use cutover_rollout::model::{Group, LaunchTemplate, Lifecycle, Repository, VersionSpec};

/// A group to pin to a version number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The Auto Scaling group.
    pub group: String,
    /// The version that it launches from now.
    pub from: VersionSpec,
    /// The version to pin it to; `None` means the version created by [`DigestPin`].
    pub to: Option<u64>,
}

/// A tag in the user data to replace with a digest, in a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPin {
    /// The version that the new one is based on.
    pub source: u64,
    /// The image's repository.
    pub repository: Repository,
    /// The tag in the user data; `latest` if there is none, as container engines assume.
    pub tag: String,
}

/// The changes that adopt a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The launch template.
    pub template: LaunchTemplate,
    /// The groups to pin, without those that are already pinned.
    pub pins: Vec<Pin>,
    /// The version to create first.
    pub digest_pin: Option<DigestPin>,
}

impl Adoption {
    /// Returns true if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.digest_pin.is_none()
    }
}

/// The reason why a service cannot be adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unadoptable {
    /// A group has no launch template.
    #[error(
        "the group `{0}` does not use a launch template: create one before you adopt the group"
    )]
    NoTemplate(String),
    /// The groups use different launch templates.
    #[error("`{0}` and `{1}` use different launch templates: use the same one in both groups")]
    TwoTemplates(String, String),
}

/// Returns the version that a group's instances run, otherwise the current number of the group's version. `None` if the
/// version is not a number and the group has no instances, so that another group decides.
fn number(group: &Group, used: &LaunchTemplate, facts: &TemplateFacts) -> Option<u64> {
    let serving = group.instances.iter().any(|instance| instance.lifecycle == Lifecycle::InService);
    match used.version {
        VersionSpec::Number(number) => Some(number),
        version => serving.then(|| group.running_version().unwrap_or(facts.number(version))),
    }
}

/// Returns the version number that the largest of a service's groups launches from: the base of a new version.
pub(super) fn base(groups: &[Group], facts: &TemplateFacts) -> Option<u64> {
    let serving = |group: &&Group| {
        group.instances.iter().filter(|i| i.lifecycle == Lifecycle::InService).count()
    };
    // The first of equally large groups, because `max_by_key` returns the last.
    let largest = groups.iter().rev().max_by_key(serving)?;
    let used = largest.source.template()?;
    Some(number(largest, used, facts).unwrap_or(facts.number(used.version)))
}

/// Decides the changes. `image` is the image in the user data of version `base`, if it can be pinned.
///
/// # Errors
/// If the groups do not use one launch template.
pub fn plan(
    groups: &[Group],
    facts: &TemplateFacts,
    image: Option<&Image>,
) -> Result<Option<Adoption>, Unadoptable> {
    let mut template: Option<(&Group, &LaunchTemplate)> = None;
    for group in groups {
        let used = group.source.template();
        let used = used.ok_or_else(|| Unadoptable::NoTemplate(group.name.clone()))?;
        match template {
            Some((first, own)) if own.id != used.id => {
                return Err(Unadoptable::TwoTemplates(first.name.clone(), group.name.clone()));
            }
            Some(_) => {}
            None => template = Some((group, used)),
        }
    }
    let (Some((_, template)), Some(base)) = (template, base(groups, facts)) else {
        return Ok(None);
    };
    let retag = image.filter(|image| image.digest.is_none()).map(|image| DigestPin {
        source: base,
        repository: image.repository.clone(),
        tag: image.tag.clone().unwrap_or_else(|| "latest".to_owned()),
    });
    let pins = groups.iter().filter_map(|group| {
        let used = group.source.template()?;
        let own = number(group, used, facts).unwrap_or(base);
        let to = if retag.is_some() && own == base { None } else { Some(own) };
        (to.is_none() || used.version.number().is_none()).then(|| Pin {
            group: group.name.clone(),
            from: used.version,
            to,
        })
    });
    Ok(Some(Adoption { template: template.clone(), pins: pins.collect(), digest_pin: retag }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use cutover_rollout::model::{Capacity, Digest, Instance, TemplateSource};

    fn used(version: VersionSpec) -> LaunchTemplate {
        LaunchTemplate { id: "lt-1".into(), name: "web".into(), version }
    }

    fn group(name: &str, version: VersionSpec, running: &[u64]) -> Group {
        let instance = |(n, version): (usize, &u64)| Instance {
            id: format!("i-{n}"),
            zone: "a".into(),
            lifecycle: Lifecycle::InService,
            healthy: true,
            template: Some(used(VersionSpec::Number(*version))),
            protected: false,
        };
        let size = running.len() as u32;
        Group {
            name: name.into(),
            capacity: Capacity { min: 0, max: 9, desired: size },
            source: TemplateSource::Template(used(version)),
            instances: running.iter().enumerate().map(instance).collect(),
            zones: vec!["a".into()],
            target_groups: Vec::new(),
            elb_health: true,
            grace: Duration::from_secs(60),
            suspended: Vec::new(),
        }
    }

    const FACTS: fn() -> TemplateFacts =
        || TemplateFacts { id: "lt-1".into(), name: "web".into(), default: 1, latest: 5 };

    fn image(tag: Option<&str>, digest: Option<Digest>) -> Image {
        Image {
            repository: "registry.example/web".parse().unwrap(),
            tag: tag.map(str::to_owned),
            digest,
            others: Vec::new(),
        }
    }

    fn pins(adoption: &Adoption) -> Vec<(&str, Option<u64>)> {
        adoption.pins.iter().map(|pin| (pin.group.as_str(), pin.to)).collect()
    }

    #[test]
    fn a_group_is_pinned_to_what_its_instances_run() {
        let groups =
            [group("a", VersionSpec::Latest, &[4, 4]), group("b", VersionSpec::Latest, &[])];
        let adoption = plan(&groups, &FACTS(), None).unwrap().unwrap();
        assert_eq!(pins(&adoption), [("a", Some(4)), ("b", Some(4))]);
    }

    #[test]
    fn instances_that_differ_leave_it_to_what_the_version_means() {
        let groups = [group("a", VersionSpec::Default, &[4, 2])];
        let adoption = plan(&groups, &FACTS(), None).unwrap().unwrap();
        assert_eq!(pins(&adoption), [("a", Some(1))]);
        let empty = [group("a", VersionSpec::Latest, &[])];
        assert_eq!(pins(&plan(&empty, &FACTS(), None).unwrap().unwrap()), [("a", Some(5))]);
    }

    #[test]
    fn a_tag_becomes_a_version_of_its_own_for_every_group_that_launches_it() {
        let groups = [
            group("a", VersionSpec::Number(4), &[4]),
            group("b", VersionSpec::Latest, &[]),
            group("c", VersionSpec::Number(2), &[]),
        ];
        let tagged = image(Some("latest"), None);
        let adoption = plan(&groups, &FACTS(), Some(&tagged)).unwrap().unwrap();
        assert_eq!(adoption.digest_pin.as_ref().map(|retag| retag.source), Some(4));
        assert_eq!(pins(&adoption), [("a", None), ("b", None)]);
    }

    #[test]
    fn what_is_pinned_already_stays() {
        let groups = [group("a", VersionSpec::Number(4), &[4])];
        let by_digest = image(None, Some(Digest::of(b"x")));
        assert!(plan(&groups, &FACTS(), Some(&by_digest)).unwrap().unwrap().is_empty());
        let mut other = group("b", VersionSpec::Latest, &[]);
        other.source = TemplateSource::Other;
        let none = plan(&[groups[0].clone(), other], &FACTS(), None);
        assert_eq!(none, Err(Unadoptable::NoTemplate("b".into())));
    }
}
