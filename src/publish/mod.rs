//! An image out of an engine and into registries: each layer is compressed once, on all cores, while it
//! is read, and uploaded to every destination while it is compressed.

mod memory;
pub mod provenance;
mod push;
mod survey;
mod transfer;

pub use memory::{Memory, Remembered};
pub use push::{Content, PublishError, Published, Push};

use crate::model::Repository;
use crate::registry::Registry;

/// A repository, and the registry that it is in as who we are there.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Where the image goes.
    pub repository: Repository,
    /// The registry, logged in to.
    pub registry: Registry,
}
