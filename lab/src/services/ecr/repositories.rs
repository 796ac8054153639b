//! Creates, describes and deletes repositories.

use super::address::registry_host;
use super::errors::{invalid_parameter, limit, need, unknown_repository};
use super::repository_settings::{Encryption, RepositorySettings};
use super::request::{self, arn, repository, response_for};
use super::settings::{read_tag_mutability, with_mutability};
use super::tags;
use crate::services::registry::{Repository, TagMutability, is_name};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = need(input, "repositoryName")?;
    check_name(name)?;
    let mutability = read_tag_mutability(input)?;
    let tags = tags::read(input, "tags")?;
    let settings = RepositorySettings {
        tags,
        scan_on_push: input.get("imageScanningConfiguration").bool("scanOnPush").unwrap_or(false),
        encryption: Encryption::of(world, input.get("encryptionConfiguration"))?,
        ..RepositorySettings::default()
    };
    add(world, name, mutability, settings)?;
    Ok(map([("repository", described(world, name))]))
}

/// Creates a repository, unless its name is taken or the quota is reached.
pub(super) fn add(
    world: &mut World,
    name: &str,
    mutability: TagMutability,
    settings: RepositorySettings,
) -> ApiResult<()> {
    let repositories = &mut world.registry.ecr.repositories;
    if repositories.contains_key(name) {
        return Err(ApiError::sender(
            "RepositoryAlreadyExistsException",
            format!(
                "The repository with name '{name}' already exists in the registry with id '{}'",
                world.account
            ),
        ));
    }
    if repositories.len() >= world.ecr.quotas.repositories {
        return Err(limit(format!(
            "The registry with id '{}' has reached its quota of repositories",
            world.account
        )));
    }
    let repository = Repository { created: Some(world.now), mutability, ..Repository::default() };
    repositories.insert(name.to_owned(), repository);
    world.ecr.settings.insert(name.to_owned(), settings);
    Ok(())
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("repositoryNames");
    let known = &world.registry.ecr.repositories;
    if let Some(missing) = wanted.iter().find(|name| !known.contains_key(*name)) {
        return Err(unknown_repository(missing, &world.account));
    }
    let chosen = known.keys().filter(|name| wanted.is_empty() || wanted.contains(name));
    let (page, next) = request::page(input, chosen)?;
    let described = page.into_iter().map(|name| described(world, name));
    Ok(map([("repositories", Value::List(described.collect())), ("nextToken", next.into())]))
}

pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    if !repository.images.is_empty() && !input.bool("force").unwrap_or(false) {
        return Err(ApiError::sender(
            "RepositoryNotEmptyException",
            format!(
                "The repository with name '{name}' in registry with id '{}' cannot be deleted because it \
                 still contains images",
                world.account
            ),
        ));
    }
    let described = described(world, name);
    world.registry.ecr.repositories.remove(name);
    world.registry.ecr.uploads.retain(|_, upload| upload.repository != name);
    world.ecr.settings.remove(name);
    Ok(map([("repository", described)]))
}

fn described(world: &World, name: &str) -> Value {
    let defaults = (Repository::default(), RepositorySettings::default());
    let repository = world.registry.ecr.repositories.get(name).unwrap_or(&defaults.0);
    let settings = world.ecr.settings.get(name).unwrap_or(&defaults.1);
    let described = response_for(world, name)
        .with("repositoryArn", arn(world, name))
        .with("repositoryUri", format!("{}/{name}", registry_host(world)))
        .with("createdAt", repository.created)
        .with("imageScanningConfiguration", map([("scanOnPush", settings.scan_on_push.into())]))
        .with("encryptionConfiguration", settings.encryption.describe());
    with_mutability(described, &repository.mutability)
}

/// Fails if a repository name is invalid.
pub(super) fn check_name(name: &str) -> ApiResult<()> {
    if is_name(name) {
        return Ok(());
    }
    Err(invalid_parameter(
        "repositoryName",
        "must satisfy regular expression \
         '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'",
    ))
}
