//! Launch template specifications and mixed instances policies of Auto Scaling.

use aws_sdk_autoscaling::types::{LaunchTemplateSpecification, MixedInstancesPolicy};

use cutover_rollout::model::{LaunchTemplate, TemplateSource, VersionSpec};

/// Converts a specification. AWS omits what was not specified: a missing version means `$Default` (API model);
/// a missing id or name stays empty and matches no other.
pub(super) fn launch_template(specification: &LaunchTemplateSpecification) -> LaunchTemplate {
    LaunchTemplate {
        id: specification.launch_template_id().unwrap_or_default().to_owned(),
        name: specification.launch_template_name().unwrap_or_default().to_owned(),
        version: match specification.version() {
            Some("$Latest") => VersionSpec::Latest,
            Some(number) => number.parse().map_or(VersionSpec::Default, VersionSpec::Number),
            None => VersionSpec::Default,
        },
    }
}

/// Makes the specification of exactly this version. Only one of id and name may be sent (API model).
pub(super) fn specification(template_id: &str, version: u64) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder()
        .launch_template_id(template_id)
        .version(version.to_string())
        .build()
}

/// Returns the launch template of a mixed instances policy.
pub(super) fn of_policy(policy: &MixedInstancesPolicy) -> Option<LaunchTemplate> {
    policy.launch_template()?.launch_template_specification().map(launch_template)
}

/// Converts what a group launches from: a launch template or a mixed instances policy.
pub(super) fn source(
    template: Option<&LaunchTemplateSpecification>,
    policy: Option<&MixedInstancesPolicy>,
) -> TemplateSource {
    if let Some(template) = template {
        return TemplateSource::Template(launch_template(template));
    }
    let Some((policy, template)) = policy.and_then(|policy| Some((policy, of_policy(policy)?)))
    else {
        return TemplateSource::Other;
    };
    let overrides = policy.launch_template().map(|t| t.overrides()).unwrap_or_default();
    TemplateSource::Mixed {
        template,
        attribute_based: overrides.iter().any(|o| o.instance_requirements().is_some()),
        overrides_have_templates: overrides
            .iter()
            .any(|o| o.launch_template_specification().is_some()),
    }
}

/// Replaces only the version of the base template in a policy.
pub(super) fn repinned(
    mut policy: MixedInstancesPolicy,
    template_id: &str,
    version: u64,
) -> MixedInstancesPolicy {
    if let Some(template) = &mut policy.launch_template {
        template.launch_template_specification = Some(specification(template_id, version));
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_autoscaling::types::{LaunchTemplate as Base, LaunchTemplateOverrides};

    #[test]
    fn a_version_that_is_left_out_is_the_default() {
        let read = |version: Option<&str>| {
            let specification = LaunchTemplateSpecification::builder()
                .launch_template_id("lt-1")
                .set_version(version.map(str::to_owned))
                .build();
            launch_template(&specification).version
        };
        assert_eq!(read(None), VersionSpec::Default);
        assert_eq!(read(Some("$Default")), VersionSpec::Default);
        assert_eq!(read(Some("$Latest")), VersionSpec::Latest);
        assert_eq!(read(Some("7")), VersionSpec::Number(7));
    }

    #[test]
    fn a_policy_keeps_everything_but_the_version() {
        let policy = MixedInstancesPolicy::builder()
            .launch_template(
                Base::builder()
                    .launch_template_specification(specification("lt-1", 3))
                    .overrides(LaunchTemplateOverrides::builder().instance_type("t3.micro").build())
                    .build(),
            )
            .build();
        let next = repinned(policy.clone(), "lt-1", 4);
        assert!(of_policy(&next).is_some_and(|template| template.is("lt-1", 4)));
        assert_eq!(
            next.launch_template().map(Base::overrides),
            policy.launch_template().map(Base::overrides)
        );
    }
}
