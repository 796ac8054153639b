//! Checks that the ECR repositories exist.

use super::finding::Finding;
use super::view::View;
use cutover_rollout::model::Repository;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let config = &view.config.image;
    let created = |repository| config.ecr.create.is_some() && config.push.contains(repository);
    let missing = view.facts.missing_repositories.iter();
    missing.filter(|repository| !created(repository)).map(missing_from_ecr).collect()
}

fn missing_from_ecr(repository: &Repository) -> Finding {
    let path = repository.path();
    Finding::error(
        "registry",
        format!("the ECR repository `{path}` does not exist in {}", repository.registry()),
        "create it, let cutover create it (`image.ecr.create: true`), or correct `image.push` in cutover.yaml",
    )
    .cli(format!("aws ecr create-repository --repository-name {path}"))
}
