//! AMIs: a selection of Amazon's own, and the public parameters that name the latest ones.

use std::collections::BTreeMap;

use super::errors::{IMAGE, ResourceKind};
use super::listing::{self, Describable};
use super::network::stable_id;
use super::tags;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The AWS account that owns Amazon's public AMIs.
const AMAZON: &str = "137112412989";

/// An AMI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ami {
    /// Its name.
    pub name: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
}

/// The AMIs of every Region: public parameter, name and architecture. The release numbers in the names
/// are invented, for late 2026.
const PUBLIC: &[(&str, &str, &str)] = &[
    (
        "al2023-ami-kernel-default-x86_64",
        "al2023-ami-2023.9.20261102.0-kernel-6.1-x86_64",
        "x86_64",
    ),
    ("al2023-ami-kernel-default-arm64", "al2023-ami-2023.9.20261102.0-kernel-6.1-arm64", "arm64"),
    ("al2023-ami-kernel-6.1-x86_64", "al2023-ami-2023.9.20261102.0-kernel-6.1-x86_64", "x86_64"),
    ("al2023-ami-kernel-6.1-arm64", "al2023-ami-2023.9.20261102.0-kernel-6.1-arm64", "arm64"),
    (
        "al2023-ami-minimal-kernel-default-x86_64",
        "al2023-ami-minimal-2023.9.20261102.0-kernel-6.1-x86_64",
        "x86_64",
    ),
    ("amzn2-ami-hvm-x86_64-gp2", "amzn2-ami-hvm-2.0.20261020.0-x86_64-gp2", "x86_64"),
    (
        "amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
        "amzn2-ami-kernel-5.10-hvm-2.0.20261020.0-x86_64-gp2",
        "x86_64",
    ),
];

/// The path prefix of the public parameters.
const FOLDER: &str = "/aws/service/ami-amazon-linux-latest/";

/// Returns the AMIs that every Region has, by id.
pub fn public() -> BTreeMap<String, Ami> {
    let machine = |(_, name, architecture): &(&str, &str, &str)| {
        let machine = Ami { name: (*name).to_owned(), architecture: (*architecture).to_owned() };
        (public_id(name), machine)
    };
    PUBLIC.iter().map(machine).collect()
}

/// Returns Parameter Store's public parameters for AMIs: name and AMI id.
pub fn public_parameters() -> BTreeMap<String, String> {
    PUBLIC.iter().map(|(key, name, _)| (format!("{FOLDER}{key}"), public_id(name))).collect()
}

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

fn public_id(name: &str) -> String {
    format!("ami-0{}", stable_id(name))
}
