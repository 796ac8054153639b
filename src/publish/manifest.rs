//! The documents of an image: the configuration from the engine, and the manifest that we write.

use bytes::Bytes;
use oci_spec::image::MediaType;
use serde::Deserialize;
use serde_json::json;

use super::dedupe;
use cutover_oci::image::Annotations;
use cutover_oci::registry::Blob;
use cutover_rollout::model::Digest;

/// The members of a configuration that are used here.
#[derive(Deserialize)]
struct Config {
    created: Option<String>,
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// Returns the DiffIDs of a configuration; `None` if the document is not a configuration.
pub(super) fn diff_ids(config: &[u8]) -> Option<Vec<Digest>> {
    serde_json::from_slice::<Config>(config).ok().map(|config| config.rootfs.diff_ids)
}

/// Returns the configuration as a blob, and the manifest over it and `layers`. A creation time that is not
/// among the annotations is taken from the configuration: the same image has the same manifest.
pub(super) fn of(
    config: Bytes,
    layers: &[&dedupe::Blob],
    annotations: &Annotations,
) -> (Blob, Blob) {
    let read = serde_json::from_slice::<Config>(&config).ok();
    let created = annotations.created.or_else(|| read?.created?.parse().ok());
    let annotations = Annotations { created, ..annotations.clone() }.by_key();
    let config = Blob::new(MediaType::ImageConfig.to_string(), config);
    let layers = layers.iter().map(|blob| {
        json!({ "mediaType": blob.codec.media_type(), "digest": blob.digest, "size": blob.size })
    });
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageManifest.to_string(),
        "config": { "mediaType": config.media_type, "digest": config.digest, "size": config.size() },
        "layers": layers.collect::<Vec<_>>(),
    });
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    (config, Blob::new(MediaType::ImageManifest.to_string(), manifest.to_string()))
}
