//! AMIs: a selection of Amazon's own, and the public parameters that name the latest ones.

use super::ami::{AMAZON, Ami, public_parameters};
use super::errors::{IMAGE, ResourceKind};
use super::listing::{self, Describable};
use super::tags;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// Resolves the image of a launch or of launch template data: an AMI id, or `resolve:ssm:` and a parameter
/// name (user guide).
pub(super) fn resolve_image(world: &World, image: &str) -> String {
    let Some(parameter) = image.strip_prefix("resolve:ssm:") else { return image.to_owned() };
    let own = crate::services::ssm::current_value(world, parameter).map(str::to_owned);
    own.or_else(|| public_parameters().remove(parameter)).unwrap_or_else(|| image.to_owned())
}

/// `DescribeImages`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let owners = input.strings("Owner");
    let none_of_ours =
        !owners.is_empty() && !owners.iter().any(|owner| owner == "amazon" || owner == AMAZON);
    if none_of_ours {
        return Ok(map([("imagesSet", Value::List(Vec::new()))]));
    }
    listing::describe(world, input, &world.ec2.amis)
}

impl Describable for Ami {
    const KIND: ResourceKind = IMAGE;
    const IDS: &'static str = "ImageId";
    const SET: &'static str = "imagesSet";
    const FILTERS: &'static [&'static str] = &[
        "image-id",
        "name",
        "architecture",
        "state",
        "owner-alias",
        "owner-id",
        "is-public",
        "image-type",
        "root-device-type",
        "root-device-name",
        "virtualization-type",
        "hypervisor",
        "ena-support",
        "block-device-mapping.volume-type",
    ];

    fn filter_values(&self, id: &str, name: &str, _: &World) -> Vec<String> {
        let text = match name {
            "image-id" => id,
            "name" => &self.name,
            "architecture" => &self.architecture,
            "state" => "available",
            "owner-alias" => "amazon",
            "owner-id" => AMAZON,
            "is-public" | "ena-support" => "true",
            "image-type" => "machine",
            "root-device-type" => "ebs",
            "root-device-name" => "/dev/xvda",
            "virtualization-type" => "hvm",
            "hypervisor" => "xen",
            _ => "gp3",
        };
        vec![text.to_owned()]
    }

    fn write(&self, id: &str, world: &World) -> Value {
        let disk = map([
            ("deviceName", "/dev/xvda".into()),
            (
                "ebs",
                map([
                    ("deleteOnTermination", true.into()),
                    ("volumeSize", 8_i64.into()),
                    ("volumeType", "gp3".into()),
                    ("encrypted", false.into()),
                ]),
            ),
        ]);
        map([
            ("imageId", id.into()),
            ("imageLocation", format!("amazon/{}", self.name).into()),
            ("imageState", "available".into()),
            ("imageOwnerId", AMAZON.into()),
            ("imageOwnerAlias", "amazon".into()),
            ("creationDate", "2026-11-02T22:14:05.000Z".into()),
            ("isPublic", true.into()),
            ("name", self.name.as_str().into()),
            ("description", format!("Amazon Linux, {}", self.architecture).into()),
            ("architecture", self.architecture.as_str().into()),
            ("imageType", "machine".into()),
            ("platformDetails", "Linux/UNIX".into()),
            ("usageOperation", "RunInstances".into()),
            ("enaSupport", true.into()),
            ("hypervisor", "xen".into()),
            ("rootDeviceName", "/dev/xvda".into()),
            ("rootDeviceType", "ebs".into()),
            ("virtualizationType", "hvm".into()),
            ("blockDeviceMapping", Value::List(vec![disk])),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
