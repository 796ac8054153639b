//! Findings that the account's facts alone don't tell: who asks elsewhere makes them.

use super::finding::Finding;
use crate::model::Repository;

/// A registry that lets us do nothing, which is known to whoever can ask it: `why` says what came back,
/// and what to do.
pub fn closed_registry(repository: &Repository, why: &str) -> Finding {
    Finding::error(
        "registry",
        format!("`{repository}` cannot be pushed to: {why}"),
        "do as it says, or correct `image.push` in cutover.yaml",
    )
}

/// User data that no version can be made of: `why` says what is wrong with it, and what to do.
pub fn unfit_user_data(why: &str) -> Finding {
    Finding::error("user data", why, "mend it as it says: what instances run depends on it")
}

/// An image that can't be made where this runs: `why` says what is missing.
pub fn not_made_here(why: &str) -> Finding {
    Finding::warning("image", why, "`deploy` would be refused from here: run it where all of it is")
}

/// A tag that only a workflow run can fill in, where there is none: `why` says which.
pub fn tag_of_a_workflow(why: &str) -> Finding {
    Finding::warning("tags", why, "a workflow fills it in; `deploy` would be refused from here")
}
