//! A client of the OCI distribution protocol: authentication, blobs, manifests, referrers, push and pull.
//!
//! Callers bring the credentials. ECR, GHCR and a plain `registry:2` take the same path; their few quirks are
//! noted where they are handled.

mod auth;
mod blobs;
mod client;
mod content;
mod credentials;
pub mod document;
mod endpoint;
mod error;
mod hint;
pub mod login;
mod manifests;
mod mount;
mod pull;
mod push;
mod referrers;
mod spool;
mod tags;
mod upload;

pub use client::Registry;
pub use content::{Blob, Image, Index, LARGEST_CONFIG, Layer, RemoteLayer};
pub use credentials::{Credentials, Renewal};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::RegistryError;
pub use push::{PushResult, check_tags};
pub use spool::{Spool, SpoolState, SpoolWriter};

#[cfg(test)]
mod tests;
