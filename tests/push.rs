//! What an engine exports is what others pull from every registry, whatever the export's format,
//! and nothing corrupt is ever tagged: against Docker's registry, read back with skopeo.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

mod support {
    pub(crate) mod registry;
}

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write as _};
use std::sync::Mutex;

use cutover::publish::{Destination, ImageContent, ImagePush, LayerCache, PublishError, Published};
use cutover_docker::from_export;
use cutover_oci::image::{Annotations, Codec};
use cutover_oci::registry::Credentials;
use cutover_rollout::model::{Digest, LayerProgress, LayerState};
use serde_json::{Value, json};
use support::registry::{Served, skopeo};

/// Returns a layer's archive: one file with compressible content.
fn layer(name: &str, size: u32) -> Vec<u8> {
    let content: Vec<u8> = (0..size).flat_map(|n| (n / 5).to_le_bytes()).collect();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, &content[..]).unwrap();
    archive.into_inner().unwrap()
}

/// An image as an engine stores it.
struct Image {
    layers: Vec<Vec<u8>>,
    config: Vec<u8>,
}

/// The format of an engine's export.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Docker up to 24: a folder for each layer, in any order.
    Old,
    /// Docker from 25: an OCI layout.
    New,
    /// containerd's store: an OCI layout with layers as they were pulled.
    Compressed(Codec),
    /// Podman: layers named by their DiffIDs.
    Podman,
}

impl Image {
    fn of(layers: &[Vec<u8>]) -> Image {
        let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::of(layer)).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/bin/news"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        Image { layers: layers.to_vec(), config: config.to_string().into() }
    }

    fn content(&self) -> ImageContent {
        let diff_ids = self.layers.iter().map(|layer| Digest::of(layer)).collect();
        ImageContent { id: Digest::of(&self.config), config: None, diff_ids }
    }

    fn export(&self, form: Form) -> Vec<u8> {
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", &Digest::of(bytes).as_str()[7..]);
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (number, layer) in self.layers.iter().enumerate().rev() {
            match form {
                Form::Old => files.push((format!("{number}/layer.tar"), layer.clone())),
                Form::New => files.push((blob(layer), layer.clone())),
                Form::Podman => {
                    files
                        .push((format!("{}.tar", &Digest::of(layer).as_str()[7..]), layer.clone()));
                }
                Form::Compressed(Codec::Gzip) => {
                    let mut packed =
                        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    packed.write_all(layer).unwrap();
                    let packed = packed.finish().unwrap();
                    files.push((blob(&packed), packed));
                }
                Form::Compressed(Codec::Zstd) => {
                    let packed = zstd::encode_all(&layer[..], 1).unwrap();
                    files.push((blob(&packed), packed));
                }
            }
        }
        match form {
            Form::Old | Form::Podman => files.push(("c0ffee.json".to_owned(), self.config.clone())),
            Form::New | Form::Compressed(_) => {
                files.insert(1, (blob(&self.config), self.config.clone()));
            }
        }
        files.push(("manifest.json".to_owned(), b"[{}]".to_vec()));
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, &content[..]).unwrap();
        }
        archive.into_inner().unwrap()
    }
}

/// Pushes an image; returns the result and what happened to its layers. Without an `export` the
/// push must not ask for one.
async fn push(
    image: &Image,
    export: Option<Vec<u8>>,
    to: &[&Served],
    (memory, codec): (&LayerCache, Codec),
) -> (Result<Published, PublishError>, Vec<LayerState>) {
    let destinations: Vec<_> = to.iter().map(|served| destination(served)).collect();
    let reported = Mutex::new(Vec::new());
    let push = ImagePush {
        destinations: &destinations,
        cache: memory,
        prior_tags: &[],
        codec,
        annotations: &Annotations { revision: Some("1a2b3c".to_owned()), ..Annotations::default() },
        emit: &|LayerProgress { state, .. }| {
            if !matches!(state, LayerState::Packing { .. }) {
                reported.lock().unwrap().push(state);
            }
        },
    };
    let open = |_: BTreeSet<Digest>| from_export(Cursor::new(export.unwrap()));
    let published = push.image(&image.content(), open).await;
    if let Ok(published) = &published {
        for Destination { repository, registry } in &destinations {
            registry.tag(repository, &published.digest, &["v1".to_owned()]).await.unwrap();
        }
    }
    (published, reported.into_inner().unwrap())
}

fn destination(served: &Served) -> Destination {
    let registry = served.registry(Credentials::Anonymous);
    Destination { repository: served.repository(), registry }
}

fn memory(served: &Served) -> LayerCache {
    LayerCache::at(served.folder.path().join("memory"))
}

/// Returns what skopeo pulls: the manifest, and the content of each layer.
fn pulled(served: &Served) -> (Value, Vec<Vec<u8>>) {
    let copy = tempfile::tempdir().unwrap();
    let (from, to) = (format!("docker://{}:v1", served.repository()), copy.path().display());
    skopeo(&["copy", "--src-tls-verify=false", &from, &format!("dir:{to}")]);
    let read = |name: &str| std::fs::read(copy.path().join(name)).unwrap();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| {
        let blob = read(layer["digest"].as_str().unwrap().trim_start_matches("sha256:"));
        assert_eq!(layer["size"], blob.len());
        let mut plain = Vec::new();
        match Codec::of(&blob).unwrap() {
            Codec::Gzip => {
                flate2::read::MultiGzDecoder::new(&blob[..]).read_to_end(&mut plain).unwrap();
            }
            Codec::Zstd => plain = zstd::decode_all(&blob[..]).unwrap(),
        }
        plain
    });
    let layers = layers.collect();
    (manifest, layers)
}

fn news() -> Image {
    Image::of(&[layer("etc/os", 400_000), layer("usr/bin/news", 900_000), layer("srv/index", 10)])
}

#[tokio::test]
async fn every_export_format_gives_the_same_image_in_both_registries() {
    let image = news();
    for (form, codec) in [
        (Form::Old, Codec::Gzip),
        (Form::New, Codec::Zstd),
        (Form::Compressed(Codec::Gzip), Codec::Zstd),
        (Form::Compressed(Codec::Zstd), Codec::Gzip),
        (Form::Podman, Codec::Gzip),
        (Form::New, Codec::Gzip),
    ] {
        // Empty registries: layers of other images there would be reused.
        let Some(one) = Served::start(None).await else { return };
        let Some(two) = Served::start(None).await else { return };
        let memory = LayerCache::of_user(|_| None);
        let export = Some(image.export(form));
        let (published, _) = push(&image, export, &[&one, &two], (&memory, codec)).await;
        let published = published.unwrap();
        for served in [&one, &two] {
            let (manifest, layers) = pulled(served);
            assert!(layers == image.layers, "{form:?}");
            assert_eq!(manifest["config"]["digest"], Digest::of(&image.config).as_str());
            assert_eq!(manifest["annotations"]["org.opencontainers.image.revision"], "1a2b3c");
            let kind = if let Form::Compressed(kind) = form { kind } else { codec };
            assert_eq!(manifest["layers"][0]["mediaType"], kind.media_type());
            let Destination { repository, registry } = destination(served);
            let tagged = registry.manifest_digest(&repository, "v1").await.unwrap();
            assert_eq!(tagged, Some(published.digest.clone()));
        }
    }
}

#[tokio::test]
async fn known_layers_are_neither_exported_nor_sent() {
    let Some(one) = Served::start(None).await else { return };
    let (memory, image) = (memory(&one), news());
    let known = (&memory, Codec::Gzip);
    let export = Some(image.export(Form::Old));
    let (first, reported) = push(&image, export, &[&one], known).await;
    let first = first.unwrap();
    assert_eq!((first.sent, first.layers), (3, 3));
    assert_eq!(reported.iter().filter(|s| matches!(s, LayerState::Uploaded { .. })).count(), 3);

    // The same image again: nothing is exported.
    let (again, reported) = push(&image, None, &[&one], known).await;
    assert_eq!(again.unwrap(), Published { sent: 0, uploaded: [].into(), ..first });
    assert!(
        reported.iter().all(|state| matches!(state, LayerState::Exists { .. })),
        "{reported:?}"
    );

    // One more layer: only that one is sent, whether the export's format names layers or not.
    for form in [Form::Old, Form::New] {
        let mut layers = image.layers.clone();
        layers.push(layer(&format!("srv/{form:?}"), 1000));
        let newer = Image::of(&layers);
        let export = Some(newer.export(form));
        let (published, reported) = push(&newer, export, &[&one], known).await;
        assert_eq!(published.unwrap().sent, 1, "{form:?}");
        let sent = reported.iter().filter(|s| matches!(s, LayerState::Uploaded { .. })).count();
        assert_eq!(sent, 1, "{form:?}: {reported:?}");
        assert!(pulled(&one).1 == newer.layers);
    }

    // A second registry lacks every layer, and gets the same image.
    let Some(two) = Served::start(None).await else { return };
    let export = Some(image.export(Form::New));
    let (published, _) = push(&image, export, &[&one, &two], known).await;
    assert_eq!(published.unwrap().digest, pushed_as(&one, &image, known).await);
    assert!(pulled(&two).1 == image.layers);
}

#[tokio::test]
async fn a_machine_without_a_cache_learns_from_the_registry() {
    let Some(one) = Served::start(None).await else { return };
    let image = news();
    let fresh = || tempfile::tempdir().unwrap();
    let export = Some(image.export(Form::New));
    let first = push(&image, export, &[&one], (&LayerCache::at(fresh().path()), Codec::Gzip)).await;

    // Even the configuration is in the registry: nothing is exported.
    let (again, _) =
        push(&image, None, &[&one], (&LayerCache::at(fresh().path()), Codec::Gzip)).await;
    assert_eq!(again.unwrap(), Published { sent: 0, uploaded: [].into(), ..first.0.unwrap() });

    let mut layers = image.layers.clone();
    layers[2] = layer("srv/index", 11);
    let newer = Image::of(&layers);
    let export = Some(newer.export(Form::Old));
    let known = (&LayerCache::at(fresh().path()), Codec::Gzip);
    let (published, reported) = push(&newer, export, &[&one], known).await;
    assert_eq!(published.unwrap().sent, 1, "{reported:?}");
    assert!(pulled(&one).1 == newer.layers);
}

#[tokio::test]
async fn layers_in_another_repository_are_mounted() {
    let Some(one) = Served::start(None).await else { return };
    let (memory, image) = (memory(&one), news());
    let export = Some(image.export(Form::New));
    push(&image, export, &[&one], (&memory, Codec::Gzip)).await.0.unwrap();

    let other = Destination { repository: one.repository_at("team/shop"), ..destination(&one) };
    let reported = Mutex::new(Vec::new());
    let push = ImagePush {
        destinations: std::slice::from_ref(&other),
        cache: &memory,
        prior_tags: &[],
        codec: Codec::Gzip,
        annotations: &Annotations::default(),
        emit: &|progress| reported.lock().unwrap().push(progress.state),
    };
    let published =
        push.image(&image.content(), |_| panic!("every layer can be mounted")).await.unwrap();
    assert_eq!((published.sent, published.layers), (0, 3));
    let reported = reported.lock().unwrap();
    assert!(reported.iter().all(|s| matches!(s, LayerState::Mounted { .. })), "{reported:?}");
}

async fn pushed_as(served: &Served, image: &Image, known: (&LayerCache, Codec)) -> Digest {
    push(image, None, &[served], known).await.0.unwrap().digest
}

#[tokio::test]
async fn nothing_corrupt_is_tagged() {
    let Some(one) = Served::start(None).await else { return };
    let image = news();
    let forgetful = LayerCache::of_user(|_| None);
    let whole = image.export(Form::Old);
    let cut = whole[..whole.len() / 2].to_vec();
    let mut corrupt = Image::of(&image.layers);
    corrupt.layers[1][5000] ^= 1;
    let mut short = Image::of(&image.layers);
    short.layers.pop();
    let mut nameless = Image::of(&image.layers);
    nameless.config = b"{\"other\":1}".to_vec();
    for (what, export) in [
        ("cut off", cut),
        ("corrupt", corrupt.export(Form::Old)),
        ("corrupt", corrupt.export(Form::Compressed(Codec::Gzip))),
        ("a layer is missing", short.export(Form::New)),
        ("another configuration", nameless.export(Form::New)),
    ] {
        let (refused, _) = push(&image, Some(export), &[&one], (&forgetful, Codec::Gzip)).await;
        let refused = refused.expect_err(what);
        let destination = destination(&one);
        let tagged = destination.registry.manifest_digest(&one.repository(), "v1").await.unwrap();
        assert_eq!(tagged, None, "{what}: {refused}");
    }
}

#[tokio::test]
async fn attached_artifacts_are_found_by_the_images_digest() {
    use cutover_oci::registry::Blob;

    let Some(one) = Served::start(None).await else { return };
    let image = news();
    let (published, _) =
        push(&image, Some(image.export(Form::New)), &[&one], (&memory(&one), Codec::Gzip)).await;
    let digest = published.unwrap().digest;
    let Destination { repository, registry } = destination(&one);
    let subject = registry.manifest(&repository, digest.as_str()).await.unwrap().unwrap();
    let bill = Blob::new("application/spdx+json", r#"{"spdxVersion":"SPDX-2.3"}"#);
    let source = Blob::new("application/vnd.in-toto+json", r#"{"_type":"x"}"#);
    for artifact in [&bill, &source, &bill] {
        registry.attach(&repository, &subject, artifact).await.unwrap();
    }
    // This registry has no referrers API: the list is a tag.
    let list = format!("docker://{repository}:{}", digest.as_str().replace(':', "-"));
    let list: Value =
        serde_json::from_str(&skopeo(&["inspect", "--raw", "--tls-verify=false", &list])).unwrap();
    let kinds: Vec<_> =
        list["manifests"].as_array().unwrap().iter().map(|m| m["artifactType"].clone()).collect();
    assert_eq!(kinds, ["application/spdx+json", "application/vnd.in-toto+json"]);
    let manifest = list["manifests"][0]["digest"].as_str().unwrap();
    let attached = registry.manifest(&repository, manifest).await.unwrap().unwrap();
    let attached: Value = serde_json::from_slice(&attached.bytes).unwrap();
    assert_eq!(attached["subject"]["digest"], digest.as_str());
    assert_eq!(attached["layers"][0]["digest"], bill.digest.as_str());
}
