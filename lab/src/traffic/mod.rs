//! Simulated users: how many requests arrive, where the load balancer sends them, and how they end.
//!
//! Requests are not events: between two events nothing changes, so [`flow`] only draws how many of each
//! kind there were. Real requests go one at a time through [`answer`] and the same routing.

mod answer;
mod cohorts;
mod demand;
mod flow;
mod load;
mod minutes;
mod nginx;
pub mod program;
mod rate;
mod routing;
mod site;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use crate::world::World;

pub use answer::answer;
pub use demand::{Burst, Daily, Demand};
pub use flow::flow;
pub use load::capacity;
pub use minutes::{GroupMinute, MinMax, Minute};
pub use rate::set_demand;
pub use state::{Event, NO_VERSION, State, Tally};

pub(crate) use site::health;

/// Runs `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::UpdateRate => rate::update_rate(world),
    }
}
