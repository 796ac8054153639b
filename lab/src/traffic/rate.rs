//! Updates the rate of requests to follow the demand.

use crate::traffic::demand::Demand;
use crate::traffic::state::Event;
use crate::world::{self, World};

/// Makes the rate follow `demand` from now on. Must be called only once.
pub fn set_demand(world: &mut World, demand: Demand) {
    world.traffic.demand = demand;
    if !world.traffic.demand.is_constant() {
        update_rate(world);
    }
}

/// Updates the rate and schedules its next update.
pub(super) fn update_rate(world: &mut World) {
    let (began, now) = (world.began, world.now);
    world.traffic.factor = world.traffic.demand.factor(began, now);
    if let Some(at) = world.traffic.demand.next(began, now) {
        world.queue.push(at, world::Event::Traffic(Event::UpdateRate));
    }
}
