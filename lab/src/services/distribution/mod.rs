//! The OCI distribution API, as ECR and the GitHub Container Registry (GHCR) implement it. It is in front of the
//! store ([`super::registry`]) and asks each of the two what it allows.

mod actions;
mod answer;
mod blobs;
mod host;
mod listing;
mod manifests;
mod path;
mod serve;
#[cfg(test)]
mod tests;
mod uploads;

pub use serve::serve;
