//! What a push needs beyond images assembled from files: layers of earlier images, for an image
//! built by an engine, and a base image in ECR.

use std::collections::BTreeSet;
use std::fs;

use cutover_lab::scenario::{ImageFiles, JobSpec, Scenario};
use cutover_lab::services::iam::CheckedActions;
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;

use super::{give, identity, printed, without};
use crate::iam::Policy;
use crate::publish::{
    Destination, ImageContent, ImagePush, LayerCache, Logins, RegistryAccess, push_assembled,
    read_bases,
};
use crate::rehearse::demo::{CANARY, START};
use crate::rehearse::lab;
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_oci::image::{Annotations, Codec, assemble};
use cutover_rollout::model::{Digest, Repository};

const ECR: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";

/// Returns a world with a job in the environment production and an image `base:v1`.
fn world() -> World {
    let job = JobSpec { environment: Some("production".to_owned()), ..JobSpec::default() };
    let scenario = Scenario { job, ..Scenario::default() };
    let mut world = World::from_scenario(&scenario, 1, START.parse().unwrap()).unwrap();
    base(&mut world);
    world
}

/// Stores the base image and returns its digest.
fn base(world: &mut World) -> String {
    ImageFiles::news_site().store(&mut world.registry, "base", "v1").unwrap()
}

/// Returns the example's configuration with another image.
fn config(image: &str) -> Config {
    let (before, rest) = CANARY.split_once("image:").unwrap();
    let (_, after) = rest.split_once("\ntemplate:").unwrap();
    let text = format!("{before}image:\n{image}\ntemplate:{after}");
    cutover_config::parse(&text, "cutover.yaml").unwrap()
}

/// Runs `work` as the deploy role with this policy; returns its result and the actions that were
/// denied.
async fn as_role<T>(
    config: &Config,
    policy: &Policy,
    work: impl AsyncFnOnce(cutover_net::Net, Aws) -> T,
) -> (T, BTreeSet<String>) {
    let mut world = world();
    give(&mut world, policy);
    world.iam.checked_actions = CheckedActions::default();
    let settings = identity(config, &world);
    let transport = InProcess::new(world);
    let net = lab::net(&transport);
    let cloud = Box::pin(Aws::connect(&net, &settings)).await.unwrap();
    let came = Box::pin(work(net, cloud)).await;
    (came, transport.world(|world| world.iam.checked_actions.denied.clone()))
}

fn news() -> Repository {
    format!("{ECR}/news").parse().unwrap()
}

async fn destination(net: &cutover_net::Net, cloud: &Aws) -> Destination {
    let access = RegistryAccess { net, cloud: Some(cloud), logins: &Logins::default() };
    access.connect(&news()).await.unwrap()
}

/// Reads the contents of the image `news:v1` as the account's user.
async fn content(config: &Config) -> ImageContent {
    let net = lab::net(&InProcess::new(world()));
    let cloud = Aws::connect(&net, &lab::settings(config)).await.unwrap();
    let from = destination(&net, &cloud).await;
    let manifest = from.registry.manifest(&news(), "v1").await.unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let id: Digest = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
    let size = manifest["config"]["size"].as_u64().unwrap();
    let bytes = from.registry.blob(&news(), &id, size).await.unwrap();
    let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let diff_ids = read["rootfs"]["diff_ids"].as_array().unwrap();
    let diff_ids = diff_ids.iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    ImageContent { id, config: Some(bytes), diff_ids }
}

/// Whether a push, on a machine that has never pushed, finds all layers in an earlier image.
async fn finds_layers(
    config: &Config,
    policy: &Policy,
    content: &ImageContent,
) -> (bool, BTreeSet<String>) {
    as_role(config, policy, async |net, cloud| {
        let folder = tempfile::tempdir().unwrap();
        let push = ImagePush {
            destinations: &[destination(&net, &cloud).await],
            cache: &LayerCache::at(folder.path()),
            prior_tags: &[],
            codec: Codec::Gzip,
            annotations: &Annotations::default(),
            emit: &|_| (),
        };
        // The engine provides no layer: a push that needs one has not found it.
        push.image(content, |_| tokio::sync::mpsc::channel(1).1).await.is_ok()
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_build_finds_layers_of_earlier_images() {
    let config = config(&format!("  build: {{}}\n  push: [{ECR}/news]"));
    let policy = printed(&config, &world()).await;
    let content = content(&config).await;
    assert_eq!(finds_layers(&config, &policy, &content).await, (true, BTreeSet::new()));
    for action in ["ecr:ListImages", "ecr:GetDownloadUrlForLayer"] {
        let lesser = without(&policy, "Push", action);
        assert_ne!(lesser, policy, "{action} is not printed");
        let denied = BTreeSet::from([action.to_owned()]);
        assert_eq!(finds_layers(&config, &lesser, &content).await, (false, denied));
    }
}

#[tokio::test(start_paused = true)]
async fn a_base_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page"), "a page").unwrap();
    let digest = base(&mut world());
    let config = config(&format!(
        "  base: {ECR}/base@{digest}\n  files: [{{ from: page, to: /srv/www/page }}]\n  push: [{ECR}/news]"
    ));
    let policy = printed(&config, &world()).await;
    let pushed = async |policy: &Policy| {
        as_role(&config, policy, async |net, cloud| {
            let logins = Logins::default();
            let access = RegistryAccess { net: &net, cloud: Some(&cloud), logins: &logins };
            let assembly = config.image.assembly.as_ref().unwrap();
            let bases = read_bases(access, assembly).await.map_err(|error| error.to_string())?;
            let image = assemble(assembly, folder.path(), &bases, &Annotations::default()).unwrap();
            let to = destination(&net, &cloud).await;
            let pushed =
                push_assembled(access, &image, &to).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(pushed.uploaded > 0)
        })
        .await
    };
    assert_eq!(pushed(&policy).await, (Ok(true), BTreeSet::new()));
    for action in ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] {
        let lesser = without(&policy, "Base", action);
        assert_ne!(lesser, policy, "{action} is not printed");
        let (came, denied) = pushed(&lesser).await;
        assert!(came.unwrap_err().contains(action) && denied.contains(action));
    }
}
