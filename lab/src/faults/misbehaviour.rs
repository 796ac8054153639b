//! Images whose programs begin to misbehave, long after they were shipped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, values};
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

/// Everything that is the matter with images, by the numbers in which it began.
#[derive(Debug, Clone, Default)]
pub(super) struct All {
    current: BTreeMap<u64, (String, Misbehaviour)>,
    last: u64,
}

impl Misbehaviour {
    fn spoil(&self, program: &mut Program) {
        if let Some(rate) = self.error_rate {
            program.error_rate = rate.clamp(0.0, 1.0);
        }
        program.latency_ms = self.latency_ms.unwrap_or(program.latency_ms);
        program.healthy &= !self.unhealthy;
    }
}

/// Changes a program for the worse by all that is the matter with its version; of two error rates, or
/// latencies, the one that began later holds.
pub(crate) fn spoil(faults: &State, program: &mut Program) {
    let version = program.version.clone();
    let current = faults.misbehaving.current.values();
    current.filter(|(named, _)| *named == version).for_each(|(_, what)| what.spoil(program));
}

/// The programs of this version misbehave from now on, those launched later, too. Gives the number by
/// which it ends.
pub(super) fn begin(world: &mut World, version: &str, becomes: &Misbehaviour) -> u64 {
    let all = &mut world.faults.misbehaving;
    all.last += 1;
    let number = all.last;
    all.current.insert(number, (version.to_owned(), becomes.clone()));
    ec2::reload(world, version);
    number
}

/// What began as this number ends.
pub(super) fn end(world: &mut World, number: u64) {
    if let Some((version, _)) = world.faults.misbehaving.current.remove(&number) {
        ec2::reload(world, &version);
    }
}
