//! What comes before a claim: reads the account, checks it, makes the plan, publishes the image, and hands the rollout
//! to the [`crate::runner`].

mod check;
mod deploy;
mod interrupted;
mod live;
mod may_roll_out;
mod registries;
mod rollback;
mod session;
mod tags;
mod target;
mod verify;

pub use check::{CheckedAccount, check};
pub use session::{Caller, Planner};
pub use tags::expand as expand_tags;
pub use target::{PlanError, resolve};
