//! `cutover adopt`: what runs, made fit for a rollout. Groups at `$Latest` or `$Default` are pinned to a number, and a tag
//! in the user data to the digest that it means now. No instance is replaced: Auto Scaling launches from what a group
//! names only when it launches (user guide, "Update an Auto Scaling group").
//!
//! [`plan`] is pure and decides; [`adopt`] reads before it, and changes and reads again after it.

mod plan;
mod run;

pub use plan::{Adoption, Pin, Retag, Unadoptable, plan};
pub use run::{Adopted, Failed, NewVersion, adopt};
