//! `cutover adopt`: prepares existing groups for rollouts. Pins groups at `$Latest` or `$Default` to a version
//! number, and a tag in the user data to its current digest. No instance is replaced: a change of a group's
//! launch template applies only to new instances (user guide, "Update an Auto Scaling group").
//!
//! [`plan`] is pure and decides; [`adopt`] reads the account before, and changes and verifies it after.

mod plan;
mod run;

pub use plan::{Adoption, DigestPin, Pin, Unadoptable, plan};
pub use run::{AdoptError, Adopted, NewVersion, adopt};
