//! Reads, lists and deletes images.

use super::errors::{invalid, need_list, unknown_image};
use super::image_id::{TagStatus, find, image_id};
use super::request::{self, repository, repository_mut, response_for};
use super::scans;
use crate::services::registry::{Image, Repository};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most images that one call may name (API model).
const BATCH: usize = 100;

/// `BatchGetImage`: images with their manifests. Ignores `acceptedMediaTypes`, since the lab converts nothing.
pub(super) fn batch_get(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = need_list(input, "imageIds", BATCH)?;
    let now = world.now;
    let repository = repository_mut(world, input)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match find(repository, id) {
            Ok(digest) => {
                if let Some(image) = repository.images.get_mut(&digest) {
                    image.pulled = Some(now);
                }
                found.push((digest, id.str("imageTag")));
            }
            Err(code) => failures.push(failure(id, code)),
        }
    }
    let (name, repository) = request::repository(world, input)?;
    let images = found.iter().filter_map(|(digest, tag)| {
        let image = repository.images.get(digest)?;
        Some(describe_with_manifest(world, name, image_id(digest, *tag), image))
    });
    Ok(map([("images", Value::List(images.collect())), ("failures", Value::List(failures))]))
}

/// `BatchDeleteImage`: by tag, deletes the tag, and the image with its last tag; by digest, the image with all
/// its tags. An image that an index names stays (API model, `ImageReferencedByManifestList`).
pub(super) fn batch_delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = need_list(input, "imageIds", BATCH)?;
    let repository = repository_mut(world, input)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        let digest = match find(repository, id) {
            Ok(digest) => digest,
            Err(code) => {
                failures.push(failure(id, code));
                continue;
            }
        };
        let all: Vec<String> = repository.tags_of(&digest).map(str::to_owned).collect();
        let tags = match id.str("imageTag") {
            Some(tag) => vec![tag.to_owned()],
            None => all.clone(),
        };
        let is_last = tags.len() == all.len();
        if is_last && repository.is_referenced(&digest) {
            failures.push(failure(id, "ImageReferencedByManifestList"));
            continue;
        }
        if is_last {
            repository.remove(&digest);
        } else {
            repository.tags.retain(|tag, _| !tags.contains(tag));
        }
        if tags.is_empty() {
            deleted.push(image_id(&digest, None));
        }
        deleted.extend(tags.iter().map(|tag| image_id(&digest, Some(tag))));
    }
    Ok(map([("imageIds", Value::List(deleted)), ("failures", Value::List(failures))]))
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let ids = input.list("imageIds");
    if !ids.is_empty() {
        if input.str("nextToken").is_some() || input.int("maxResults").is_some() {
            return Err(invalid("imageIds cannot be used with maxResults or nextToken"));
        }
        need_list(input, "imageIds", BATCH)?;
        let images = ids.iter().map(|id| {
            let digest = find(repository, id).map_err(|_| unknown_image(world, name, id))?;
            let image = repository.images.get(&digest);
            let image = image.ok_or_else(|| unknown_image(world, name, id))?;
            Ok(detail(world, name, repository, &digest, image))
        });
        return Ok(map([("imageDetails", Value::List(images.collect::<ApiResult<_>>()?))]));
    }
    let wanted = TagStatus::of(input.get("filter"))?;
    let chosen = repository.images.iter().filter(|(digest, _)| {
        let tagged = repository.tags_of(digest).next().is_some();
        wanted.matches(tagged)
    });
    let (page, next) = request::page(input, chosen)?;
    let details =
        page.into_iter().map(|(digest, image)| detail(world, name, repository, digest, image));
    Ok(map([("imageDetails", Value::List(details.collect())), ("nextToken", next.into())]))
}

pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let (_, repository) = repository(world, input)?;
    let wanted = TagStatus::of(input.get("filter"))?;
    // One entry for each tag and one for an untagged image, in a fixed order.
    let entries = repository.images.keys().flat_map(|digest| {
        let mut tags: Vec<Value> =
            repository.tags_of(digest).map(|tag| image_id(digest, Some(tag))).collect();
        let tagged = !tags.is_empty();
        if !tagged {
            tags.push(image_id(digest, None));
        }
        tags.retain(|_| wanted.matches(tagged));
        tags
    });
    let (ids, next) = request::page(input, entries)?;
    Ok(map([("imageIds", Value::List(ids)), ("nextToken", next.into())]))
}

fn failure(id: &Value, code: &str) -> Value {
    let reason = match code {
        "InvalidImageDigest" => "Invalid request parameters: image digest should satisfy the regex",
        "InvalidImageTag" => "Invalid request parameters: image tag should satisfy the regex",
        "MissingDigestAndTag" => "Invalid request parameters: both tag and digest cannot be null",
        "ImageTagDoesNotMatchDigest" => "The image tag does not match the image digest",
        "ImageReferencedByManifestList" => {
            "Requested image referenced by manifest list and cannot be deleted"
        }
        _ => "Requested image not found",
    };
    map([("imageId", id.clone()), ("failureCode", code.into()), ("failureReason", reason.into())])
}

/// Formats an image with its manifest for a response.
pub(super) fn describe_with_manifest(world: &World, name: &str, id: Value, image: &Image) -> Value {
    response_for(world, name)
        .with("imageId", id)
        .with("imageManifest", String::from_utf8_lossy(&image.manifest).as_ref())
        .with("imageManifestMediaType", image.media_type.as_str())
}

fn detail(
    world: &World,
    name: &str,
    repository: &Repository,
    digest: &str,
    image: &Image,
) -> Value {
    let tags: Vec<Value> = repository.tags_of(digest).map(Value::from).collect();
    let detail = response_for(world, name)
        .with("imageDigest", digest)
        .with("imageTags", if tags.is_empty() { Value::Null } else { Value::List(tags) })
        .with("imageSizeInBytes", world.registry.ecr.compressed_size(repository, image))
        .with("imagePushedAt", image.pushed)
        .with("imageManifestMediaType", image.media_type.as_str())
        .with("artifactMediaType", image.references.artifact_type.clone())
        .with("subjectManifestDigest", image.references.subject.clone())
        .with("lastRecordedPullTime", image.pulled)
        .with("imageStatus", "ACTIVE");
    scans::with_summary(world, name, digest, detail)
}
