//! GHCR: who can pull what was pushed. Packages are private when a first push makes them.

use super::Destination;
use super::destination::GHCR;
use crate::model::{Digest, Repository};
use crate::registry::RegistryError;

/// Who may pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Who logs in.
    Private,
}

/// Who may pull `digest`, as the registry itself shows it to nobody in particular: no token of GitHub's
/// API is needed for that.
///
/// # Errors
/// Where the registry doesn't answer.
pub async fn visibility(
    destination: &Destination,
    digest: &Digest,
) -> Result<Visibility, RegistryError> {
    let nobody = destination.registry.anonymously();
    match nobody.manifest_digest(&destination.repository, digest.as_str()).await {
        Ok(Some(_)) => Ok(Visibility::Public),
        // 404 is what an anonymous caller gets, too: a package's existence is private.
        Ok(None) | Err(RegistryError::Refused { status: 401 | 403, .. }) => Ok(Visibility::Private),
        Err(error) => Err(error),
    }
}

/// Whether `repository` is GHCR's.
pub fn is_ghcr(repository: &Repository) -> bool {
    repository.registry() == GHCR
}

impl Visibility {
    /// One line for people; `pulled_from` says that instances pull from there.
    pub fn told(self, repository: &Repository, pulled_from: bool) -> String {
        let so = match self {
            Visibility::Public => "public: nobody needs a login to pull it",
            Visibility::Private => "private: who pulls it has to log in",
        };
        let so_instances = match self {
            Visibility::Private if pulled_from => {
                ". Instances need a login of their own, such as `docker login ghcr.io` in their user \
                 data with a token that has `read:packages`; or make the package public in its \
                 settings on GitHub"
            }
            _ => "",
        };
        format!("{repository} is {so}{so_instances}")
    }
}
