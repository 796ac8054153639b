//! Elastic Container Registry: the AWS API over the store that [`super::registry`] keeps.

mod images;
mod layers;
mod repositories;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::paging;
use super::registry::Repository;
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// How long an authorization token lives (API reference, GetAuthorizationToken).
const TOKEN_HOURS: i64 = 12;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Where the registry answers, if not under ECR's own name: the address of a loopback door, such as
    /// `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    tokens: BTreeMap<String, Timestamp>,
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "GetAuthorizationToken" => Ok(authorization_token(world)),
        "CreateRepository" => repositories::create(world, input),
        "DescribeRepositories" => repositories::describe(world, input),
        "DeleteRepository" => repositories::delete(world, input),
        "PutImageTagMutability" => repositories::put_mutability(world, input),
        "PutImage" => images::put(world, input),
        "BatchGetImage" => images::batch_get(world, input),
        "BatchDeleteImage" => images::batch_delete(world, input),
        "DescribeImages" => images::describe(world, input),
        "ListImages" => images::list(world, input),
        "BatchCheckLayerAvailability" => layers::check(world, input),
        "InitiateLayerUpload" => layers::initiate(world, input),
        "UploadLayerPart" => layers::upload_part(world, input),
        "CompleteLayerUpload" => layers::complete(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// The name under which clients know the registry, without a scheme.
pub fn registry_host(world: &World) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com", world.account, world.region)
}

/// When the authorization token with this password ends; `None` if there was never one.
pub(crate) fn token_expiry(world: &World, password: &str) -> Option<Timestamp> {
    world.ecr.tokens.get(password).copied()
}

/// A new password for the registry, good for twelve hours.
pub fn mint(world: &mut World) -> String {
    let password = format!("lab-{}", world.ids.uuid());
    let hours = SignedDuration::from_hours(TOKEN_HOURS);
    let expires = world.now.saturating_add(hours).unwrap_or(world.now);
    world.ecr.tokens.insert(password.clone(), expires);
    password
}

fn authorization_token(world: &mut World) -> Value {
    let password = mint(world);
    let endpoint = world.ecr.endpoint.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("https://{}", registry_host(world)));
    let data = map([
        ("authorizationToken", STANDARD.encode(format!("AWS:{password}")).into()),
        ("expiresAt", token_expiry(world, &password).into()),
        ("proxyEndpoint", endpoint.into()),
    ]);
    map([("authorizationData", Value::List(vec![data]))])
}

/// The repository that the input names, with its name.
fn repository<'w, 'i>(world: &'w World, input: &'i Value) -> ApiResult<(&'i str, &'w Repository)> {
    let name = need(input, "repositoryName")?;
    let found = world.registry.repositories.get(name);
    found.map(|found| (name, found)).ok_or_else(|| unknown_repository(world, name))
}

fn repository_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Repository> {
    let (name, _) = repository(world, input)?;
    let missing = unknown_repository(world, name);
    world.registry.repositories.get_mut(name).ok_or(missing)
}

/// One page by `maxResults` (1 to 1000, by default 100; API model) and `nextToken`.
fn page<T>(input: &Value, items: impl Iterator<Item = T>) -> ApiResult<(Vec<T>, Option<String>)> {
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

fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    input.str(key).ok_or_else(|| {
        invalid(format!(
            "Invalid parameter at '{key}' failed to satisfy constraint: 'Member must not be null'"
        ))
    })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

fn unknown_repository(world: &World, name: &str) -> ApiError {
    let account = &world.account;
    ApiError::sender(
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{account}'"
        ),
    )
}
