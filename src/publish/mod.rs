//! Publishes images to registries: connect, push, attach, tag ([`Publisher`]). The layers of an engine's image are each
//! compressed once, on all cores, while they are read, and uploaded to every destination while they are compressed. Also
//! finds a repository's registry and our credentials for it, and handles what is specific to ECR and GHCR; the protocol
//! is [`cutover_oci::registry`]'s.

mod assembled;
mod attachments;
mod dedupe;
mod ecr;
mod engine;
mod ghcr;
mod image_source;
mod layer_cache;
mod logins;
mod manifest;
mod policy_error;
mod prior_images;
mod provenance;
mod publisher;
mod push;
mod pushed_image;
mod registry_access;
mod scan;
mod stored_layer;
mod transfer;

pub use assembled::{AssembledError, push_assembled, read_bases};
pub use attachments::Attachments;
pub use ecr::{EnsuredRepository, check_immutable_tags, ensure, ensure_scanned};
pub use ghcr::{Visibility, is_ghcr, visibility};
pub use image_source::ImageSource;
pub use layer_cache::{CachedLayer, LayerCache};
pub use logins::Logins;
pub use policy_error::PolicyError;
pub use provenance::Provenance;
pub use publisher::{Connected, Publication, Publisher, PushOptions};
pub use push::{ImageContent, ImagePush, PublishError, Published};
pub use pushed_image::PushedImage;
pub use registry_access::{Destination, DestinationError, RegistryAccess};
pub use scan::{SevereFindings, judge};

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
