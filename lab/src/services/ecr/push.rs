//! Pushes of images, by PutImage or the distribution API.

use bytes::Bytes;

use super::errors::{self, invalid_parameter, need};
use super::image_id::image_id;
use super::images::describe_with_manifest;
use super::request::{self, repository};
use super::{scans, signing, templates};
use crate::services::registry::{self, PushError, digest_of};
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// The media types that ECR accepts (user guide, "Container image manifest format support").
const MEDIA_TYPES: &[&str] = &[
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Stores a manifest at `world.now`, as both APIs do: checks its media type and the quotas, and scans the image
/// if scanning is configured.
pub(crate) fn push(
    world: &mut World,
    name: &str,
    tag: Option<&str>,
    media_type: &str,
    manifest: Bytes,
) -> Result<String, PushError> {
    // ECR ignores a media type's parameters.
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    if !MEDIA_TYPES.contains(&plain) {
        return Err(PushError::Invalid(format!("the media type {media_type} is not supported")));
    }
    check_quotas(world, name, tag, &manifest)?;
    let push = registry::ManifestPush {
        repository: name,
        tag,
        media_type: plain,
        manifest,
        now: Some(world.now),
    };
    let known = world.registry.ecr.repositories.get(name).map_or(0, |found| found.images.len());
    let digest = registry::push(&mut world.registry.ecr, push)?;
    let grown = world.registry.ecr.repositories.get(name).map_or(0, |found| found.images.len());
    if grown > known {
        scans::scan_new_image(world, name, &digest);
    }
    Ok(digest)
}

/// Creates the repository that an upload is for, if it is missing and a creation template applies.
pub(crate) fn before_upload(world: &mut World, name: &str) {
    if !world.registry.ecr.repositories.contains_key(name) {
        templates::create_on_push(world, name);
    }
}

fn check_quotas(
    world: &World,
    name: &str,
    tag: Option<&str>,
    manifest: &[u8],
) -> Result<(), PushError> {
    let Some(repository) = world.registry.ecr.repositories.get(name) else { return Ok(()) };
    let digest = digest_of(manifest);
    if !repository.images.contains_key(&digest)
        && repository.images.len() >= world.ecr.quotas.images
    {
        return Err(PushError::Quota("images per repository"));
    }
    let is_new = tag.is_some_and(|tag| repository.tags.get(tag) != Some(&digest));
    if is_new && repository.tags_of(&digest).count() >= world.ecr.quotas.tags_per_image {
        return Err(PushError::Quota("tags per image"));
    }
    Ok(())
}

pub(super) fn put_image(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    let (name, repository) = repository(world, input)?;
    let manifest = need(input, "imageManifest")?;
    let (tag, digest) = (input.str("imageTag"), digest_of(manifest.as_bytes()));
    if let Some(claimed) = input.str("imageDigest")
        && claimed != digest
    {
        return Err(ApiError::sender(
            "ImageDigestDoesNotMatchException",
            format!("The provided digest '{claimed}' does not match the image digest '{digest}'"),
        ));
    }
    let known = repository.images.contains_key(&digest);
    if known && tag.is_none_or(|tag| repository.tags.get(tag) == Some(&digest)) {
        return Err(ApiError::sender(
            "ImageAlreadyExistsException",
            format!(
                "Image with digest '{digest}' and tag '{}' already exists in the repository with name \
                 '{name}' in registry with id '{}'",
                tag.unwrap_or("null"),
                world.account
            ),
        ));
    }
    let media_type = media_type(input, manifest)?;
    push(world, name, tag, &media_type, Bytes::from(manifest.to_owned()))
        .map_err(|error| errors::push_error(world, error))?;
    signing::sign(world, &call.caller, name, &digest);
    let (_, repository) = request::repository(world, input)?;
    let image = repository.images.get(&digest);
    let image =
        image.map(|image| describe_with_manifest(world, name, image_id(&digest, tag), image));
    Ok(map([("image", image.into())]))
}

/// Returns the media type from the manifest, or else from `imageManifestMediaType`. If neither has one, ECR
/// reports invalid JSON, as users of Helm quote it.
fn media_type(input: &Value, manifest: &str) -> ApiResult<String> {
    let broken = || invalid_parameter("ImageManifest", "Invalid JSON syntax");
    let json: serde_json::Value = serde_json::from_str(manifest).map_err(|_| broken())?;
    let beside = input.str("imageManifestMediaType");
    let named = json["mediaType"].as_str().or(beside).ok_or_else(broken)?;
    Ok(named.to_owned())
}
