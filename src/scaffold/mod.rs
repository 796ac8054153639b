//! The text of the files that `cutover init` writes. Pure: discoveries in, files out.

mod config;
mod file;
pub mod filters;
mod open_questions;
mod second;
pub mod stack;
mod workflow;

pub use config::{ConfigInput, USER_DATA, cutover_yaml, cutover_yaml_from_scratch};
pub use file::File;
pub use open_questions::open_questions;
pub use second::{LiveGroup, NOT_COPIED, second_group};
pub use workflow::{Workflow, workflow};
