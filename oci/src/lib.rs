//! OCI images and registries: [`registry`] speaks the distribution protocol, [`image`] assembles images from files.

pub mod image;
pub mod registry;
