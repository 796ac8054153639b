//! Elastic Container Registry: the AWS API over the store that [`super::registry`] keeps.
//!
//! Not here: pull-through caches, replication, archiving, and the enforcement of repository
//! policies, which are data.

mod access;
mod errors;
mod images;
mod layers;
mod lifecycle;
mod push;
mod quotas;
mod registry_settings;
mod repositories;
mod scans;
mod settings;
mod signing;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;

use super::paging;
use super::registry::Repository;
use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

pub(crate) use access::{Denied, authorise};
use errors::{invalid, need, unknown_repository};
pub(crate) use push::{before_upload, push};
pub use quotas::Quotas;
use settings::Settings;
pub(crate) use signing::sign;
pub use signing::unsigned;
pub use tokens::mint;

/// What this service remembers besides the images.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Where the registry answers, if not under ECR's own name: the address of a loopback door, such as
    /// `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    /// What the account may use.
    pub quotas: Quotas,
    /// The account setting BLOB_MOUNTING: whether a push may take a blob over from another repository.
    pub mounting: bool,
    /// The passwords for the registry.
    tokens: BTreeMap<String, tokens::Token>,
    /// What is set on the repositories, by name; none where nothing is.
    settings: BTreeMap<String, Settings>,
    registry: registry_settings::Registry,
    templates: BTreeMap<String, templates::Template>,
    signing: signing::Signing,
}

/// Whether Amazon Inspector scans the registry's images.
pub(crate) fn is_scanned_by_inspector(world: &World) -> bool {
    world.ecr.registry.scan_type() == registry_settings::ScanType::Enhanced
}

/// The names of repositories and creation templates that there are.
pub fn leftovers(world: &World) -> Vec<String> {
    let repositories = world.registry.ecr.repositories.keys();
    repositories
        .chain(world.ecr.settings.keys())
        .chain(world.ecr.templates.keys())
        .cloned()
        .collect()
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A repository's lifecycle policy is carried out.
    Lifecycle {
        /// The repository.
        repository: String,
        /// Which of its policies; an older one is no longer carried out.
        policy: u64,
    },
}

/// Lets it happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Lifecycle { repository, policy } => lifecycle::run(world, repository, *policy),
    }
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "GetAuthorizationToken" => Ok(tokens::get(world, call)),
        "CreateRepository" => repositories::create(world, input),
        "DescribeRepositories" => repositories::describe(world, input),
        "DeleteRepository" => repositories::delete(world, input),
        "PutImageTagMutability" => settings::put_mutability(world, input),
        "PutImageScanningConfiguration" => settings::put_scanning(world, input),
        "SetRepositoryPolicy" => settings::set_policy(world, input),
        "GetRepositoryPolicy" => settings::get_policy(world, input),
        "DeleteRepositoryPolicy" => settings::delete_policy(world, input),
        "TagResource" => tags::tag(world, input),
        "UntagResource" => tags::untag(world, input),
        "ListTagsForResource" => tags::list(world, input),
        "PutImage" => push::put_image(world, call),
        "BatchGetImage" => images::batch_get(world, input),
        "BatchDeleteImage" => images::batch_delete(world, input),
        "DescribeImages" => images::describe(world, input),
        "ListImages" => images::list(world, input),
        "BatchCheckLayerAvailability" => layers::check(world, input),
        "GetDownloadUrlForLayer" => layers::download_url(world, input),
        "InitiateLayerUpload" => layers::initiate(world, input),
        "UploadLayerPart" => layers::upload_part(world, input),
        "CompleteLayerUpload" => layers::complete(world, input),
        "PutLifecyclePolicy" => lifecycle::put(world, input),
        "GetLifecyclePolicy" => lifecycle::get(world, input),
        "DeleteLifecyclePolicy" => lifecycle::delete(world, input),
        "StartLifecyclePolicyPreview" => lifecycle::start_preview(world, input),
        "GetLifecyclePolicyPreview" => lifecycle::get_preview(world, input),
        "StartImageScan" => scans::start(world, input),
        "DescribeImageScanFindings" => scans::describe(world, input),
        "DescribeRegistry" => Ok(registry_settings::describe(world)),
        "PutAccountSetting" => registry_settings::put_account_setting(world, input),
        "GetAccountSetting" => registry_settings::get_account_setting(world, input),
        "PutRegistryPolicy" => registry_settings::put_policy(world, input),
        "GetRegistryPolicy" => registry_settings::get_policy(world),
        "DeleteRegistryPolicy" => registry_settings::delete_policy(world),
        "PutRegistryScanningConfiguration" => registry_settings::put_scanning(world, input),
        "GetRegistryScanningConfiguration" => Ok(registry_settings::get_scanning(world)),
        "BatchGetRepositoryScanningConfiguration" => {
            registry_settings::batch_get_scanning(world, input)
        }
        "PutSigningConfiguration" => signing::put(world, input),
        "GetSigningConfiguration" => signing::get(world),
        "DeleteSigningConfiguration" => signing::delete(world),
        "DescribeImageSigningStatus" => signing::status(world, input),
        "CreateRepositoryCreationTemplate" => templates::create(world, input),
        "UpdateRepositoryCreationTemplate" => templates::update(world, input),
        "DeleteRepositoryCreationTemplate" => templates::delete(world, input),
        "DescribeRepositoryCreationTemplates" => templates::describe(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// The name under which clients know the registry, without a scheme.
pub fn registry_host(world: &World) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com", world.account, world.region)
}

/// The ARN of a repository.
fn arn(world: &World, name: &str) -> String {
    format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account)
}

/// The repository that the input names, with its name.
fn repository<'w, 'i>(world: &'w World, input: &'i Value) -> ApiResult<(&'i str, &'w Repository)> {
    let name = need(input, "repositoryName")?;
    let registry = input.str("registryId").unwrap_or(&world.account);
    let found = world.registry.ecr.repositories.get(name);
    let found = found.filter(|_| registry == world.account);
    found.map(|found| (name, found)).ok_or_else(|| unknown_repository(name, registry))
}

/// The same, to be changed.
fn repository_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Repository> {
    let (name, _) = repository(world, input)?;
    let missing = unknown_repository(name, &world.account);
    world.registry.ecr.repositories.get_mut(name).ok_or(missing)
}

/// The settings of the repository that the input names, to be changed, with its name.
fn settings_mut<'w, 'i>(
    world: &'w mut World,
    input: &'i Value,
) -> ApiResult<(&'i str, &'w mut Settings)> {
    let (name, _) = repository(world, input)?;
    Ok((name, world.ecr.settings.entry(name.to_owned()).or_default()))
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

/// The answer that nearly every operation on a repository begins with.
fn about(world: &World, name: &str) -> Value {
    crate::wire::map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
    ])
}
