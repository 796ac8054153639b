//! `decide` over all phases: stories told by a small pure world, tables of single turns, and
//! properties that hold in any situation at all.

mod properties;
mod rolling;
mod scenarios;
mod stories;
mod table;
mod world;
