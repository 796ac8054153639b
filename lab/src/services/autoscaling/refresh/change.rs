//! Changes the active refresh.

use super::super::group::Group;
use super::instance_refresh::Refresh;
use crate::world::World;

/// Changes the active refresh.
pub(super) fn change(
    world: &mut World,
    name: &str,
    how: impl FnOnce(&mut Refresh, jiff::Timestamp),
) {
    let now = world.now;
    let group = world.autoscaling.groups.get_mut(name);
    if let Some(refresh) = group.and_then(Group::active_refresh_mut) {
        how(refresh, now);
    }
}
