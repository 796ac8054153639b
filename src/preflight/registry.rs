//! A repository to push to and to pull from.

use super::facts::RegistryFacts;
use super::finding::Finding;
use super::view::View;
use crate::model::Repository;

/// A registry that lets us do nothing, which is known to whoever can ask it: `why` says what came back,
/// and what to do.
pub fn closed_registry(repository: &Repository, why: &str) -> Finding {
    Finding::error(
        "registry",
        format!("`{repository}` cannot be pushed to: {why}"),
        "log in as it says, or correct `image.push` in cutover.yaml",
    )
}

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let RegistryFacts::Missing(repository) = &view.facts.registry else { return Vec::new() };
    if view.config.image.ecr.create.is_some() && view.config.image.push.contains(repository) {
        return Vec::new();
    }
    let path = repository.path();
    vec![
        Finding::error(
            "registry",
            format!("the ECR repository `{path}` does not exist in {}", repository.registry()),
            "create it, let cutover do it (`image.ecr.create: true`), or correct `image.push` in cutover.yaml",
        )
        .cli(format!("aws ecr create-repository --repository-name {path}")),
    ]
}
