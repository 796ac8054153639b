//! The OCI distribution protocol: authentication, blobs, manifests, push.

mod content;

pub use content::{Blob, Image};
