//! What the calls have in common: the repository that they name, the size of a page, and how a response begins.

use super::errors::{invalid, need, unknown_repository};
use super::repository_settings::RepositorySettings;
use crate::services::paging;
use crate::services::registry::Repository;
use crate::wire::{ApiResult, Value};
use crate::world::World;

/// Returns the ARN of a repository.
pub(super) fn arn(world: &World, name: &str) -> String {
    format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account)
}

/// Returns the repository that the input names, with its name.
pub(super) fn repository<'w, 'i>(
    world: &'w World,
    input: &'i Value,
) -> ApiResult<(&'i str, &'w Repository)> {
    let name = need(input, "repositoryName")?;
    let registry = input.str("registryId").unwrap_or(&world.account);
    let found = world.registry.ecr.repositories.get(name);
    let found = found.filter(|_| registry == world.account);
    found.map(|found| (name, found)).ok_or_else(|| unknown_repository(name, registry))
}

/// Like [`repository`], but mutable and without the name.
pub(super) fn repository_mut<'w>(
    world: &'w mut World,
    input: &Value,
) -> ApiResult<&'w mut Repository> {
    let (name, _) = repository(world, input)?;
    let missing = unknown_repository(name, &world.account);
    world.registry.ecr.repositories.get_mut(name).ok_or(missing)
}

/// Returns the mutable settings of the repository that the input names, with its name.
pub(super) fn settings_mut<'w, 'i>(
    world: &'w mut World,
    input: &'i Value,
) -> ApiResult<(&'i str, &'w mut RepositorySettings)> {
    let (name, _) = repository(world, input)?;
    Ok((name, world.ecr.settings.entry(name.to_owned()).or_default()))
}

/// Returns one page by `maxResults` (1 to 1000, by default 100; API model) and `nextToken`.
pub(super) fn page<T>(
    input: &Value,
    items: impl Iterator<Item = T>,
) -> ApiResult<(Vec<T>, Option<String>)> {
    let size = input.int("maxResults").unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(invalid(format!("maxResults must be between 1 and 1000, not {size}")));
    }
    paging::page(
        items.collect(),
        input.str("nextToken"),
        size as usize,
        "InvalidParameterException",
    )
}

/// Returns the members that begin the response of nearly every operation on a repository.
pub(super) fn response_for(world: &World, name: &str) -> Value {
    crate::wire::map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
    ])
}
