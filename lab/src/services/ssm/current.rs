//! The parameters as they are now, for other services, scenarios and tests.

use crate::world::World;

/// Returns the current value of a parameter, for tests and scenarios.
pub fn current_value<'w>(world: &'w World, name: &str) -> Option<&'w str> {
    let parameter = world.ssm.parameters.get(name)?;
    parameter.versions.back().map(|version| version.value.as_str())
}

/// Returns the names of all parameters.
pub fn leftovers(world: &World) -> Vec<String> {
    world.ssm.parameters.keys().cloned().collect()
}
