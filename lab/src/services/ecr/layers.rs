//! The AWS API's operations on layers. Docker doesn't use them: it talks to the registry.

use super::errors::{invalid, limit, need, need_list};
use super::request::{repository, response_for};
use crate::services::registry::{Upload, digest_of, is_digest};
use crate::services::storage::ecr_download_url;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The part size that ECR proposes, in bytes: 10 MiB.
const PART: i64 = 10 << 20;

pub(super) fn check(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, _) = repository(world, input)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in need_list(input, "layerDigests", 100)?.iter().filter_map(Value::as_str) {
        if !is_digest(digest) {
            failures.push(map([
                ("layerDigest", digest.into()),
                ("failureCode", "InvalidLayerDigest".into()),
                ("failureReason", format!("Invalid layer digest '{digest}'").into()),
            ]));
            continue;
        }
        let size = world.registry.ecr.blob(name, digest).map(|bytes| bytes.len() as i64);
        let availability = if size.is_some() { "AVAILABLE" } else { "UNAVAILABLE" };
        layers.push(map([
            ("layerDigest", digest.into()),
            ("layerAvailability", availability.into()),
            ("layerSize", size.into()),
        ]));
    }
    Ok(map([("layers", Value::List(layers)), ("failures", Value::List(failures))]))
}

/// `GetDownloadUrlForLayer`: fails for a layer that belongs to no image (API model,
/// `LayerInaccessibleException`).
pub(super) fn download_url(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let digest = need(input, "layerDigest")?;
    if world.registry.ecr.blob(name, digest).is_none() {
        return Err(ApiError::sender(
            "LayersNotFoundException",
            format!("Layers with digests '{digest}' do not exist"),
        ));
    }
    let names = |blobs: &[String]| blobs.iter().any(|blob| blob == digest);
    if !repository.images.values().any(|image| names(&image.references.blobs)) {
        return Err(ApiError::sender(
            "LayerInaccessibleException",
            format!(
                "The layer '{digest}' is not available because it is not associated with an image. \
                 Unassociated image layers may be cleaned up at any time."
            ),
        ));
    }
    let url = ecr_download_url(world, digest);
    Ok(map([("downloadUrl", url.into()), ("layerDigest", digest.into())]))
}

pub(super) fn initiate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, _) = repository(world, input)?;
    let id = world.ids.uuid();
    world.registry.ecr.uploads.insert(id.clone(), Upload::new(name));
    Ok(map([("uploadId", id.into()), ("partSize", PART.into())]))
}

pub(super) fn upload_part(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, id) = upload(world, input)?;
    let (about, quotas) = (response_for(world, name), world.ecr.quotas.clone());
    let part = input
        .bytes("layerPartBlob")
        .ok_or_else(|| invalid("Invalid parameter at 'layerPartBlob' failed to satisfy constraint: 'Member must be a blob'"))?;
    let (first, last) = (input.int("partFirstByte"), input.int("partLastByte"));
    let unknown = unknown_upload(world, name, id);
    let upload = world.registry.ecr.uploads.get_mut(id).ok_or(unknown)?;
    let have = upload.bytes.len() as i64;
    if upload.parts.len() >= quotas.parts {
        return Err(limit(format!(
            "The layer already has {} parts, which is the maximum",
            quotas.parts
        )));
    }
    let follows = first == Some(have) && last == Some(have + part.len() as i64 - 1);
    if !follows || part.is_empty() || part.len() > quotas.part_max {
        let error = ApiError::sender(
            "InvalidLayerPartException",
            "The layer part size is not valid, or the first byte specified is not consecutive to the \
             last byte of a previous layer part upload.",
        );
        let members = about.with("uploadId", id).with("lastValidByteReceived", have - 1);
        return Err(error.with_members(members.to_json()));
    }
    upload.append(&part);
    let received = upload.bytes.len() as i64 - 1;
    Ok(about.with("uploadId", id).with("lastByteReceived", received))
}

pub(super) fn complete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, id) = upload(world, input)?;
    let unknown = || unknown_upload(world, name, id);
    let upload = world.registry.ecr.uploads.get(id).ok_or_else(unknown)?;
    let Some((_, before)) = upload.parts.split_last() else {
        return Err(ApiError::sender(
            "EmptyUploadException",
            "The specified layer upload does not contain any layer parts.",
        ));
    };
    if before.iter().any(|size| *size < world.ecr.quotas.part_min) {
        return Err(ApiError::sender(
            "LayerPartTooSmallException",
            "Layer parts must be at least 5 MiB in size.",
        ));
    }
    let digest = digest_of(&upload.bytes);
    need_list(input, "layerDigests", 100)?;
    let claimed = input.strings("layerDigests");
    if !claimed.contains(&digest) {
        return Err(ApiError::sender(
            "InvalidLayerException",
            format!(
                "The layer digest calculation performed by Amazon ECR upon receipt of the image layer \
                 does not match the digest specified: {digest}, not {}",
                claimed.join(", ")
            ),
        ));
    }
    if world.registry.ecr.blob(name, &digest).is_some() {
        world.registry.ecr.uploads.remove(id);
        return Err(ApiError::sender(
            "LayerAlreadyExistsException",
            format!(
                "Layer with digest '{digest}' already exists in the repository with name '{name}' in \
                 registry with id '{}'",
                world.account
            ),
        ));
    }
    if let Some(upload) = world.registry.ecr.uploads.remove(id) {
        world.registry.ecr.add_blob_to(name, upload.bytes.freeze());
    }
    Ok(response_for(world, name).with("uploadId", id).with("layerDigest", digest))
}

/// Returns the repository's name and the ID of an upload to it.
fn upload<'i>(world: &World, input: &'i Value) -> ApiResult<(&'i str, &'i str)> {
    let (name, _) = repository(world, input)?;
    let id = need(input, "uploadId")?;
    match world.registry.ecr.uploads.get(id) {
        Some(upload) if upload.repository == name => Ok((name, id)),
        _ => Err(unknown_upload(world, name, id)),
    }
}

fn unknown_upload(world: &World, name: &str, id: &str) -> ApiError {
    super::errors::not_found(
        "UploadNotFoundException",
        &format!("The upload with id '{id}'"),
        world,
        name,
    )
}
