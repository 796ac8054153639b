//! Instance types, derived from their names: family, generation, letters, and size.

use super::errors::{INSTANCE, invalid_value};
use super::listing::{Filters, paginate};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The instance type of a launch that specifies none (user guide).
pub(super) const DEFAULT: &str = "m1.small";

/// A size: its name, its vCPUs, and its memory in MiB.
type Size = (&'static str, i64, i64);

/// The families in listings: name, processor manufacturer, and sizes.
const FAMILIES: &[(&str, &str, &[Size])] = &[
    ("t3", "Intel", BURSTABLE),
    ("t3a", "AMD", BURSTABLE),
    ("t4g", "AWS", BURSTABLE),
    ("m6i", "Intel", &[("large", 2, 8192), ("xlarge", 4, 16384), ("2xlarge", 8, 32768)]),
    ("m7g", "AWS", &[("medium", 1, 4096), ("large", 2, 8192), ("xlarge", 4, 16384)]),
    ("c6i", "Intel", &[("large", 2, 4096), ("xlarge", 4, 8192), ("2xlarge", 8, 16384)]),
    ("c7g", "AWS", &[("medium", 1, 2048), ("large", 2, 4096), ("xlarge", 4, 8192)]),
];

const BURSTABLE: &[Size] = &[
    ("nano", 2, 512),
    ("micro", 2, 1024),
    ("small", 2, 2048),
    ("medium", 2, 4096),
    ("large", 2, 8192),
    ("xlarge", 4, 16384),
    ("2xlarge", 8, 32768),
];

/// Returns the architecture of an instance type; none for an invalid name. Families with a `g` after the
/// generation have Graviton processors.
pub(super) fn architecture(kind: &str) -> Option<&'static str> {
    let (family, size) = kind.split_once('.')?;
    let plain =
        |s: &str| s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let generation = family.find(|c: char| c.is_ascii_digit())?;
    if generation == 0 || size.is_empty() || !plain(family) || !plain(size) {
        return None;
    }
    let letters = family[generation..].trim_start_matches(|c: char| c.is_ascii_digit());
    Some(if letters.contains('g') { "arm64" } else { "x86_64" })
}

/// Returns every listed type with its processor manufacturer, vCPUs, and memory in MiB.
fn all() -> impl Iterator<Item = (String, &'static str, i64, i64)> {
    FAMILIES.iter().flat_map(|(family, maker, sizes)| {
        sizes
            .iter()
            .map(move |(size, cpus, memory)| (format!("{family}.{size}"), *maker, *cpus, *memory))
    })
}

/// `DescribeInstanceTypes`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("InstanceType");
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|name| !all().any(|(known, ..)| known == **name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(ApiError::sender(
            "InvalidInstanceType",
            format!("The following supplied instance types do not exist: [{}]", missing.join(", ")),
        ));
    }
    let known = [
        "instance-type",
        "current-generation",
        "processor-info.supported-architecture",
        "vcpu-info.default-vcpus",
        "memory-info.size-in-mib",
        "burstable-performance-supported",
        "bare-metal",
    ];
    let filters = Filters::read(input, &known)?;
    let found = all()
        .filter(|(name, ..)| wanted.is_empty() || wanted.contains(name))
        .filter(|(name, _, cpus, memory)| {
            let field = |filter: &str| {
                vec![match filter {
                    "instance-type" => name.clone(),
                    "current-generation" => "true".to_owned(),
                    "bare-metal" => "false".to_owned(),
                    "vcpu-info.default-vcpus" => cpus.to_string(),
                    "memory-info.size-in-mib" => memory.to_string(),
                    "burstable-performance-supported" => name.starts_with('t').to_string(),
                    _ => architecture(name).unwrap_or_default().to_owned(),
                }]
            };
            filters.matches(&world.ec2, INSTANCE.prefix, field)
        })
        .map(|(name, maker, cpus, memory)| write(&name, maker, cpus, memory))
        .collect();
    let (items, next) = paginate(input, found)?;
    Ok(map([("instanceTypeSet", items.into()), ("nextToken", next.into())]))
}

fn write(name: &str, maker: &str, cpus: i64, memory: i64) -> Value {
    let one = |text: &str| Value::List(vec![text.into()]);
    let architecture = architecture(name).unwrap_or_default();
    let processor =
        map([("supportedArchitectures", one(architecture)), ("manufacturer", maker.into())]);
    let network = map([
        ("networkPerformance", "Up to 5 Gigabit".into()),
        ("maximumNetworkInterfaces", 3_i64.into()),
        ("ipv4AddressesPerInterface", 6_i64.into()),
        ("ipv6Supported", true.into()),
        ("enaSupport", "required".into()),
    ]);
    map([
        ("instanceType", name.into()),
        ("currentGeneration", true.into()),
        ("freeTierEligible", matches!(name, "t3.micro" | "t4g.micro").into()),
        ("supportedUsageClasses", one("on-demand")),
        ("supportedRootDeviceTypes", one("ebs")),
        ("supportedVirtualizationTypes", one("hvm")),
        ("bareMetal", false.into()),
        ("hypervisor", "nitro".into()),
        ("processorInfo", processor),
        ("vCpuInfo", map([("defaultVCpus", cpus.into())])),
        ("memoryInfo", map([("sizeInMiB", memory.into())])),
        ("instanceStorageSupported", false.into()),
        ("networkInfo", network),
        ("burstablePerformanceSupported", name.starts_with('t').into()),
        ("autoRecoverySupported", true.into()),
    ])
}

/// `DescribeInstanceTypeOfferings`: every listed type is offered everywhere.
pub(super) fn offerings(world: &World, input: &Value) -> ApiResult<Value> {
    let kind = input.str("LocationType").unwrap_or("region");
    let zones = &world.ec2.zones;
    let places: Vec<String> = match kind {
        "region" => vec![world.region.clone()],
        "availability-zone" => zones.keys().cloned().collect(),
        "availability-zone-id" => zones.values().map(|zone| zone.id.clone()).collect(),
        "outpost" => Vec::new(),
        other => {
            return Err(invalid_value(format!("Invalid value '{other}' for locationType.")));
        }
    };
    let filters = Filters::read(input, &["instance-type", "location"])?;
    let mut found = Vec::new();
    for (name, ..) in all() {
        for place in &places {
            let field = |filter: &str| {
                vec![if filter == "location" { place.clone() } else { name.clone() }]
            };
            if filters.matches(&world.ec2, INSTANCE.prefix, field) {
                found.push(map([
                    ("instanceType", name.as_str().into()),
                    ("locationType", kind.into()),
                    ("location", place.as_str().into()),
                ]));
            }
        }
    }
    let (items, next) = paginate(input, found)?;
    Ok(map([("instanceTypeOfferingSet", items.into()), ("nextToken", next.into())]))
}
