//! The launch template and version that a group or a refresh launches from.

use super::errors::invalid;
use super::template_spec::{TemplateSpec, Version};
use crate::services::ec2;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

impl TemplateSpec {
    /// Reads `LaunchTemplate` or `MixedInstancesPolicy` from a request or a desired configuration; none if it
    /// has neither. The template and the version must exist.
    pub(super) fn read(world: &World, input: &Value) -> ApiResult<Option<TemplateSpec>> {
        let policy = input.get("MixedInstancesPolicy");
        let launch = input.get("LaunchTemplate");
        let spec = match (launch.is_null(), policy.is_null()) {
            (true, true) => return Ok(None),
            (false, false) => {
                return Err(invalid(
                    "Valid requests must contain either LaunchTemplate or MixedInstancesPolicy, not both.",
                ));
            }
            (false, true) => launch,
            (true, false) => policy.get("LaunchTemplate").get("LaunchTemplateSpecification"),
        };
        let template =
            ec2::resolve(&world.ec2, spec.str("LaunchTemplateId"), spec.str("LaunchTemplateName"))
                .map_err(|error| malformed(&error))?;
        let Some(version) = Version::read(spec.str("Version")) else {
            return Err(invalid("Launch template version must be a number, $Latest or $Default."));
        };
        template.resolve_version(Some(&version.to_string())).map_err(|error| malformed(&error))?;
        Ok(Some(TemplateSpec {
            id: template.id.clone(),
            name: template.name.clone(),
            version,
            policy: (!policy.is_null()).then(|| policy.clone()),
        }))
    }

    /// Returns the version number of an instance launched now; none if the template or version is gone.
    pub(super) fn number(&self, world: &World) -> Option<u64> {
        let template = world.ec2.templates.get(&self.id)?;
        template.resolve_version(Some(&self.version.to_string())).ok()
    }

    /// Returns the instance type of the first override of a mixed instances policy. The lab uses no other
    /// override, nor an override's own template: it has neither prices nor capacity pools.
    pub(super) fn instance_type(&self) -> Option<String> {
        let overrides = self.policy.as_ref()?.get("LaunchTemplate").list("Overrides");
        overrides.first()?.str("InstanceType").map(str::to_owned)
    }

    /// Returns whether a rollback can return to it: the version is a number, and its AMI is not an SSM
    /// parameter.
    pub(super) fn is_reversible(&self, world: &World) -> bool {
        let Version::Number(number) = self.version else { return false };
        world
            .ec2
            .templates
            .get(&self.id)
            .and_then(|template| template.versions.get(&number))
            .and_then(|version| version.data.str("imageId"))
            .is_none_or(|image| !image.starts_with("resolve:ssm:"))
    }

    /// Returns whether it uses attribute-based instance type selection.
    pub(super) fn is_attribute_based(&self, world: &World) -> bool {
        let overrides = self
            .policy
            .as_ref()
            .map_or(&[][..], |policy| policy.get("LaunchTemplate").list("Overrides"));
        let data = world
            .ec2
            .templates
            .get(&self.id)
            .zip(self.number(world))
            .and_then(|(template, number)| template.versions.get(&number));
        overrides.iter().any(|o| !o.get("InstanceRequirements").is_null())
            || data.is_some_and(|version| !version.data.get("instanceRequirements").is_null())
    }

    /// Returns it as a response member, with its API name.
    pub(super) fn to_member(&self) -> (&'static str, Value) {
        let spec = template_value(&self.id, &self.name, &self.version.to_string());
        match &self.policy {
            None => ("LaunchTemplate", spec),
            Some(policy) => ("MixedInstancesPolicy", with_specification(policy, spec)),
        }
    }
}

/// A `LaunchTemplateSpecification`.
pub(super) fn template_value(id: &str, name: &str, version: &str) -> Value {
    map([
        ("LaunchTemplateId", id.into()),
        ("LaunchTemplateName", name.into()),
        ("Version", version.into()),
    ])
}

/// Returns a policy with another template and version.
fn with_specification(policy: &Value, spec: Value) -> Value {
    let template = map([
        ("LaunchTemplateSpecification", spec),
        ("Overrides", policy.get("LaunchTemplate").get("Overrides").clone()),
    ]);
    map([
        ("LaunchTemplate", template),
        ("InstancesDistribution", policy.get("InstancesDistribution").clone()),
    ])
}

fn malformed(error: &ApiError) -> ApiError {
    invalid(format!("You must use a valid fully-formed launch template. {}", error.message))
}
