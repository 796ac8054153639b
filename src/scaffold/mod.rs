//! The files that `cutover init` writes, as text. Pure: what was found comes in, files go out.

mod config;
mod file;
pub mod filters;
mod second;
pub mod stack;
mod unknown;
mod workflow;

pub use config::{Surroundings, USER_DATA, cutover_yaml, cutover_yaml_from_scratch};
pub use file::File;
pub use second::{LiveGroup, NOT_COPIED, second_group};
pub use unknown::unknown;
pub use workflow::{Workflow, workflow};
