//! What scheduled events do to the world.

use std::time::Duration;

use super::misbehavior::Misbehavior;
use super::scheduled_event::{EventKind, ScheduledEvent};
use super::state::Event;
use crate::services::ec2::{reload_programs, set_zone_lost};
use crate::world::{self, World, later};

/// Schedules an event. One for a time in the past happens next.
pub fn schedule(world: &mut World, event: &ScheduledEvent) {
    let at = later(world.began, Duration::from_secs(event.at));
    let event = Event::Scheduled(Box::new(event.what.clone()));
    world.queue.push(at, world::Event::Faults(event));
}

/// Carries out an event now, other than the call of an operator.
pub(crate) fn carry_out(world: &mut World, what: &EventKind) {
    match what {
        EventKind::ZoneLost { zone } => {
            let zone = zone_named(world, zone);
            set_zone_lost(world, &zone, true);
        }
        EventKind::ZoneBack { zone } => {
            let zone = zone_named(world, zone);
            set_zone_lost(world, &zone, false);
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
            let number = begin_misbehavior(world, version, becomes);
            if let Some(lasts) = lasts {
                let end = later(world.now, Duration::from_secs(*lasts));
                let event = Event::MisbehaviorEnds(number);
                world.queue.push(end, world::Event::Faults(event));
            }
        }
        // A call goes the way of all requests.
        EventKind::Operator { .. } => {}
    }
}

/// Returns the name of a zone, given its letter or its name.
fn zone_named(world: &World, zone: &str) -> String {
    match world.ec2.zones.contains_key(zone) {
        true => zone.to_owned(),
        false => format!("{}{zone}", world.region),
    }
}

/// Makes the programs of a version misbehave from now on, including those launched later. Returns the
/// number that ends it.
fn begin_misbehavior(world: &mut World, version: &str, becomes: &Misbehavior) -> u64 {
    let number = world.faults.misbehaving.add(version, becomes);
    reload_programs(world, version);
    number
}

/// Ends the misbehavior with this number.
pub(crate) fn end_misbehavior(world: &mut World, number: u64) {
    if let Some(version) = world.faults.misbehaving.remove(number) {
        reload_programs(world, &version);
    }
}
