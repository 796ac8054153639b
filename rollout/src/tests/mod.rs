//! Tests of `decide` in all phases: whole rollouts in a small pure world, tables of single ticks, and properties that
//! hold in every situation.

mod evidence;
mod gates;
mod idle_side;
mod proof;
mod properties;
mod refreshes;
mod reports;
mod rolling;
mod rollouts;
mod scenarios;
mod settling;
mod single_ticks;
mod situation;
mod steps;
mod takeovers;
mod traffic;
mod undoing;
mod world;

pub(crate) use situation::ALL;
