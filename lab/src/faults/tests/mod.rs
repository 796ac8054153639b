//! Tests of fault injection, through the transports and in the world.

mod calls;
mod events;
