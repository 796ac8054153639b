//! A container engine on this machine: what is sent to it to build, and what it has stored.
//!
//! Begun: the engine's own API comes with `cutover build`.

mod ignore;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tar_split;

pub use ignore::{Ignore, InvalidPattern};
#[cfg(target_os = "linux")]
pub use store::{Archive, LayerStore, is_readable};
