//! Each checker must report a promise that calls made by hand break in a simulated account, and
//! must find nothing in the demo's rollouts.

mod breaks;
mod demo;
mod ends;
mod mutants;
mod stage;
mod traffic;
