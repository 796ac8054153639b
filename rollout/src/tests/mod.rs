//! Tests of `decide` in all phases: whole rollouts in a small pure world, tables of single ticks, and properties that
//! hold in every situation.

mod proof;
mod properties;
mod rolling;
mod rollouts;
mod scenarios;
mod single_ticks;
mod world;
