//! Repositories.

use crate::services::registry::Repository;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = super::need(input, "repositoryName")?;
    if !is_name(name) {
        return Err(super::invalid(format!(
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: '{name}' must be 2 to 256 \
             lowercase letters, digits, '.', '_', '-' and '/'"
        )));
    }
    if world.registry.repositories.contains_key(name) {
        return Err(ApiError::sender(
            "RepositoryAlreadyExistsException",
            format!(
                "The repository with name '{name}' already exists in the registry with id '{}'",
                world.account
            ),
        ));
    }
    let repository = Repository {
        created: Some(world.now),
        immutable: is_immutable(input),
        ..Repository::default()
    };
    let described = describe_one(world, name, &repository);
    world.registry.repositories.insert(name.to_owned(), repository);
    Ok(map([("repository", described)]))
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("repositoryNames");
    let known = &world.registry.repositories;
    if let Some(missing) = wanted.iter().find(|name| !known.contains_key(*name)) {
        return Err(super::unknown_repository(world, missing));
    }
    let chosen = known.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
    let (page, next) = super::page(input, chosen)?;
    let described = page.into_iter().map(|(name, found)| describe_one(world, name, found));
    Ok(map([("repositories", Value::List(described.collect())), ("nextToken", next.into())]))
}

pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = super::repository(world, input)?;
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
    let described = describe_one(world, name, repository);
    world.registry.repositories.remove(name);
    Ok(map([("repository", described)]))
}

pub(super) fn put_mutability(world: &mut World, input: &Value) -> ApiResult<Value> {
    super::repository_mut(world, input)?.immutable = is_immutable(input);
    let (name, repository) = super::repository(world, input)?;
    Ok(map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
        ("imageTagMutability", mutability(repository).into()),
    ]))
}

fn describe_one(world: &World, name: &str, repository: &Repository) -> Value {
    let (account, region) = (&world.account, &world.region);
    map([
        ("repositoryArn", format!("arn:aws:ecr:{region}:{account}:repository/{name}").into()),
        ("registryId", account.into()),
        ("repositoryName", name.into()),
        ("repositoryUri", format!("{}/{name}", super::registry_host(world)).into()),
        ("createdAt", repository.created.into()),
        ("imageTagMutability", mutability(repository).into()),
        ("imageScanningConfiguration", map([("scanOnPush", false.into())])),
        ("encryptionConfiguration", map([("encryptionType", "AES256".into())])),
    ])
}

/// Exclusion filters are ignored: with them the lab is stricter than ECR.
fn is_immutable(input: &Value) -> bool {
    input.str("imageTagMutability").is_some_and(|text| text.starts_with("IMMUTABLE"))
}

fn mutability(repository: &Repository) -> &'static str {
    if repository.immutable { "IMMUTABLE" } else { "MUTABLE" }
}

/// The form of a repository's name (API model, simplified: runs of separators are let through).
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (2..=256).contains(&name.len())
        && name.chars().all(inner)
        && name.starts_with(edge)
        && name.ends_with(edge)
}
