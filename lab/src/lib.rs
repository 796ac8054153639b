//! A simulated AWS account with exactly the services that a deployment to EC2 Auto Scaling groups uses.
//!
//! One deterministic core, [`world::World`], answers `handle(request, now) -> response` without sockets,
//! clocks, threads or unseeded randomness: the same seed and the same requests give the same history.
//! Two transports ([`transport`]) lead to it: one in-process, under Tokio's time, and one over loopback
//! HTTP, for the AWS CLI, boto3 and any other AWS client.
//!
//! The crate does not depend on cutover: the two are independent readings of AWS.

pub mod dispatch;
pub mod faults;
pub mod scenario;
pub mod services;
pub mod traffic;
pub mod transport;
pub mod wire;
pub mod world;
