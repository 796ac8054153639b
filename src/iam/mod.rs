//! The policies of the deploy role.
//!
//! [`CALLS`] is the table of all actions that cutover needs as that role. [`permissions`] makes a
//! least-privilege policy from it, for the features ([`Features`]) and [`Resources`] of a configuration; [`trust`] makes the
//! trust policy for the workflows of one GitHub repository. Both are pure: `access` reads the account,
//! [`render`] writes the files that a person applies.
//!
//! Strings in [`Resources`] and [`Trust`] may contain placeholders of a template language
//! (`${LaunchTemplate}`). They are kept unchanged; [`render::cloudformation::value`] and
//! [`render::terraform::jsonencode`] convert them for that language.

mod calls;
mod features;
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

pub use calls::{CALLS, Call, Scope};
pub use features::{Feature, Features};
pub use gap::Gap;
pub use permissions::permissions;
pub use policy::{Condition, Policy, Statement};
pub use resources::{Repositories, Resources};
pub use shell::shell_word;
pub use size::{Attachment, INLINE_LIMIT, MANAGED_LIMIT};
pub use trust::{AUDIENCE, GITHUB, Job, Repository, Trust, trust};
