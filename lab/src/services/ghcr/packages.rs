//! Packages: their owner, visibility, and linked repositories.

use bytes::Bytes;
use http::Request;

use super::access;
use super::package::{Package, Visibility};
use crate::services::registry::Repository;
use crate::world::World;

/// Sets the visibility of the package `owner/name`, as a user does on its settings page; GitHub's API cannot.
/// Returns false if there is no such package.
pub fn set_visibility(world: &mut World, name: &str, visibility: Visibility) -> bool {
    let package = world.ghcr.packages.get_mut(name);
    package.map(|package| package.visibility = visibility).is_some()
}

/// Creates the package that an authorized push is for, if it is missing. A job's package is linked to the
/// job's repository; a user's is linked to none, so that no job may write to it until someone links them.
pub(crate) fn ensure_package(world: &mut World, request: &Request<Bytes>, name: &str) {
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
