//! Repositories, images and their blobs, as ECR and the GitHub Container Registry (GHCR) store them. In front of
//! the store are the OCI distribution API ([`super::distribution`]) and ECR's own ([`super::ecr`]).

pub(crate) mod contents;
mod digest;
mod error;
mod kind;
pub(crate) mod mutability;
mod name;
mod push;
mod push_error;
mod put;
mod references;
pub(crate) mod state;
pub(crate) mod store;
mod upload;
pub(crate) mod wildcard;

pub use contents::{ImageFacts, file, image};
pub use digest::digest_of;
pub use push_error::PushError;
pub use put::{create_repository, put_blob, put_manifest};
pub use state::State;

pub(crate) use contents::labels;
pub(crate) use digest::is_digest;
pub(crate) use error::OciError;
pub(crate) use kind::RegistryKind;
pub(crate) use mutability::TagMutability;
pub(crate) use name::is_name;
pub(crate) use push::{ManifestPush, is_tag, push};
pub(crate) use store::{Image, Repository};
pub(crate) use upload::Upload;
pub(crate) use wildcard::matches_wildcard;
