//! Scheduled events of a scenario.

use serde::{Deserialize, Serialize};

use super::misbehavior::Misbehavior;
use super::values;

/// A scheduled event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledEvent {
    /// When, in seconds after the start of the scenario.
    pub at: u64,
    /// What happens.
    pub what: EventKind,
}

/// What can happen to the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EventKind {
    /// A zone is lost: nothing on its instances answers, the load balancer's node in it is gone, and
    /// nothing can be launched.
    ZoneLost {
        /// The zone, by letter or name.
        zone: String,
    },
    /// The zone is back, and its remaining instances boot again.
    ZoneBack {
        /// The zone, by letter or name.
        zone: String,
    },
    /// EC2 has no capacity for new instances.
    Shortage {
        /// The zone, by letter or name; every zone if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// How long, in seconds.
        lasts: u64,
    },
    /// The request rate changes from now on, before the daily curve and bursts are applied.
    Rate {
        /// Requests per second to every load balancer.
        #[serde(deserialize_with = "values::amount")]
        requests_per_second: f64,
    },
    /// The programs of an image misbehave wherever they run.
    Image {
        /// The version that they report (label `lab.version`).
        version: String,
        /// How long, in seconds; forever if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<u64>,
        /// How they misbehave.
        becomes: Misbehavior,
    },
    /// An operator, with full permissions in the account, makes one API call.
    Operator {
        /// For example `autoscaling:SetDesiredCapacity`.
        call: String,
        /// The input, with the API's own member names; for EC2, those of its query form (`InstanceId`,
        /// `Filter`). Strings may name what has an ARN: `${rule:10}`, `${listener:80}`,
        /// `${target_group:news-blue}`, `${load_balancer:news}`; and `${instance:news-blue}`, the first
        /// instance of a group.
        #[serde(default)]
        input: serde_json::Value,
    },
}

impl ScheduledEvent {
    /// Creates an event `at` seconds after the start of the scenario.
    pub fn at(at: u64, what: EventKind) -> ScheduledEvent {
        ScheduledEvent { at, what }
    }
}
