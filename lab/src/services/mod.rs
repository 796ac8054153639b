//! One module per service. Each has a `State` in the [`World`](crate::world::World), a `call` that answers
//! one operation and, where something changes without a call, an `Event` and a `happen` that handles it.

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
