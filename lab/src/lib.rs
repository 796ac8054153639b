//! A simulated cloud of exactly the services that a deployment to plain EC2 fleets uses.
//!
//! One deterministic core, [`world::World`], answers `handle(request, now) -> response` without
//! sockets, clocks, threads or unseeded randomness: the same seed and the same requests give the
//! same history. Two [`doors`] lead to it: one in-process, under Tokio's time; one over loopback
//! HTTP, for the AWS CLI, boto3 and whatever else speaks AWS.
//!
//! The crate knows nothing of the deployer: the two are independent readings of AWS.

pub mod doors;
pub mod faults;
pub mod scenario;
pub mod services;
pub mod traffic;
pub mod wire;
pub mod world;
