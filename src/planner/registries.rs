//! What a rollout's checks read from the registries.

use crate::preflight::{self, Finding};
use crate::publish::RegistryAccess;
use cutover_config::Config;
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Failure, ImageReference, Repository};

/// Returns a finding for each repository outside ECR that denies access to a push, as far as a read shows.
pub(super) async fn inaccessible_repositories(
    access: RegistryAccess<'_>,
    config: &Config,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for repository in config.image.push.iter().filter(|repository| repository.ecr().is_none()) {
        if let Err(failure) = check_access(access, repository).await {
            findings.push(preflight::registry_denied(repository, &failure.message_and_hint()));
        }
    }
    findings
}

/// Checks that a registry accepts the login.
async fn check_access(access: RegistryAccess<'_>, repository: &Repository) -> Result<(), Failure> {
    let to = access.connect(repository).await?;
    Ok(to.registry.check_readable(repository).await?)
}

/// Returns whether a registry other than ECR definitely lacks `image`. A registry that denies cutover may still admit
/// the instances.
pub(super) async fn is_missing(access: RegistryAccess<'_>, image: &ImageReference) -> bool {
    let repository = &image.repository;
    let Ok(from) = access.connect_to_read(repository).await else { return false };
    let found: Result<_, RegistryError> =
        from.registry.manifest_digest(repository, image.digest.as_str()).await;
    matches!(found, Ok(None))
}
