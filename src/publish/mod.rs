//! Publishes an image from an engine to registries: each layer is compressed once, on all cores, while it is
//! read, and uploaded to every destination while it is compressed. Also finds a repository's registry and our
//! credentials for it, and handles what is specific to ECR and GHCR; the protocol is [`cutover_oci::registry`]'s.

mod assembled;
mod attach;
mod dedupe;
mod destination;
mod ecr;
mod engine;
mod ghcr;
mod layer_cache;
mod logins;
mod manifest;
mod policy;
mod policy_error;
mod prior_images;
pub mod provenance;
mod push;
mod scan;
mod transfer;

pub use assembled::{AssembledError, AssembledPush};
pub use attach::{NotAnSbom, attach, sbom};
pub use destination::{Destination, DestinationError, connect, connect_to_read};
pub use ecr::{EnsuredRepository, check_immutable_tags, ensure, ensure_scanned};
pub use ghcr::{Visibility, is_ghcr, visibility};
pub use layer_cache::{CachedLayer, LayerCache};
pub use logins::Logins;
pub use policy::{PushPolicy, PushedImage};
pub use policy_error::PolicyError;
pub use push::{ImageContent, ImagePush, PublishError, Published};
pub use scan::{SevereFindings, judge};

#[cfg(test)]
mod tests;
