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
pub use content::{Blob, Image, Index, LARGEST_CONFIG, Layer, There};
pub use credentials::{Credentials, Renewal};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::RegistryError;
pub use push::{Pushed, check_tags};
pub use spool::{Spool, SpoolWriter, Written};

#[cfg(test)]
mod tests;
