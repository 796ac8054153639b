//! Uploading layers by the AWS API, which Docker does not use: it speaks to the registry.

use bytes::BytesMut;

use crate::services::registry::{Upload, digest_of};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The part size that ECR proposes: 10 MiB.
const PART: i64 = 10 << 20;

pub(super) fn check(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, _) = super::repository(world, input)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in input.strings("layerDigests") {
        if !digest.starts_with("sha256:") {
            failures.push(map([
                ("layerDigest", digest.into()),
                ("failureCode", "InvalidLayerDigest".into()),
                ("failureReason", "Invalid layer digest".into()),
            ]));
            continue;
        }
        let size = world.registry.blob(name, &digest).map(|bytes| bytes.len() as i64);
        let availability = if size.is_some() { "AVAILABLE" } else { "UNAVAILABLE" };
        layers.push(map([
            ("layerDigest", digest.into()),
            ("layerAvailability", availability.into()),
            ("layerSize", size.into()),
        ]));
    }
    Ok(map([("layers", Value::List(layers)), ("failures", Value::List(failures))]))
}

pub(super) fn initiate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, _) = super::repository(world, input)?;
    let id = world.ids.uuid();
    let upload = Upload { repository: name.to_owned(), bytes: BytesMut::new() };
    world.registry.uploads.insert(id.clone(), upload);
    Ok(map([("uploadId", id.into()), ("partSize", PART.into())]))
}

pub(super) fn upload_part(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, id) = upload(world, input)?;
    let account = world.account.clone();
    let part = input.bytes("layerPartBlob").unwrap_or_default();
    let (first, last) = (input.int("partFirstByte"), input.int("partLastByte"));
    let upload = world.registry.uploads.get_mut(id).ok_or_else(|| unknown_upload(id))?;
    let have = upload.bytes.len() as i64;
    if first != Some(have) || last != Some(have + part.len() as i64 - 1) {
        return Err(ApiError::sender(
            "InvalidLayerPartException",
            format!(
                "The layer part of {} bytes does not go on from the last byte received, {}",
                part.len(),
                have - 1
            ),
        ));
    }
    upload.bytes.extend_from_slice(&part);
    let received = upload.bytes.len() as i64 - 1;
    Ok(map([
        ("registryId", account.into()),
        ("repositoryName", name.into()),
        ("uploadId", id.into()),
        ("lastByteReceived", received.into()),
    ]))
}

pub(super) fn complete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, id) = upload(world, input)?;
    let upload = world.registry.uploads.get(id).ok_or_else(|| unknown_upload(id))?;
    if upload.bytes.is_empty() {
        return Err(ApiError::sender("EmptyUploadException", "The layer upload has no parts"));
    }
    let digest = digest_of(&upload.bytes);
    let claimed = input.strings("layerDigests");
    if !claimed.contains(&digest) {
        return Err(ApiError::sender(
            "InvalidLayerException",
            format!("The layer has the digest {digest}, not {}", claimed.join(", ")),
        ));
    }
    if world.registry.blob(name, &digest).is_some() {
        world.registry.uploads.remove(id);
        return Err(ApiError::sender(
            "LayerAlreadyExistsException",
            format!(
                "Layer with digest '{digest}' already exists in the repository with name '{name}'"
            ),
        ));
    }
    if let Some(upload) = world.registry.uploads.remove(id) {
        world.registry.keep_blob(name, upload.bytes.freeze());
    }
    Ok(map([
        ("registryId", world.account.as_str().into()),
        ("repositoryName", name.into()),
        ("uploadId", id.into()),
        ("layerDigest", digest.into()),
    ]))
}

/// The repository's name and the upload's identifier, which must belong together.
fn upload<'i>(world: &World, input: &'i Value) -> ApiResult<(&'i str, &'i str)> {
    let (name, _) = super::repository(world, input)?;
    let id = super::need(input, "uploadId")?;
    match world.registry.uploads.get(id) {
        Some(upload) if upload.repository == name => Ok((name, id)),
        _ => Err(unknown_upload(id)),
    }
}

fn unknown_upload(id: &str) -> ApiError {
    ApiError::sender("UploadNotFoundException", format!("There is no upload with id '{id}'"))
}
