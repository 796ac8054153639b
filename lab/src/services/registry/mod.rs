//! Repositories, images and their blobs, and the OCI distribution API in front of them, as ECR and the GitHub
//! Container Registry (GHCR) implement it. ECR's own API ([`super::ecr`]) works on the same store.

mod actions;
mod blobs;
pub(crate) mod contents;
mod digest;
mod error;
mod host;
mod listing;
mod manifests;
pub(crate) mod mutability;
mod name;
mod path;
mod push;
mod push_error;
mod put;
mod references;
mod serve;
pub(crate) mod state;
mod storage;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod upload;
mod uploads;
pub(crate) mod wildcard;

pub use put::create_repository;
pub use put::put_blob;
pub use put::put_manifest;
pub use state::State;

pub(crate) use contents::labels;
pub use contents::{ImageFacts, file, image};
pub use digest::digest_of;
pub(crate) use digest::is_digest;
pub(crate) use error::OciError;
pub(crate) use host::authority;
pub(crate) use mutability::TagMutability;
pub(crate) use name::is_name;
pub(crate) use push::{ManifestPush, is_tag, push};
pub use push_error::PushError;
pub(crate) use serve::query_parameter;
pub use serve::serve;
pub use storage::serve_storage;
pub(crate) use storage::{PREFIX as STORAGE_PREFIX, ecr_download_url, is_storage_host};
pub(crate) use store::{Image, Repository};
pub(crate) use upload::Upload;
pub(crate) use wildcard::matches_wildcard;
