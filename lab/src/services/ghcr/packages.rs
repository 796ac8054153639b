//! Packages: who owns them, who sees them, and which repository they belong to.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::access;
use crate::services::registry::Repository;
use crate::world::World;

/// Who may read a package without further rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Those who were given access; what a new package has.
    #[default]
    Private,
    /// Everybody in the organisation or enterprise.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

/// A container package.
#[derive(Debug, Clone)]
pub struct Package {
    /// GitHub's number for it.
    pub id: u64,
    /// Who may read it.
    pub visibility: Visibility,
    /// The repositories whose workflows may write it ("Manage Actions access").
    pub repositories: BTreeSet<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When something was last pushed to it.
    pub updated: Timestamp,
}

/// The owner in a package's full name.
pub(crate) fn owner(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Sets the visibility of the package `owner/name`, as a person does on its settings page: GitHub's API
/// cannot. False if there is none.
pub fn set_visibility(world: &mut World, name: &str, visibility: Visibility) -> bool {
    let package = world.ghcr.packages.get_mut(name);
    package.map(|package| package.visibility = visibility).is_some()
}

/// Creates the package that a push is for, if it is missing. The sender was found entitled to. A job's
/// package belongs to the job's repository; a person's belongs to none, so that no job may write it
/// until somebody connects the two.
pub(crate) fn before_upload(world: &mut World, request: &Request<Bytes>, name: &str) {
    let now = world.now;
    if let Some(package) = world.ghcr.packages.get_mut(name) {
        package.updated = now;
        return;
    }
    let by_job = access::holder(world, request).is_some_and(|token| token.is_job);
    let repository = Some(world.github.repository.clone()).filter(|_| by_job);
    let package = Package {
        id: 1000 + world.ghcr.packages.len() as u64,
        visibility: Visibility::Private,
        repositories: repository.into_iter().collect(),
        created: now,
        updated: now,
    };
    world.ghcr.packages.insert(name.to_owned(), package);
    let repository = Repository { created: Some(now), ..Repository::default() };
    world.registry.ghcr.repositories.insert(name.to_owned(), repository);
}
