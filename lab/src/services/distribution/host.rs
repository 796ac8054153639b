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

use crate::services::message::authority;
use crate::services::registry::RegistryKind;
use crate::services::{ecr, ghcr};
use crate::world::World;

/// Returns the registry that a request is for: `ghcr.io` and its alias are GHCR's, all other hosts are
/// ECR's.
pub(super) fn of_request(world: &World, request: &Request<Bytes>) -> RegistryKind {
    if ghcr::is_host(world, authority(request)) { RegistryKind::Ghcr } else { RegistryKind::Ecr }
}

/// Returns the challenge of a 401. GHCR's names the scope that the request needs; at `/v2/`, which needs
/// none, it names this placeholder, as recorded.
pub(super) fn challenge(kind: RegistryKind, world: &World, scope: Option<&str>) -> String {
    match kind {
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
