//! Images whose programs start to misbehave long after they were deployed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::values;
use crate::traffic::program::Program;

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

impl ActiveMisbehavior {
    /// Adds misbehavior of a version, and returns its number.
    pub(super) fn add(&mut self, version: &str, becomes: &Misbehavior) -> u64 {
        self.last += 1;
        self.current.insert(self.last, (version.to_owned(), becomes.clone()));
        self.last
    }

    /// Removes the misbehavior with this number, and returns its version.
    pub(super) fn remove(&mut self, number: u64) -> Option<String> {
        self.current.remove(&number).map(|(version, _)| version)
    }

    /// Applies all current misbehavior of a program's version. Of two error rates, or latencies, the one
    /// that began later applies.
    pub(super) fn apply(&self, program: &mut Program) {
        let version = program.version.clone();
        let current = self.current.values();
        current.filter(|(named, _)| *named == version).for_each(|(_, what)| what.apply(program));
    }
}
