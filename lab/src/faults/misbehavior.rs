//! Images whose programs start to misbehave long after they were deployed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, values};
use crate::services::ec2;
use crate::traffic::program::Program;
use crate::world::World;

/// How the programs of an image misbehave. What is absent stays as the image's labels say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbehavior {
    /// The share of requests, from 0 to 1, that they answer with 500.
    #[serde(deserialize_with = "values::share", skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// The response time in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether they fail their health checks.
    pub unhealthy: bool,
}

/// All current misbehavior of images, by the number that it began with.
#[derive(Debug, Clone, Default)]
pub(super) struct ActiveMisbehavior {
    current: BTreeMap<u64, (String, Misbehavior)>,
    last: u64,
}

impl Misbehavior {
    fn apply(&self, program: &mut Program) {
        if let Some(rate) = self.error_rate {
            program.error_rate = rate.clamp(0.0, 1.0);
        }
        program.latency_ms = self.latency_ms.unwrap_or(program.latency_ms);
        program.healthy &= !self.unhealthy;
    }
}

/// Applies all current misbehavior of a program's version. Of two error rates, or latencies, the one
/// that began later applies.
pub(crate) fn apply_misbehavior(faults: &State, program: &mut Program) {
    let version = program.version.clone();
    let current = faults.misbehaving.current.values();
    current.filter(|(named, _)| *named == version).for_each(|(_, what)| what.apply(program));
}

/// Makes the programs of a version misbehave from now on, including those launched later. Returns the
/// number that ends it.
pub(super) fn begin(world: &mut World, version: &str, becomes: &Misbehavior) -> u64 {
    let all = &mut world.faults.misbehaving;
    all.last += 1;
    let number = all.last;
    all.current.insert(number, (version.to_owned(), becomes.clone()));
    ec2::reload_programs(world, version);
    number
}

/// Ends the misbehavior with this number.
pub(super) fn end(world: &mut World, number: u64) {
    if let Some((version, _)) = world.faults.misbehaving.current.remove(&number) {
        ec2::reload_programs(world, &version);
    }
}
