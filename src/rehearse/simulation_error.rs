//! The error of a simulation that could not be set up.

use cutover_aws::AwsError;
use cutover_config::ConfigError;
use cutover_oci::image::AssembleError;

/// Why no rollout could be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The runtime could not be started.
    #[error("the runtime could not be started: {0}")]
    Runtime(#[from] std::io::Error),
    /// The demo's own configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No image can be assembled from the demo's own files.
    #[error(transparent)]
    Image(#[from] AssembleError),
    /// The lab rejected the connection.
    #[error(transparent)]
    Cloud(#[from] AwsError),
    /// The lab's world could not be built.
    #[error("the lab's world could not be built: {0}")]
    Lab(String),
}
