//! Images whose programs begin to misbehave, long after they were shipped.

use serde::{Deserialize, Serialize};

use super::values;
use crate::services::ec2;
use crate::traffic::program::Program;
use crate::world::World;

/// What is the matter with the programs of an image. What is absent is as the image's labels say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbehaviour {
    /// The share, from 0 to 1, of requests that they answer with 500.
    #[serde(deserialize_with = "values::share", skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// The milliseconds that an answer takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether they fail their health checks.
    pub unhealthy: bool,
}

impl Misbehaviour {
    /// Changes a program for the worse.
    pub(crate) fn spoil(&self, program: &mut Program) {
        if let Some(rate) = self.error_rate {
            program.error_rate = rate.clamp(0.0, 1.0);
        }
        program.latency_ms = self.latency_ms.unwrap_or(program.latency_ms);
        program.healthy &= !self.unhealthy;
    }
}

/// The programs of this version misbehave from now on, those launched later, too.
pub(super) fn begin(world: &mut World, version: &str, becomes: &Misbehaviour) {
    world.faults.misbehaving.insert(version.to_owned(), becomes.clone());
    ec2::reload(world, version);
}

/// They behave again as their image says.
pub(super) fn end(world: &mut World, version: &str) {
    world.faults.misbehaving.remove(version);
    ec2::reload(world, version);
}
