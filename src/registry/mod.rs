//! The OCI distribution protocol: authentication, blobs, manifests, push.
