//! A container engine on this machine: what is sent to it to build, and what it has stored.
//!
//! Begun: the engine's own API comes with `cutover build`.

mod arrivals;
mod ignore;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tar_split;

#[cfg(target_os = "linux")]
pub use arrivals::from_store;
pub use arrivals::{Arrivals, Arriving, ArrivingLayer, from_export};
pub use ignore::{Ignore, InvalidPattern};
#[cfg(target_os = "linux")]
pub use store::{Archive, LayerStore, is_readable};
