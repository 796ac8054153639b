//! Images.

use bytes::Bytes;

use crate::services::registry::{Image, PushError, Repository, digest_of, push};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = super::repository(world, input)?;
    let manifest = super::need(input, "imageManifest")?;
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
    let media_type = input.str("imageManifestMediaType").map(str::to_owned);
    let media_type = media_type.unwrap_or_else(|| media_type_within(manifest));
    let (bytes, now) = (Bytes::from(manifest.to_owned()), Some(world.now));
    push(&mut world.registry, name, tag, &media_type, bytes, now)
        .map_err(|error| refuse(world, error))?;
    let (_, repository) = super::repository(world, input)?;
    let image = repository.images.get(&digest);
    let image = image.map(|image| whole(world, name, image_id(&digest, tag), image));
    Ok(map([("image", image.into())]))
}

pub(super) fn batch_get(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = super::repository(world, input)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in input.list("imageIds") {
        match find(repository, id) {
            Some((digest, image)) => {
                images.push(whole(world, name, image_id(digest, id.str("imageTag")), image));
            }
            None => failures.push(failure(id)),
        }
    }
    Ok(map([("images", Value::List(images)), ("failures", Value::List(failures))]))
}

/// By tag the tag goes, and the image with its last tag; by digest the image with all its tags.
pub(super) fn batch_delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let repository = super::repository_mut(world, input)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in input.list("imageIds") {
        let found = find(repository, id).map(|(digest, _)| digest.to_owned());
        let Some(digest) = found else {
            failures.push(failure(id));
            continue;
        };
        let tags: Vec<String> = match id.str("imageTag") {
            Some(tag) => vec![tag.to_owned()],
            None => repository.tags_of(&digest).map(str::to_owned).collect(),
        };
        for tag in &tags {
            repository.tags.remove(tag);
            deleted.push(image_id(&digest, Some(tag)));
        }
        if tags.is_empty() {
            deleted.push(image_id(&digest, None));
        }
        if repository.tags_of(&digest).next().is_none() {
            repository.images.remove(&digest);
        }
    }
    Ok(map([("imageIds", Value::List(deleted)), ("failures", Value::List(failures))]))
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = super::repository(world, input)?;
    let ids = input.list("imageIds");
    if !ids.is_empty() {
        let images = ids.iter().map(|id| match find(repository, id) {
            Some((digest, image)) => Ok(detail(world, name, repository, digest, image)),
            None => Err(ApiError::sender(
                "ImageNotFoundException",
                format!(
                    "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the \
                     repository with name '{name}' in the registry with id '{}'",
                    id.str("imageDigest").unwrap_or("null"),
                    id.str("imageTag").unwrap_or("null"),
                    world.account
                ),
            )),
        });
        return Ok(map([("imageDetails", Value::List(images.collect::<ApiResult<_>>()?))]));
    }
    let wanted = chosen_by_filter(input);
    let chosen = repository.images.iter().filter(|(digest, _)| {
        wanted.is_none_or(|tagged| repository.tags_of(digest).next().is_some() == tagged)
    });
    let (page, next) = super::page(input, chosen)?;
    let details =
        page.into_iter().map(|(digest, image)| detail(world, name, repository, digest, image));
    Ok(map([("imageDetails", Value::List(details.collect())), ("nextToken", next.into())]))
}

pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let (_, repository) = super::repository(world, input)?;
    let wanted = chosen_by_filter(input);
    // One entry a tag, and one for an image without any, in one order.
    let mut entries: Vec<Value> = Vec::new();
    for digest in repository.images.keys() {
        let before = entries.len();
        for tag in repository.tags_of(digest) {
            entries.push(image_id(digest, Some(tag)));
        }
        let untagged = entries.len() == before;
        if untagged {
            entries.push(image_id(digest, None));
        }
        if wanted == Some(untagged) {
            entries.truncate(before);
        }
    }
    let (ids, next) = super::page(input, entries.into_iter())?;
    Ok(map([("imageIds", Value::List(ids)), ("nextToken", next.into())]))
}

/// `Some(true)` for tagged images only, `Some(false)` for untagged only.
fn chosen_by_filter(input: &Value) -> Option<bool> {
    match input.get("filter").str("tagStatus") {
        Some("TAGGED") => Some(true),
        Some("UNTAGGED") => Some(false),
        _ => None,
    }
}

fn find<'r>(repository: &'r Repository, id: &Value) -> Option<(&'r str, &'r Image)> {
    let found = repository.image(id.str("imageDigest").or_else(|| id.str("imageTag"))?)?;
    // With both, the tag must be that image's.
    let tag = id.str("imageTag");
    tag.is_none_or(|tag| repository.tags.get(tag).is_some_and(|d| d == found.0)).then_some(found)
}

fn image_id(digest: &str, tag: Option<&str>) -> Value {
    map([("imageDigest", digest.into()), ("imageTag", tag.into())])
}

fn failure(id: &Value) -> Value {
    map([
        ("imageId", id.clone()),
        ("failureCode", "ImageNotFound".into()),
        ("failureReason", "Requested image not found".into()),
    ])
}

fn whole(world: &World, name: &str, id: Value, image: &Image) -> Value {
    map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
        ("imageId", id),
        ("imageManifest", String::from_utf8_lossy(&image.manifest).as_ref().into()),
        ("imageManifestMediaType", image.media_type.as_str().into()),
    ])
}

fn detail(
    world: &World,
    name: &str,
    repository: &Repository,
    digest: &str,
    image: &Image,
) -> Value {
    let tags: Vec<Value> = repository.tags_of(digest).map(Value::from).collect();
    map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
        ("imageDigest", digest.into()),
        ("imageTags", if tags.is_empty() { Value::Null } else { Value::List(tags) }),
        ("imageSizeInBytes", world.registry.compressed_size(image).into()),
        ("imagePushedAt", image.pushed.into()),
        ("imageManifestMediaType", image.media_type.as_str().into()),
    ])
}

fn media_type_within(manifest: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(manifest).unwrap_or_default();
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    json["mediaType"].as_str().unwrap_or(docker).to_owned()
}

fn refuse(world: &World, error: PushError) -> ApiError {
    match error {
        PushError::UnknownRepository(name) => super::unknown_repository(world, &name),
        PushError::Invalid(why) => super::invalid(format!("Invalid image manifest: {why}")),
        PushError::MissingBlobs(digests) => ApiError::sender(
            "LayersNotFoundException",
            format!("Layers with digests '{}' do not exist", digests.join(", ")),
        ),
        PushError::MissingManifests(digests) => ApiError::sender(
            "ReferencedImagesNotFoundException",
            format!(
                "Images with digests '{}' required for pushing image do not exist",
                digests.join(", ")
            ),
        ),
        PushError::TagTaken { repository, tag } => ApiError::sender(
            "ImageTagAlreadyExistsException",
            format!(
                "The image tag '{tag}' already exists in the '{repository}' repository and cannot be \
                 overwritten because the tag is immutable."
            ),
        ),
    }
}
