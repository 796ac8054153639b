//! Where images go: which registry a repository is in, who we are to it, and what is particular about
//! ECR and GHCR. The protocol itself is [`crate::registry`]'s.

mod destination;
mod ecr;
mod error;
mod ghcr;
mod logins;
mod scan;

pub use destination::{Destination, DestinationError, connect};
pub use ecr::{Ensured, check_tags, ensure, ensure_scanned};
pub use error::PublishError;
pub use ghcr::{Visibility, visibility};
pub use logins::Logins;
pub use scan::{TooBad, judge};
