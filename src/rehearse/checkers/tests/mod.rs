//! Each checker is shown a promise broken by hand, in a real world, and must tell; and the demo's
//! rollouts, in which it must find nothing.

mod breaks;
mod demo;
mod ends;
mod mutants;
mod stage;
mod traffic;
