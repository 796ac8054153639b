//! Schedules the service's events.

use super::state::Event;
use crate::world::{self, World, later};

/// Schedules `event` to happen `delay` from now.
pub(super) fn schedule(world: &mut World, delay: std::time::Duration, event: Event) {
    let at = later(world.now, delay);
    world.queue.push(at, world::Event::Autoscaling(event));
}
