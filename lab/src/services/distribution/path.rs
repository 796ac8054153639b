//! The paths of the distribution API.

/// What a path below `/v2` names. Repository names may contain `/`, so the last keyword of the API in the path
/// separates the name from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource<'p> {
    /// The API's root.
    Root,
    /// A blob by digest.
    Blob { name: &'p str, digest: &'p str },
    /// An upload; `id` is empty in a request that starts one.
    Upload { name: &'p str, id: &'p str },
    /// A manifest by tag or digest.
    Manifest { name: &'p str, reference: &'p str },
    /// The tags of a repository.
    Tags { name: &'p str },
    /// The referrers of a manifest.
    Referrers { name: &'p str, digest: &'p str },
}

impl<'p> Resource<'p> {
    /// Parses a path; returns `None` if it names nothing in the API.
    pub(super) fn parse(path: &'p str) -> Option<Resource<'p>> {
        let path = path.strip_prefix("/v2")?.trim_matches('/');
        if path.is_empty() {
            return Some(Resource::Root);
        }
        if let Some(name) = path.strip_suffix("/tags/list") {
            return Some(Resource::Tags { name });
        }
        if let Some(name) = path.strip_suffix("/blobs/uploads") {
            return Some(Resource::Upload { name, id: "" });
        }
        let (front, last) = path.rsplit_once('/')?;
        let (name, word) = front.rsplit_once('/')?;
        if let Some(name) = name.strip_suffix("/blobs")
            && matches!(word, "uploads" | "upload")
        {
            return Some(Resource::Upload { name, id: last });
        }
        match word {
            "blobs" => Some(Resource::Blob { name, digest: last }),
            "manifests" => Some(Resource::Manifest { name, reference: last }),
            "referrers" => Some(Resource::Referrers { name, digest: last }),
            _ => None,
        }
    }

    /// Returns the repository's name; `None` for the API's root.
    pub(super) fn name(self) -> Option<&'p str> {
        match self {
            Resource::Root => None,
            Resource::Blob { name, .. }
            | Resource::Upload { name, .. }
            | Resource::Manifest { name, .. }
            | Resource::Tags { name }
            | Resource::Referrers { name, .. } => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Resource::{self, *};

    #[test]
    fn names_may_contain_the_api_keywords() {
        for (path, expected) in [
            ("/v2/", Some(Root)),
            ("/v2/a/tags/list", Some(Tags { name: "a" })),
            ("/v2/a/blobs/b/manifests/t", Some(Manifest { name: "a/blobs/b", reference: "t" })),
            ("/v2/a/blobs/uploads/", Some(Upload { name: "a", id: "" })),
            ("/v2/a/b/blobs/uploads/7", Some(Upload { name: "a/b", id: "7" })),
            ("/v2/a/b/blobs/upload/7", Some(Upload { name: "a/b", id: "7" })),
            ("/v2/a/blobs/sha256:0", Some(Blob { name: "a", digest: "sha256:0" })),
            ("/v2/a/referrers/sha256:0", Some(Referrers { name: "a", digest: "sha256:0" })),
            ("/v2/_catalog", None),
            ("/v2/manifests/t", None),
            ("/v2/a/b/c", None),
        ] {
            assert_eq!(Resource::parse(path), expected, "{path}");
        }
    }
}
