//! GHCR: who can pull what was pushed. Packages are private when a first push creates them.

use super::Destination;
use super::registry_access::GHCR;
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Digest, Repository};

/// Who may pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone.
    Public,
    /// Users who log in.
    Private,
}

/// Returns who may pull `digest`, found out by an anonymous request: no token for GitHub's API is needed.
///
/// # Errors
/// Fails if the registry does not answer.
pub async fn visibility(
    destination: &Destination,
    digest: &Digest,
) -> Result<Visibility, RegistryError> {
    let nobody = destination.registry.anonymous();
    match nobody.manifest_digest(&destination.repository, digest.as_str()).await {
        Ok(Some(_)) => Ok(Visibility::Public),
        // An anonymous request may also get 404: whether a package exists is private.
        Ok(None) | Err(RegistryError::Refused { status: 401 | 403, .. }) => Ok(Visibility::Private),
        Err(error) => Err(error),
    }
}

/// Returns whether `repository` is in GHCR.
pub fn is_ghcr(repository: &Repository) -> bool {
    repository.registry() == GHCR
}

impl Visibility {
    /// Returns one line for users; `pulled_from` says whether instances pull from there.
    pub fn reported(self, repository: &Repository, pulled_from: bool) -> String {
        let so = match self {
            Visibility::Public => "public: pulling it requires no login",
            Visibility::Private => "private: pulling it requires a login",
        };
        let so_instances = match self {
            Visibility::Private if pulled_from => {
                ". Log in on the instances, as with `docker login ghcr.io` in their user data and a \
                 token that has `read:packages`, or make the package public in its settings on \
                 GitHub"
            }
            _ => "",
        };
        format!("{repository} is {so}{so_instances}")
    }
}
