//! Images assembled without a container engine on base images built elsewhere: against Docker's
//! registry, created and read back with skopeo.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // test helpers do not count as tests

mod support {
    pub(crate) mod registry;
}

use std::fs;
use std::path::Path;

use cutover_oci::image::base::{self, BaseError};
use cutover_oci::image::{
    Annotations, Assembly, Bases, FileMapping, Image, Layer, Platform, assemble,
};
use cutover_oci::registry::{Credentials, Registry};
use cutover_rollout::model::{Digest, ImageReference, Repository};
use serde_json::Value;
use support::registry::{Served, skopeo};

fn platforms() -> Vec<Platform> {
    ["linux/amd64", "linux/arm64"].map(|name| name.parse().unwrap()).to_vec()
}

/// Assembles a base image: a file for all platforms, and a large one that differs between them.
fn base_image(folder: &Path) -> Image {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("passwd", b"root:x:0:0::/:/bin/sh\n");
    for (n, name) in ["amd64", "arm64"].into_iter().enumerate() {
        let noise =
            (0..100_000_u32).flat_map(|i| (i ^ n as u32).wrapping_mul(2_654_435_761).to_le_bytes());
        write(name, &noise.collect::<Vec<u8>>());
    }
    let only = |name: &str| FileMapping {
        platform: Some(format!("linux/{name}").parse().unwrap()),
        ..FileMapping::new(name, "/opt/tool")
    };
    let assembly = Assembly {
        files: vec![FileMapping::new("passwd", "/etc/"), only("amd64"), only("arm64")],
        entrypoint: Some(vec!["/opt/tool".to_owned()]),
        cmd: Some(vec!["--help".to_owned()]),
        env: [("PATH".to_owned(), "/usr/bin".to_owned()), ("LANG".to_owned(), "C".to_owned())]
            .into(),
        platforms: platforms(),
        ..Assembly::default()
    };
    assemble(&assembly, folder, &Bases::default(), &Annotations::default()).unwrap()
}

/// Pushes a base image in Docker's format to `path`; returns references to the index, and to the
/// amd64 image alone.
async fn serve_base(served: &Served, path: &str) -> (ImageReference, ImageReference) {
    let repository = served.repository_at(path);
    let registry = served.registry(Credentials::Anonymous);
    let (image, made) = (base_image(served.folder.path()), served.repository_at("made/here"));
    registry.push(&image, &made, &["all".to_owned()]).await.unwrap();
    let from = format!("docker://{made}:all");
    let plain = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let copy = |rest: &[&str], tag: &str| {
        skopeo(&[&plain[..], rest, &[&from, &format!("docker://{repository}:{tag}")]].concat());
        let name = format!("docker://{repository}:{tag}");
        let digest = skopeo(&["inspect", "--tls-verify=false", "--raw", &name]);
        let digest = Digest::of(digest.as_bytes());
        ImageReference { repository: repository.clone(), digest }
    };
    (
        copy(&["--all", "--format=v2s2"], "all"),
        copy(&["--override-arch=amd64", "--format=v2s2"], "one"),
    )
}

fn site(folder: &Path, base: &ImageReference, platforms: Vec<Platform>) -> Assembly {
    fs::create_dir_all(folder.join("www")).unwrap();
    fs::write(folder.join("www/index.html"), "<h1>오늘의 소식</h1>").unwrap();
    let www = FileMapping {
        owner: Some("1000:1001".parse().unwrap()),
        mode: Some("0640".parse().unwrap()),
        ..FileMapping::new("www", "/srv/www")
    };
    Assembly {
        files: vec![www],
        base: Some(base.clone()),
        cmd: Some(vec!["/srv/www".to_owned()]),
        env: [("LANG".to_owned(), "ko_KR.UTF-8".to_owned())].into(),
        platforms,
        ..Assembly::default()
    }
}

async fn made(registry: &Registry, folder: &Path, assembly: &Assembly) -> Image {
    let base = assembly.base.as_ref().unwrap();
    let bases = base::read(registry, base, assembly.all_platforms()).await.unwrap();
    let annotations = Annotations {
        source: Some("https://github.com/acme/news".to_owned()),
        revision: Some("1a2b3c".to_owned()),
        created: Some("2026-01-05T09:00:00Z".parse().unwrap()),
    };
    let image = assemble(assembly, folder, &bases, &annotations).unwrap();
    assert_eq!(image, assemble(assembly, folder, &bases, &annotations).unwrap());
    image
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn inspect(repository: &Repository, reference: &str, how: &str) -> Value {
    let name = format!("docker://{repository}{reference}");
    json(&skopeo(&["inspect", "--tls-verify=false", how, &name]))
}

/// Returns every layer that `skopeo copy` downloads, in the manifest's order; skopeo verifies them
/// all.
fn copied(folder: &Path, reference: &str) -> Vec<Vec<u8>> {
    let place = folder.join(format!("copy-{}", Digest::of(reference.as_bytes()).short()));
    let to = format!("dir:{}", place.display());
    skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{reference}"), &to]);
    let manifest = json(&fs::read_to_string(place.join("manifest.json")).unwrap());
    let layers = manifest["layers"].as_array().unwrap();
    let blob = |layer: &Value| {
        fs::read(place.join(layer["digest"].as_str().unwrap().trim_start_matches("sha256:")))
            .unwrap()
    };
    layers.iter().map(blob).collect()
}

#[tokio::test]
async fn a_base_in_the_same_registry_is_mounted() {
    let Some(served) = Served::start(None).await else { return };
    let registry = served.registry(Credentials::Anonymous);
    let (_, base) = serve_base(&served, "library/base").await;
    let kind = inspect(&base.repository, ":one", "--raw")["mediaType"].clone();
    assert_eq!(kind, "application/vnd.docker.distribution.manifest.v2+json");

    let repository = served.repository_at("team/news");
    let image =
        made(&registry, served.folder.path(), &site(served.folder.path(), &base, Vec::new())).await;
    let pushed = registry.push(&image, &repository, &["v2".to_owned()]).await.unwrap();
    assert_eq!((pushed.uploaded, pushed.existed), (2, 1), "{pushed:?}");
    assert!(pushed.uploaded_bytes < 10_000, "{pushed:?}");

    let layers = copied(served.folder.path(), &pushed.reference.to_string());
    let Layer::Local(own) = &image.layers[1] else { panic!("the last layer is assembled here") };
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[0], copied(served.folder.path(), &base.to_string())[0]);
    assert_eq!(layers[1], own.bytes);

    let raw = inspect(&repository, ":v2", "--raw");
    assert_eq!(raw["annotations"]["org.opencontainers.image.revision"], "1a2b3c");
    assert_eq!(raw["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let config = inspect(&repository, ":v2", "--config");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/opt/tool"]));
    assert_eq!(config["config"]["Cmd"], serde_json::json!(["/srv/www"]));
    assert_eq!(config["config"]["Env"], serde_json::json!(["LANG=ko_KR.UTF-8", "PATH=/usr/bin"]));
    assert_eq!(config["created"], "2026-01-05T09:00:00Z");
}

#[tokio::test]
async fn a_base_in_another_registry_is_copied() {
    let Some(here) = Served::start(None).await else { return };
    let Some(there) = Served::start(None).await else { return };
    let (target, source) =
        (here.registry(Credentials::Anonymous), there.registry(Credentials::Anonymous));
    let (_, base) = serve_base(&there, "library/base").await;
    let assembly = site(here.folder.path(), &base, Vec::new());
    let image = made(&source, here.folder.path(), &assembly).await;
    let repository = here.repository_at("team/news");

    let pushed = target.push_from(&source, &image, &repository, &[]).await.unwrap();
    assert_eq!((pushed.uploaded, pushed.existed), (3, 0), "{pushed:?}");
    let layers = copied(here.folder.path(), &pushed.reference.to_string());
    assert_eq!(layers[0], copied(there.folder.path(), &base.to_string())[0]);
    let again = target.push_from(&source, &image, &repository, &[]).await.unwrap();
    assert_eq!((again.uploaded_bytes, again.existed), (0, 3));

    // The image does not depend on the registry that its base came from.
    let (_, twin) = serve_base(&here, "library/base").await;
    let twin =
        made(&target, here.folder.path(), &site(here.folder.path(), &twin, Vec::new())).await;
    assert_eq!(twin.digest(), image.digest());
}

#[tokio::test]
async fn several_platforms_are_an_index_over_one_image_each() {
    let Some(served) = Served::start(None).await else { return };
    let registry = served.registry(Credentials::Anonymous);
    let (base, one) = serve_base(&served, "library/base").await;
    let repository = served.repository_at("team/news");
    let image =
        made(&registry, served.folder.path(), &site(served.folder.path(), &base, platforms()))
            .await;
    let pushed = registry.push(&image, &repository, &["v2".to_owned()]).await.unwrap();
    assert_eq!(pushed.reference.digest, *image.digest());

    let index = inspect(&repository, ":v2", "--raw");
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index["annotations"]["org.opencontainers.image.revision"], "1a2b3c");
    assert_eq!(index["manifests"][0]["digest"], image.digest().as_str());
    assert_eq!(index["manifests"][1]["platform"]["architecture"], "arm64");
    for (entry, platform) in index["manifests"].as_array().unwrap().iter().zip(["amd64", "arm64"]) {
        let digest = format!("@{}", entry["digest"].as_str().unwrap());
        assert_eq!(inspect(&repository, &digest, "--config")["architecture"], platform);
        assert_eq!(copied(served.folder.path(), &format!("{repository}{digest}")).len(), 2);
    }
    let all = format!("oci:{}", served.folder.path().join("all").display());
    let from = format!("docker://{repository}:v2");
    skopeo(&["copy", "--all", "--src-tls-verify=false", &from, &all]);

    let again = registry.push(&image, &repository, &["v2".to_owned()]).await.unwrap();
    assert_eq!(again.uploaded_bytes, 0);

    for (base, there) in [(&base, "linux/amd64, linux/arm64"), (&one, "linux/amd64")] {
        let missing = base::read(&registry, base, &["linux/s390x".parse().unwrap()]).await;
        let error = missing.unwrap_err();
        assert!(matches!(error, BaseError::Platform { .. }), "{error}");
        assert!(error.to_string().contains(&format!("it supports {there}.")), "{error}");
    }
}
