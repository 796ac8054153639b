//! Lists the tags of a repository, and the referrers of a manifest.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderName, Request, Response};
use serde_json::{Value as Json, json};

use super::answer::{OciResult, is_read, repository};
use crate::services::message::{query_parameter, set_header};
use crate::services::registry::{Image, OciError, RegistryKind, is_digest};
use crate::world::World;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The header that says by what a list was filtered.
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// The most tags on a page, even if a client asks for more (a guess for both registries).
const PAGE: usize = 1000;

/// Answers a request to `/v2/<name>/tags/list`.
pub(super) fn tags(
    world: &World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
) -> OciResult {
    if !is_read(request) {
        return Err(OciError::unsupported());
    }
    let repository = repository(world, host, name)?;
    let asked = query_parameter(request, "n").and_then(|n| n.parse().ok());
    let size = asked.unwrap_or(PAGE).min(PAGE);
    let last = query_parameter(request, "last").unwrap_or_default();
    let mut rest = repository.tags.keys().filter(|tag| **tag > last);
    let page: Vec<&String> = rest.by_ref().take(size).collect();
    let body = json!({ "name": name, "tags": page });
    let mut response = Response::new(Bytes::from(body.to_string()));
    set_header(&mut response, CONTENT_TYPE, "application/json");
    if let (Some(_), Some(last)) = (rest.next(), page.last()) {
        let next = format!("</v2/{name}/tags/list?n={size}&last={last}>; rel=\"next\"");
        set_header(&mut response, LINK, &next);
    }
    Ok(response)
}

/// Answers a request to `/v2/<name>/referrers/<digest>`. For a manifest that doesn't exist the list is empty,
/// which is not an error (distribution specification, "Listing Referrers").
pub(super) fn referrers(
    world: &World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    digest: &str,
) -> OciResult {
    if host == RegistryKind::Ghcr || !is_read(request) {
        return Err(OciError::not_found());
    }
    let repository = repository(world, host, name)?;
    if !is_digest(digest) {
        return Err(OciError::digest(format!("{digest} is not a sha256 digest")));
    }
    let wanted = query_parameter(request, "artifactType");
    let refers = |image: &&Image| {
        let kind = &image.references.artifact_type;
        image.references.subject.as_deref() == Some(digest)
            && wanted.as_ref().is_none_or(|wanted| kind.as_ref() == Some(wanted))
    };
    let images = repository.images.iter().filter(|(_, image)| refers(image));
    let manifests: Vec<Json> = images.map(|(digest, image)| descriptor(digest, image)).collect();
    let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    let mut response = Response::new(Bytes::from(body.to_string()));
    set_header(&mut response, CONTENT_TYPE, INDEX);
    if wanted.is_some() {
        set_header(&mut response, FILTERS, "artifactType");
    }
    Ok(response)
}

fn descriptor(digest: &str, image: &Image) -> Json {
    let manifest: Json = serde_json::from_slice(&image.manifest).unwrap_or_default();
    let mut descriptor = json!({
        "mediaType": image.media_type,
        "digest": digest,
        "size": image.manifest.len(),
        "artifactType": image.references.artifact_type,
    });
    if !manifest["annotations"].is_null() {
        descriptor["annotations"] = manifest["annotations"].clone();
    }
    descriptor
}
