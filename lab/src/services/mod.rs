//! One module per service. Each has a `State` in the [`World`](crate::world::World), a `call` that answers
//! one operation and, where something changes without a call, an `Event` and a `handle_event`.
//!
//! `state.rs`, and the types in it, do not import World: they are below it, and the operations above. An operation
//! uses those of services below its own (Auto Scaling → Elastic Load Balancing → traffic → EC2 → IAM; the
//! distribution API → ECR, GHCR → registry), and the state of any.

pub mod autoscaling;
pub mod cloudwatch;
pub mod distribution;
pub mod ec2;
pub mod ecr;
pub mod elbv2;
pub mod ghcr;
pub mod github;
pub mod iam;
pub(crate) mod message;
mod paging;
mod pattern;
pub mod registry;
pub mod ssm;
pub mod storage;
pub mod sts;
