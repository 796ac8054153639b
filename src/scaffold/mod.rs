//! The files that `cutover init` writes, as text. Pure: what was found comes in, files go out.

mod config;
mod file;
mod filters;
mod unknown;
mod workflow;

pub use config::{Surroundings, cutover_yaml};
pub use file::File;
pub use unknown::unknown;
pub use workflow::{Workflow, workflow};
