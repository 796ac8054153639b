//! The OCI distribution API in front of the stored images.

use std::collections::BTreeMap;

/// Stored blobs and manifests.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Images by reference, until the registry proper is here.
    pub images: BTreeMap<String, ImageFacts>,
}

/// What is known of an image without pulling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest of its manifest.
    pub digest: String,
    /// The labels of its configuration.
    pub labels: BTreeMap<String, String>,
}

/// The image of a reference, if it is stored.
pub fn image(state: &State, reference: &str) -> Option<ImageFacts> {
    state.images.get(reference).cloned()
}

/// Answers one request to the registry.
pub fn serve(
    _world: &mut crate::world::World,
    _request: &http::Request<bytes::Bytes>,
) -> http::Response<bytes::Bytes> {
    http::Response::new(bytes::Bytes::new())
}

/// A file in the layers of an image.
pub fn file(_state: &State, _digest: &str, _path: &str) -> Option<bytes::Bytes> {
    None
}
