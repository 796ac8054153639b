//! A repository to push to and to pull from.

use super::facts::RegistryFacts;
use super::finding::Finding;
use super::view::View;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let RegistryFacts::Missing(repository) = &view.facts.registry else { return Vec::new() };
    let path = repository.path();
    vec![
        Finding::error(
            "registry",
            format!("the ECR repository `{path}` does not exist in {}", repository.registry()),
            "create it, or correct `image.push` in cutover.yaml",
        )
        .cli(format!("aws ecr create-repository --repository-name {path}")),
    ]
}
