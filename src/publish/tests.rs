//! ECR and GHCR in the lab: from a name to an image that may be deployed.

use cutover_lab::scenario::Scenario;
use cutover_lab::services::ghcr::{self, Visibility as Visible};
use cutover_lab::services::github;
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;

use super::*;
use crate::rehearse::lab;
use cutover_aws::{Aws, CredentialSource, Settings};
use cutover_net::Net;
use cutover_oci::registry::{Blob, Image};
use cutover_rollout::model::{Digest, Repository, RepositorySettings, ScanPolicy, Severity};

const ECR: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";

/// Returns the lab, a network into it, and the account.
async fn lab() -> (InProcess, Net, Aws) {
    let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let transport = InProcess::new(World::from_scenario(&Scenario::default(), 1, start).unwrap());
    let net = lab::net(&transport);
    let settings = Settings {
        region: Some("ap-northeast-2".to_owned()),
        credentials: CredentialSource::Static {
            key: cutover_lab::services::sts::ACCESS_KEY.to_owned(),
            secret: cutover_lab::services::sts::SECRET_KEY.to_owned(),
            token: None,
        },
        ..Settings::default()
    };
    let cloud = Aws::connect(&net, &settings).await.unwrap();
    (transport, net, cloud)
}

/// Returns an image with one label.
fn image(label: &str, value: &str) -> Image {
    let layer = Blob::new("application/vnd.oci.image.layer.v1.tar", "a layer");
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": { label: value } },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
    });
    let config = Blob::new("application/vnd.oci.image.config.v1+json", config.to_string());
    let describe = |blob: &Blob| json!({ "mediaType": blob.media_type, "digest": blob.digest, "size": blob.size() });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe(&config), "layers": [describe(&layer)],
    });
    let manifest = Blob::new("application/vnd.oci.image.manifest.v1+json", manifest.to_string());
    Image { manifest, config, layers: vec![cutover_oci::image::Layer::Local(layer)], index: None }
}

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|&tag| tag.to_owned()).collect()
}

fn access<'a>(net: &'a Net, cloud: Option<&'a Aws>, logins: &'a Logins) -> RegistryAccess<'a> {
    RegistryAccess { net, cloud, logins }
}

fn in_workflow() -> Logins {
    Logins::of(|name| (name == "GITHUB_TOKEN").then(|| github::GITHUB_TOKEN.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn an_ecr_repository_is_made_where_that_is_wanted_and_its_tags_stay() {
    let (_door, net, cloud) = lab().await;
    let repository: Repository = format!("{ECR}/team/web").parse().unwrap();
    let clock = &net.clock;

    let missing = ensure(&cloud, clock, &repository, None).await.unwrap_err().to_string();
    assert!(missing.contains("image.ecr.create: true"), "{missing}");
    assert!(missing.contains("aws ecr create-repository --region ap-northeast-2"), "{missing}");

    let new = RepositorySettings { immutable: true, scan_on_push: true };
    let made = ensure(&cloud, clock, &repository, Some(&new)).await.unwrap().unwrap();
    assert!(made.created && made.facts.immutable);
    let found = ensure(&cloud, clock, &repository, Some(&new)).await.unwrap().unwrap();
    assert!(!found.created);
    let elsewhere = format!("{}/web", ECR.replace("ap-northeast-2", "eu-west-1")).parse().unwrap();
    assert_eq!(ensure(&cloud, clock, &elsewhere, Some(&new)).await.unwrap(), None);

    let to = access(&net, Some(&cloud), &Logins::default()).connect(&repository).await.unwrap();
    let (first, second) = (image("n", "1"), image("n", "2"));
    let v1 = tags(&["v1"]);
    for _ in 0..2 {
        check_immutable_tags(&to, &found.facts, &v1, first.digest()).await.unwrap();
        to.registry.push(&first, &repository, &v1).await.unwrap();
    }
    let taken = check_immutable_tags(&to, &found.facts, &v1, second.digest())
        .await
        .unwrap_err()
        .to_string();
    assert!(taken.contains("`v1`") && taken.contains(first.digest().short()), "{taken}");
    // Without the check, ECR itself reports it.
    let refused = to.registry.push(&second, &repository, &v1).await.unwrap_err().to_string();
    assert!(refused.contains("immutable") && refused.contains("image.tags"), "{refused}");
    let names = to.registry.manifest_digest(&repository, "v1").await.unwrap();
    assert_eq!(names.as_ref(), Some(first.digest()));
}

#[tokio::test(start_paused = true)]
async fn what_a_scan_finds_or_cannot_tell_refuses_an_image() {
    let (_door, net, cloud) = lab().await;
    let scanned: Repository = format!("{ECR}/scanned").parse().unwrap();
    let unscanned: Repository = format!("{ECR}/unscanned").parse().unwrap();
    for (repository, scan_on_push) in [(&scanned, true), (&unscanned, false)] {
        let new = RepositorySettings { immutable: false, scan_on_push };
        ensure(&cloud, &net.clock, repository, Some(&new)).await.unwrap();
    }
    let gate = ScanPolicy { fail_on: Severity::High, wait: Duration::from_secs(600) };
    let judged = async |repository: &Repository, image: Image, gate: ScanPolicy| {
        let to = access(&net, Some(&cloud), &Logins::default()).connect(repository).await.unwrap();
        to.registry.push(&image, repository, &[]).await.unwrap();
        let digests = [image.digest().clone()];
        let judged = ensure_scanned(&cloud, &net.clock, repository, &digests, &gate).await;
        judged.map_err(|why| why.to_string())
    };
    let bad = judged(&scanned, image("lab.findings", "HIGH:2,LOW:5"), gate).await.unwrap_err();
    assert!(bad.contains("2 high (") && bad.contains("fail_on: high"), "{bad}");
    let good = judged(&scanned, image("lab.findings", "MEDIUM:1"), gate).await.unwrap();
    assert_eq!(good[0].counts, [(Severity::Medium, 1)].into());
    let unable = judged(&scanned, image("lab.scan", "UNSUPPORTED_IMAGE"), gate).await.unwrap_err();
    assert!(unable.contains("UNSUPPORTED_IMAGE"), "{unable}");
    let hasty = ScanPolicy { wait: Duration::from_secs(1), ..gate };
    let late = judged(&scanned, image("n", "3"), hasty).await.unwrap_err();
    assert!(late.contains("did not finish within 1 s"), "{late}");
    let never = judged(&unscanned, image("n", "4"), gate).await.unwrap_err();
    assert!(never.contains("did not start a scan within 600 s"), "{never}");
}

/// ECR's tokens expire after twelve hours: a push that takes longer, or begins with an old one, gets a new
/// one.
#[tokio::test(start_paused = true)]
async fn an_expired_ecr_login_is_renewed() {
    let (_door, net, cloud) = lab().await;
    let repository: Repository = format!("{ECR}/web").parse().unwrap();
    ensure(&cloud, &net.clock, &repository, Some(&RepositorySettings::default())).await.unwrap();
    let to = access(&net, Some(&cloud), &Logins::default()).connect(&repository).await.unwrap();
    to.registry.push(&image("n", "1"), &repository, &tags(&["v1"])).await.unwrap();
    net.clock.sleep(Duration::from_secs(13 * 3600)).await;
    let second = image("n", "2");
    to.registry.push(&second, &repository, &tags(&["v2"])).await.unwrap();
    let names = to.registry.manifest_digest(&repository, "v2").await.unwrap();
    assert_eq!(names.as_ref(), Some(second.digest()));
}

#[tokio::test(start_paused = true)]
async fn ghcr_takes_githubs_token_mounts_and_tells_who_may_pull() {
    let (transport, net, _cloud) = lab().await;
    let repository: Repository = "ghcr.io/acme/web".parse().unwrap();
    let base: Repository = "ghcr.io/acme/base".parse().unwrap();
    let to = access(&net, None, &in_workflow()).connect(&repository).await.unwrap();
    let image = image("n", "1");
    to.registry.push(&image, &base, &[]).await.unwrap();

    // With a token for both repositories: one for the target alone does not cover the source.
    let layer = image.layers[0].digest();
    assert!(!to.registry.has_blob(&repository, layer).await.unwrap());
    assert!(to.registry.mount(&repository, layer, &base).await.unwrap());
    assert!(to.registry.has_blob(&repository, layer).await.unwrap());
    let none = Digest::of(b"none");
    assert!(!to.registry.mount(&repository, &none, &base).await.unwrap());

    to.registry.push(&image, &repository, &tags(&["v1"])).await.unwrap();
    assert_eq!(visibility(&to, image.digest()).await.unwrap(), Visibility::Private);
    let reported = Visibility::Private.reported(&repository, true);
    assert!(
        reported.contains("docker login ghcr.io") && reported.contains("read:packages"),
        "{reported}"
    );
    assert!(transport.world(|world| ghcr::set_visibility(world, "acme/web", Visible::Public)));
    assert_eq!(visibility(&to, image.digest()).await.unwrap(), Visibility::Public);

    // A bearer token expires after some minutes, long before a slow push ends.
    net.clock.sleep(Duration::from_secs(24 * 3600)).await;
    to.registry.push(&image, &repository, &tags(&["v2"])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn missing_ghcr_permissions_are_explained() {
    let (transport, net, _cloud) = lab().await;
    let repository: Repository = "ghcr.io/acme/web".parse().unwrap();
    let none =
        access(&net, None, &Logins::default()).connect(&repository).await.unwrap_err().to_string();
    assert!(none.contains("permissions: packages: write"), "{none}");
    transport.world(|world| {
        let token = world.github.tokens.get_mut(github::GITHUB_TOKEN).unwrap();
        token.packages = github::Level::Read;
    });
    let to = access(&net, None, &in_workflow()).connect(&repository).await.unwrap();
    let refused = to.registry.push(&image("n", "1"), &repository, &[]).await.unwrap_err();
    let reported = refused.to_string();
    assert!(reported.contains("installation not allowed"), "{reported}");
    assert!(reported.contains("permissions: packages: write"), "{reported}");
}
