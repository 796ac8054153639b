//! The ways into a world.
