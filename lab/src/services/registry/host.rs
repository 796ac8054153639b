//! Which registry a request is for, and how the two differ:
//!
//! |                     | ECR                                       | GHCR                                    |
//! |---------------------|-------------------------------------------|-----------------------------------------|
//! | login               | Basic, with a password valid for 12 hours | Bearer, from `/token`                   |
//! | push to a new name  | refused, unless a template creates it     | creates a private package               |
//! | mounting a blob     | an account setting                        | allowed if the caller can read the blob |
//! | deleting a manifest | by digest                                 | 405: only through GitHub's API          |
//! | referrers           | listed                                    | 404: clients use the fallback tag       |
//! | upload location     | `…/blobs/uploads/<id>`                    | `…/blobs/upload/<id>`                   |

use bytes::Bytes;
use http::Request;
use http::header::HOST;

use super::state::State;
use super::store::Store;
use crate::services::{ecr, ghcr};
use crate::world::World;

/// One of the two registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegistryKind {
    /// Amazon Elastic Container Registry.
    Ecr,
    /// The GitHub Container Registry.
    Ghcr,
}

impl RegistryKind {
    /// Returns the registry that a request is for: `ghcr.io` and its alias are GHCR's, all other hosts are
    /// ECR's.
    pub(crate) fn of_request(world: &World, request: &Request<Bytes>) -> RegistryKind {
        if ghcr::is_host(world, authority(request)) {
            RegistryKind::Ghcr
        } else {
            RegistryKind::Ecr
        }
    }

    pub(super) fn store(self, state: &State) -> &Store {
        match self {
            RegistryKind::Ecr => &state.ecr,
            RegistryKind::Ghcr => &state.ghcr,
        }
    }

    pub(super) fn store_mut(self, state: &mut State) -> &mut Store {
        match self {
            RegistryKind::Ecr => &mut state.ecr,
            RegistryKind::Ghcr => &mut state.ghcr,
        }
    }

    /// Returns the challenge of a 401. GHCR's names the scope that the request needs; at `/v2/`, which needs
    /// none, it names this placeholder, as recorded.
    pub(super) fn challenge(self, world: &World, scope: Option<&str>) -> String {
        match self {
            RegistryKind::Ecr => {
                let host = ecr::registry_host(world);
                format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"")
            }
            RegistryKind::Ghcr => {
                let scope = scope.unwrap_or("repository:user/image:pull");
                let realm = ghcr::base(world);
                format!("Bearer realm=\"{realm}/token\",service=\"ghcr.io\",scope=\"{scope}\"")
            }
        }
    }

    /// Returns the segment that marks an upload in its path.
    pub(super) fn upload_segment(self) -> &'static str {
        match self {
            RegistryKind::Ecr => "uploads",
            RegistryKind::Ghcr => "upload",
        }
    }
}

/// Returns the host and port that a request names.
pub(crate) fn authority(request: &Request<Bytes>) -> &str {
    let header = || request.headers().get(HOST).and_then(|value| value.to_str().ok());
    request.uri().authority().map(|named| named.as_str()).or_else(header).unwrap_or_default()
}
