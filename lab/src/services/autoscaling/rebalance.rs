//! Rebalancing of a group's zones (the process AZRebalance).

use super::group::{Group, LifecycleState};
use super::launch;
use crate::world::World;

/// Launches instances in the emptiest zone if the zones are uneven, or if instances are in a zone that no
/// longer belongs to the group. It launches before terminating, if necessary exceeding MaxSize by 10% or one
/// instance (user guide). Once the new instance is in service, scale-in takes the surplus from the fullest
/// zone.
///
/// A group that is being refreshed, or is below its DesiredCapacity, is left alone (a guess).
pub(super) fn rebalance(world: &mut World, name: &str) {
    let Some((zone, number)) = world.autoscaling.groups.get(name).and_then(|g| uneven(world, g))
    else {
        return;
    };
    for _ in 0..number {
        launch::launch_ahead(world, name, &zone);
    }
}

/// Returns the emptiest zone, and how many instances may be launched there now.
fn uneven(world: &World, group: &Group) -> Option<(String, usize)> {
    let runs = ["AZRebalance", "Launch", "Terminate"]
        .iter()
        .all(|process| group.is_process_active(process));
    let live = group.live().count();
    let settled = group.members.values().all(|m| {
        matches!(m.state, LifecycleState::InService | LifecycleState::Standby)
            && m.healthy
            && m.impaired.is_none()
    });
    if !runs || !settled || live as u64 != group.desired || group.active_refresh().is_some() {
        return None;
    }
    let count = |zone: &String| group.live().filter(|(_, m)| m.zone == *zone).count();
    let open = group.zones.iter().filter(|zone| launch::is_open(world, group, zone));
    let (fewest, zone) = open.map(|zone| (count(zone), zone)).min()?;
    let most = group.zones.iter().map(count).max()?;
    let outside = group.live().filter(|(_, m)| !group.zones.contains(&m.zone)).count();
    let moves = if outside > 0 { outside } else { most.saturating_sub(fewest) / 2 };
    let beyond = (group.max / 10).max(1);
    let room = (group.max + beyond).saturating_sub(live as u64);
    let number = moves.min(usize::try_from(room).unwrap_or(usize::MAX));
    (number > 0).then(|| (zone.clone(), number))
}
