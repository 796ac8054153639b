//! What the weather does, seen through the doors and in the world.

mod calls;
mod weather;
