//! The contents of an image: its labels and its files. Instances read them to know how their program
//! behaves and what it serves.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;

use super::state::State;
use super::store::{Image, Repository, Store};

/// What an instance has to know about the image that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest of the manifest or index that the reference names.
    pub digest: String,
    /// The labels in the image's configuration.
    pub labels: BTreeMap<String, String>,
}

/// GHCR's host in a reference; every other host is ECR's.
const GHCR: &str = "ghcr.io";

/// Returns the image that a reference names: `host/repository@sha256:…`, `host/repository:tag` or both. Looks
/// in GHCR if that is the host, otherwise in ECR.
pub fn image(state: &State, reference: &str) -> Option<ImageFacts> {
    let (host, path) = reference.split_once('/')?;
    let store = if host == GHCR { &state.ghcr } else { &state.ecr };
    let (path, digest) = match path.split_once('@') {
        Some((path, digest)) => (path, Some(digest)),
        None => (path, None),
    };
    let (name, tag) = path.rsplit_once(':').unwrap_or((path, "latest"));
    let repository = store.repositories.get(name)?;
    let (digest, image) = repository.image(digest.unwrap_or(tag))?;
    let labels = labels(store, repository, image)?.clone();
    Some(ImageFacts { digest: digest.to_owned(), labels })
}

/// Returns the labels of an image; for an index, those of the image that would run.
pub(crate) fn labels<'s>(
    store: &Store,
    repository: &'s Repository,
    image: &'s Image,
) -> Option<&'s BTreeMap<String, String>> {
    let runnable = runnable_image(repository, image, 0)?;
    Some(runnable.contents.labels.get_or_init(|| read_labels(store, runnable)))
}

/// Returns the file at `path` in the image whose manifest has `digest`. The last layer that has the file wins.
pub fn file(state: &State, digest: &str, path: &str) -> Option<Bytes> {
    let (store, repository, image) = [&state.ecr, &state.ghcr].into_iter().find_map(|store| {
        let mut all = store.repositories.values();
        all.find_map(|repository| Some((store, repository, repository.images.get(digest)?)))
    })?;
    let runnable = runnable_image(repository, image, 0)?;
    let files = runnable.contents.files.get_or_init(|| read_files(store, runnable));
    files.get(normal(path)).cloned()
}

/// Returns the image to run: the image itself, or for an index its first image with a known platform.
/// Attestations have the platform `unknown`.
fn runnable_image<'r>(
    repository: &'r Repository,
    image: &'r Image,
    depth: usize,
) -> Option<&'r Image> {
    let json = json(&image.manifest)?;
    let Some(manifests) = json["manifests"].as_array() else { return Some(image) };
    let chosen = manifests.iter().find(|item| item["platform"]["os"] != "unknown")?;
    let chosen = repository.images.get(chosen["digest"].as_str()?)?;
    // An index may name indexes, but nobody nests them deeper than this.
    if depth < 3 { runnable_image(repository, chosen, depth + 1) } else { None }
}

fn read_labels(store: &Store, image: &Image) -> BTreeMap<String, String> {
    let labels = || {
        let manifest = json(&image.manifest)?;
        let config = json(store.blobs.get(manifest["config"]["digest"].as_str()?)?)?;
        let labels = config["config"]["Labels"].as_object()?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        Some(labels.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
    };
    labels().unwrap_or_default()
}

/// Reads the regular files of all layers. A layer that is neither tar nor gzipped tar (such as zstd) has none.
fn read_files(store: &Store, image: &Image) -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    let manifest = json(&image.manifest).unwrap_or_default();
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        if let Some(bytes) = layer["digest"].as_str().and_then(|digest| store.blobs.get(digest)) {
            let plain = unpacked(bytes);
            // A corrupt layer still contributes the files before the corruption.
            let _ = apply_layer(&mut files, &plain);
        }
    }
    files
}

fn apply_layer(files: &mut BTreeMap<String, Bytes>, tar: &[u8]) -> std::io::Result<()> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let path = normal(&path).to_owned();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        // Whiteouts remove what earlier layers have (OCI image specification, "Layers").
        if name == ".wh..wh..opq" {
            remove(files, folder);
        } else if let Some(gone) = name.strip_prefix(".wh.") {
            remove(files, normal(&format!("{folder}/{gone}")));
        } else if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.insert(path, bytes.into());
        }
    }
    Ok(())
}

/// Removes a file, or a folder with everything below it.
fn remove(files: &mut BTreeMap<String, Bytes>, path: &str) {
    let below = if path.is_empty() { String::new() } else { format!("{path}/") };
    files.retain(|file, _| file != path && !file.starts_with(&below));
}

fn unpacked(layer: &Bytes) -> Bytes {
    if !layer.starts_with(&[0x1f, 0x8b]) {
        return layer.clone();
    }
    let mut plain = Vec::new();
    let _ = MultiGzDecoder::new(layer.as_ref()).read_to_end(&mut plain);
    plain.into()
}

/// Returns a path without leading `./` or `/`, and without trailing `/`.
fn normal(path: &str) -> &str {
    path.trim_start_matches("./").trim_matches('/')
}

fn json(bytes: &[u8]) -> Option<Json> {
    serde_json::from_slice(bytes).ok()
}
