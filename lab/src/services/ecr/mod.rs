//! Elastic Container Registry: the AWS API on the store of [`super::registry`].
//!
//! Not simulated: pull-through caches, replication, archiving, and the enforcement of repository policies, which
//! are only stored.

mod address;
mod authentication;
mod creation_template;
mod errors;
mod image_id;
mod images;
mod layers;
mod lifecycle;
mod push;
mod quotas;
mod registry_scanning;
mod registry_settings;
mod repositories;
mod repository_settings;
mod request;
mod scans;
mod settings;
mod signatures;
mod signing;
pub(crate) mod state;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod token;
mod tokens;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;

pub use address::registry_host;
pub use quotas::Quotas;
pub use signing::failed_signatures;
pub use state::{Event, State};
pub use tokens::mint;

pub(crate) use authentication::{AuthError, authenticate};
pub(crate) use push::{before_upload, push};
pub(crate) use signing::sign;

/// Returns the names of all repositories and the prefixes of all creation templates.
pub fn leftovers(world: &World) -> Vec<String> {
    let repositories = world.registry.ecr.repositories.keys();
    repositories
        .chain(world.ecr.settings.keys())
        .chain(world.ecr.templates.keys())
        .cloned()
        .collect()
}

/// Carries out a scheduled event.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Lifecycle { repository, policy } => lifecycle::apply(world, repository, *policy),
    }
}

/// Handles one API call.
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
        _ => Err(call.unknown_operation()),
    }
}
