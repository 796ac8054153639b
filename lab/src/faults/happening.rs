//! What happens to the world at a given time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Event, Misbehaviour, hand, misbehaviour, values};
use crate::services::ec2;
use crate::world::{self, World, later};

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// When, in seconds after the scenario's beginning.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A zone is lost: nothing on its instances answers, the load balancer's node there is gone, and
    /// nothing can be launched.
    ZoneLost {
        /// Its letter, or its name.
        zone: String,
    },
    /// It is back, and the instances that are still there boot anew.
    ZoneBack {
        /// Its letter, or its name.
        zone: String,
    },
    /// There is no capacity for new instances.
    Shortage {
        /// In this zone, by letter or name; everywhere, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// For so many seconds.
        lasts: u64,
    },
    /// As many requests a second come from now on, before the daily course and bursts.
    Rate {
        /// Requests a second to every load balancer.
        #[serde(deserialize_with = "values::amount")]
        requests_per_second: f64,
    },
    /// The programs of an image misbehave, wherever they run.
    Image {
        /// The version that they report (label `lab.version`).
        version: String,
        /// For so many seconds; for ever, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<u64>,
        /// How.
        becomes: Misbehaviour,
    },
    /// Somebody else, with all rights in the account, makes one API call.
    Hand {
        /// For example `autoscaling:SetDesiredCapacity`.
        call: String,
        /// The input, by the names that the API gives its members. EC2's are those of its query form
        /// (`InstanceId`, `Filter`). Texts may name what has an ARN: `${rule:10}`, `${listener:80}`,
        /// `${target_group:news-blue}`, `${load_balancer:news}`, and the first instance of a group,
        /// `${instance:news-blue}`.
        #[serde(default)]
        input: serde_json::Value,
    },
}

impl Happening {
    /// `what`, so many seconds after the scenario's beginning.
    pub fn at(at: u64, what: What) -> Happening {
        Happening { at, what }
    }
}

/// Schedules what happens; what should already have happened, happens next.
pub fn schedule(world: &mut World, happening: &Happening) {
    let at = later(world.began, Duration::from_secs(happening.at));
    let event = Event::Happens(Box::new(happening.what.clone()));
    world.queue.push(at, world::Event::Faults(event));
}

/// Lets something happen now.
pub(super) fn begin(world: &mut World, what: &What) {
    match what {
        What::ZoneLost { zone } => {
            let zone = zone_named(world, zone);
            ec2::lose_zone(world, &zone, true);
        }
        What::ZoneBack { zone } => {
            let zone = zone_named(world, zone);
            ec2::lose_zone(world, &zone, false);
        }
        What::Shortage { zone, lasts } => {
            let until = later(world.now, Duration::from_secs(*lasts));
            let zones = match zone {
                Some(zone) => vec![zone_named(world, zone)],
                None => world.ec2.zones.keys().cloned().collect(),
            };
            for zone in zones {
                let end = world.ec2.shortage.entry(zone).or_insert(until);
                *end = until.max(*end);
            }
        }
        What::Rate { requests_per_second } => world.traffic.rate = requests_per_second.max(0.0),
        What::Image { version, lasts, becomes } => {
            let number = misbehaviour::begin(world, version, becomes);
            if let Some(lasts) = lasts {
                let end = later(world.now, Duration::from_secs(*lasts));
                let event = Event::Behaves(number);
                world.queue.push(end, world::Event::Faults(event));
            }
        }
        What::Hand { call, input } => hand::act(world, call, input),
    }
}

/// A zone by its letter or its name.
fn zone_named(world: &World, zone: &str) -> String {
    match world.ec2.zones.contains_key(zone) {
        true => zone.to_owned(),
        false => format!("{}{zone}", world.region),
    }
}
