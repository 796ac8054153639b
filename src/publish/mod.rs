//! An image out of an engine and into registries: each layer is compressed once, on all cores, while it
//! is read, and uploaded to every destination while it is compressed. Which registry a repository is in,
//! who we are to it, and what is particular about ECR and GHCR; the protocol is [`crate::registry`]'s.

mod assembled;
mod attach;
mod destination;
mod earlier;
mod ecr;
mod engine;
mod ghcr;
mod logins;
mod manifest;
mod memory;
pub mod provenance;
mod push;
mod scan;
mod survey;
mod terms;
mod transfer;
mod unfit;

pub use assembled::{AssembledError, Reader};
pub use attach::{NoBill, attach, bill};
pub use destination::{Destination, DestinationError, connect, connect_to_read};
pub use ecr::{Ensured, check_tags, ensure, ensure_scanned};
pub use ghcr::{Visibility, is_ghcr, visibility};
pub use logins::Logins;
pub use memory::{Memory, Remembered};
pub use push::{Content, PublishError, Published, Push};
pub use scan::{TooBad, judge};
pub use terms::{Pushed, Terms};
pub use unfit::Unfit;

#[cfg(test)]
mod tests;
