//! The address of the registry.

use crate::world::World;

/// Returns the registry's host name.
pub fn registry_host(world: &World) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com", world.account, world.region)
}
