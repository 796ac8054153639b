//! Container engines: what is sent to one to build, and what it has stored.

mod build;
mod build_error;
mod context;
mod dockerfile;
mod engine;
mod error;
mod failure;
mod host;
mod ignore;
mod layer_stream;
mod progress;
mod session;
mod steps;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tar_split;

pub use build::{BuildEnv, BuildRequest, EnvLookup, Secret, SecretSource, SshAgent};
pub use build_error::{BuildError, BuildFailure};
pub use engine::{Engine, EngineImage, EngineInfo, EngineKind};
pub use error::{Attempt, EngineError};
pub use host::DockerHost;
pub use ignore::{Ignore, InvalidPattern};
#[cfg(target_os = "linux")]
pub use layer_stream::from_store;
pub use layer_stream::{ExportItem, ExportedLayer, LayerStream, from_export};
pub use progress::Progress;
pub use session::Login;
#[cfg(target_os = "linux")]
pub use store::{Archive, LayerStore, is_readable};
