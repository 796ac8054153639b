//! GHCR: who can pull what was pushed. Packages are private when a first push makes them.

use std::fmt;

use super::Destination;
use crate::model::Digest;
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

impl fmt::Display for Visibility {
    /// What it means for instances, after the repository's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Visibility::Public => "is public: instances pull it without a login",
            Visibility::Private => {
                "is private: instances pull it only with a login of their own, such as `docker login` \
                 in their user data with a token that has `read:packages`; or make the package public \
                 in its settings on GitHub"
            }
        })
    }
}
