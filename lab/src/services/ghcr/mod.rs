//! The GitHub Container Registry: permissions, and its token service. Its contents are in
//! [`super::registry`].
//!
//! A package is private when the first push creates it, and is linked to the repository whose workflow pushed
//! it. The error texts are those that users have quoted: `permission_denied: write_package`, `installation
//! not allowed to Create organization package`, and a bare `denied`.

mod access;
mod address;
pub(crate) mod package;
mod packages;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod token;

pub use address::HOST;
pub use package::{Package, Visibility};
pub use packages::set_visibility;
pub use state::State;
pub use token::serve as serve_token;

pub(crate) use access::{PackageAction, authorize, may_mount};
pub(crate) use address::{alias, base, is_host, is_token_request};
pub(crate) use packages::ensure_package;
