//! The AMIs that every Region has: Amazon's.

use std::collections::BTreeMap;

use super::stable_id::stable_id;

/// The AWS account that owns Amazon's public AMIs.
pub(super) const AMAZON: &str = "137112412989";

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

fn public_id(name: &str) -> String {
    format!("ami-0{}", stable_id(name))
}
