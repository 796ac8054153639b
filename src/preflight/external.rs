//! Findings from outside the AWS account: callers make them.

use super::finding::Finding;
use cutover_rollout::model::Repository;

/// Makes the finding that a registry denies access. `why` contains its response and what to do.
pub fn registry_denied(repository: &Repository, why: &str) -> Finding {
    Finding::error(
        "registry",
        format!("`{repository}` cannot be pushed to: {why}"),
        "fix the access, or correct `image.push` in cutover.yaml",
    )
}

/// Makes the finding that no version can be created from the user data. `why` says what is wrong and what to do.
pub fn unpinnable_user_data(why: &str) -> Finding {
    Finding::error("user data", why, "fix the user data as described")
}

/// Makes the finding that the image cannot be built or assembled on this machine. `why` says what is missing.
pub fn image_cannot_be_built(why: &str) -> Finding {
    Finding::warning("image", why, "run `cutover deploy` on a machine that has everything it needs")
}

/// Makes the finding that a tag has a placeholder which only a workflow run can fill in. `why` says which.
pub fn tag_needs_workflow(why: &str) -> Finding {
    Finding::warning(
        "tags",
        why,
        "run `cutover deploy` in a workflow, which fills in the placeholder",
    )
}
