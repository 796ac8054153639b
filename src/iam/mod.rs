//! What the deploy role must be allowed, and whom it trusts.
//!
//! [`CALLS`] is the one table of calls that cutover makes as that role. [`permissions`] makes the least policy from it for
//! what a configuration [`Uses`] and the [`Resources`] that it names; [`trust`] makes the trust policy for one GitHub
//! repository's workflows. Both are pure: `access` reads the account, [`render`] writes what a person applies.
//!
//! Strings of [`Resources`] and [`Trust`] may hold placeholders of another language (`${LaunchTemplate}`). They pass through
//! unchanged; [`render::cloudformation::value`] and [`render::terraform::jsonencode`] treat them as that language does.

mod calls;
#[cfg(test)]
mod fixture;
mod gap;
mod permissions;
mod policy;
pub mod render;
mod resources;
mod shell;
mod size;
mod trust;
mod uses;

pub use calls::{CALLS, Call, Scope};
pub use gap::Gap;
pub use permissions::permissions;
pub use policy::{Condition, Policy, Statement};
pub use resources::{Repositories, Resources};
pub use shell::shell_word;
pub use size::{Attachment, INLINE_LIMIT, MANAGED_LIMIT};
pub use trust::{AUDIENCE, GITHUB, Job, Repository, Trust, trust};
pub use uses::{Use, Uses};
