//! The OCI distribution protocol: authentication, blobs, manifests, push.
//!
//! Knows no cloud: whoever calls brings the credentials, so that ECR, GHCR and a plain
//! `registry:2` are the same to it.

mod auth;
mod blobs;
mod client;
mod content;
mod credentials;
mod endpoint;
mod error;
mod hint;
mod manifests;
mod push;

pub use client::Registry;
pub use content::{Blob, Image};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::RegistryError;
pub use push::Pushed;

#[cfg(test)]
mod tests;
