//! Which registry a request is for, and what the two do differently.
//!
//! |                         | ECR                                  | GHCR                              |
//! |-------------------------|--------------------------------------|-----------------------------------|
//! | login                   | Basic, with a password of 12 hours   | Bearer, from `/token`             |
//! | a push to a new name    | refused but by a creation template   | creates a private package         |
//! | mounting of blobs       | an account setting                   | of what the caller may read       |
//! | deleting a manifest     | by digest                            | 405: only GitHub's API does it    |
//! | referrers               | listed                               | 404: clients keep a fallback tag  |
//! | an upload's place       | `…/blobs/uploads/<id>`               | `…/blobs/upload/<id>`             |

use bytes::Bytes;
use http::Request;
use http::header::HOST;

use super::{State, Store};
use crate::services::{ecr, ghcr};
use crate::world::World;

/// One of the two registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Elastic Container Registry.
    Ecr,
    /// The GitHub Container Registry.
    Ghcr,
}

impl Host {
    /// The registry of a request, by the host that it names: `ghcr.io` and its alias are GHCR's, all
    /// others are ECR's.
    pub(crate) fn of(world: &World, request: &Request<Bytes>) -> Host {
        if ghcr::is_host(world, authority(request)) { Host::Ghcr } else { Host::Ecr }
    }

    pub(super) fn store(self, state: &State) -> &Store {
        match self {
            Host::Ecr => &state.ecr,
            Host::Ghcr => &state.ghcr,
        }
    }

    pub(super) fn store_mut(self, state: &mut State) -> &mut Store {
        match self {
            Host::Ecr => &mut state.ecr,
            Host::Ghcr => &mut state.ghcr,
        }
    }

    /// The challenge of a 401. GHCR's names a scope, where the request has one; at `/v2/` it is this
    /// placeholder, as recorded.
    pub(super) fn challenge(self, world: &World, scope: Option<&str>) -> String {
        match self {
            Host::Ecr => {
                let host = ecr::registry_host(world);
                format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"")
            }
            Host::Ghcr => {
                let scope = scope.unwrap_or("repository:user/image:pull");
                let realm = ghcr::base(world);
                format!("Bearer realm=\"{realm}/token\",service=\"ghcr.io\",scope=\"{scope}\"")
            }
        }
    }

    /// The word in the path of an upload.
    pub(super) fn upload_word(self) -> &'static str {
        match self {
            Host::Ecr => "uploads",
            Host::Ghcr => "upload",
        }
    }
}

/// Host and port that a request names.
pub(crate) fn authority(request: &Request<Bytes>) -> &str {
    let header = || request.headers().get(HOST).and_then(|value| value.to_str().ok());
    request.uri().authority().map(|named| named.as_str()).or_else(header).unwrap_or_default()
}
