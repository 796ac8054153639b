//! The balance of a group's zones (the process AZRebalance).

use super::{Group, Lifecycle, launch};
use crate::world::World;

/// Looks whether the zones hold unequal numbers of instances, or a zone that is no longer the group's
/// holds any, and launches in the emptiest: before
/// anything is terminated, if need be above the maximum by a tenth or one instance (user guide). Once
/// such an instance is in service, what is too many is taken from the fullest zone.
///
/// A group that is being refreshed, or is short of its desired capacity, is left alone (a guess).
pub(super) fn look(world: &mut World, name: &str) {
    let Some((zone, number)) = world.autoscaling.groups.get(name).and_then(|g| uneven(world, g))
    else {
        return;
    };
    for _ in 0..number {
        launch::launch_ahead(world, name, &zone);
    }
}

/// The emptiest zone, and how many instances may be launched there now.
fn uneven(world: &World, group: &Group) -> Option<(String, usize)> {
    let runs = ["AZRebalance", "Launch", "Terminate"].iter().all(|process| group.runs(process));
    let live = group.live().count();
    let settled = group.members.values().all(|m| {
        matches!(m.state, Lifecycle::InService | Lifecycle::Standby)
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
