//! When data become readable.

use std::time::Duration;

use jiff::Timestamp;

use super::period::{MINUTE, floor};
use crate::world::{World, later};

/// Returns whether the data of the minute that begins at `minute` are readable yet.
pub(super) fn arrived(world: &World, minute: Timestamp) -> bool {
    let end = later(minute, Duration::from_secs(MINUTE as u64));
    later(end, world.params.metrics_delay) <= world.now
}

/// Returns the end of the newest minute whose data are readable.
pub(super) fn arrived_until(world: &World) -> Timestamp {
    let latest = world.now.checked_sub(world.params.metrics_delay).unwrap_or(Timestamp::MIN);
    floor(latest, MINUTE)
}
