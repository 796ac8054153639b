//! Scheduled events of a scenario.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Event, Misbehavior, misbehavior, operator, values};
use crate::services::ec2;
use crate::world::{self, World, later};

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

/// Schedules an event. One for a time in the past happens next.
pub fn schedule(world: &mut World, event: &ScheduledEvent) {
    let at = later(world.began, Duration::from_secs(event.at));
    let event = Event::Scheduled(Box::new(event.what.clone()));
    world.queue.push(at, world::Event::Faults(event));
}

/// Carries out an event now.
pub(super) fn carry_out(world: &mut World, what: &EventKind) {
    match what {
        EventKind::ZoneLost { zone } => {
            let zone = zone_named(world, zone);
            ec2::set_zone_lost(world, &zone, true);
        }
        EventKind::ZoneBack { zone } => {
            let zone = zone_named(world, zone);
            ec2::set_zone_lost(world, &zone, false);
        }
        EventKind::Shortage { zone, lasts } => {
            let until = later(world.now, Duration::from_secs(*lasts));
            let zones = match zone {
                Some(zone) => vec![zone_named(world, zone)],
                None => world.ec2.zones.keys().cloned().collect(),
            };
            for zone in zones {
                let end = world.ec2.zones_without_capacity.entry(zone).or_insert(until);
                *end = until.max(*end);
            }
        }
        EventKind::Rate { requests_per_second } => {
            world.traffic.rate = requests_per_second.max(0.0);
        }
        EventKind::Image { version, lasts, becomes } => {
            let number = misbehavior::begin(world, version, becomes);
            if let Some(lasts) = lasts {
                let end = later(world.now, Duration::from_secs(*lasts));
                let event = Event::MisbehaviorEnds(number);
                world.queue.push(end, world::Event::Faults(event));
            }
        }
        EventKind::Operator { call, input } => operator::act(world, call, input),
    }
}

/// Returns the name of a zone, given its letter or its name.
fn zone_named(world: &World, zone: &str) -> String {
    match world.ec2.zones.contains_key(zone) {
        true => zone.to_owned(),
        false => format!("{}{zone}", world.region),
    }
}
