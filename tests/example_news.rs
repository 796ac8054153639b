//! `examples/news` fits the lab's default world: its configuration is read, its image assembled and
//! pushed with ECR's login, and the live version's user data pinned to it, all through the SDK.
#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use std::path::Path;

use cutover_aws::{Aws, Change, CredentialSource, Settings, UserData};
use cutover_lab::scenario::Scenario;
use cutover_lab::services::{registry, sts};
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;
use cutover_net::{Clock, Net, Transport};
use cutover_oci::image::{Annotations, Assembly, Bases, FileMapping, Image, Platform, assemble};
use cutover_oci::registry::{Credentials, Registry};
use cutover_rollout::template::{UserDataSource, digest_occurrences, pin};

const START: &str = "2026-01-05T09:00:00Z";

fn example() -> cutover_config::Config {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/news");
    cutover_config::load(&folder.join("cutover.yaml")).unwrap_or_else(|error| panic!("{error}"))
}

fn image(config: &cutover_config::Config) -> Image {
    let (_, wanted) = config.assembly().unwrap();
    let files = wanted.files.iter();
    let assembly = Assembly {
        files: files.map(|f| FileMapping::new(&f.from, &f.to)).collect(),
        cmd: wanted.cmd.clone(),
        labels: wanted.labels.clone(),
        ..Assembly::default()
    };
    assemble(&assembly, &config.directory, &Bases::default(), &Annotations::default()).unwrap()
}

async fn connect(transport: &InProcess) -> (Net, Aws) {
    let clock = Clock::virtual_from(START.parse().unwrap());
    let net = Net { transport: Transport::from_service(transport.clone()), clock };
    let credentials = CredentialSource::Static {
        key: sts::ACCESS_KEY.to_owned(),
        secret: sts::SECRET_KEY.to_owned(),
        token: None,
    };
    let settings = Settings {
        region: Some("ap-northeast-2".to_owned()),
        account: Some("123456789012".to_owned()),
        role: None,
        service: "news".to_owned(),
        credentials,
        endpoint: None,
    };
    let cloud = Aws::connect(&net, &settings).await.unwrap();
    (net, cloud)
}

#[tokio::test(start_paused = true)]
async fn the_example_is_pushed_and_pinned_in_the_default_world() {
    let world = World::from_scenario(&Scenario::default(), 7, START.parse().unwrap()).unwrap();
    let transport = InProcess::new(world);
    let (net, cloud) = connect(&transport).await;
    let config = example();
    let (repository, _) = config.assembly().unwrap();
    let image = image(&config);

    let login = cloud.login().await.unwrap();
    let credentials = Credentials::Basic { user: login.user, password: login.password };
    let ecr = Registry::new(net, login.endpoint.parse().unwrap(), credentials);
    let pushed = ecr.push(&image, repository, &[]).await.unwrap();
    assert_eq!(pushed.uploaded, 2);
    assert_eq!(ecr.push(&image, repository, &[]).await.unwrap().uploaded_bytes, 0);
    assert!(cloud.image_exists(repository.path(), image.digest()).await.unwrap());

    let reference = pushed.reference.to_string();
    let facts = transport.world(|world| registry::image(&world.registry, &reference)).unwrap();
    assert_eq!(facts.labels["lab.version"], "v2");
    let page = transport.world(|world| {
        registry::file(&world.registry, image.digest().as_str(), "srv/www/posts/weights.html")
    });
    assert!(String::from_utf8_lossy(&page.unwrap()).contains("10, 50, 100"));

    let template = cloud.template("news").await.unwrap().unwrap();
    let live = cloud.version(&template.id, 1).await.unwrap().unwrap();
    let UserData::Bytes(bytes) = live.user_data else { panic!("no user data") };
    let base = base64(&bytes);
    let pinned = pin(&UserDataSource::Rewrite, Some(&base), &pushed.reference).unwrap();
    assert_eq!(pinned.digest_count, 1);
    let made = cloud.create_version(&template.id, 1, &pinned.base64, "second edition", "t").await;
    let Change::Done(number) = made else { panic!("{made:?}") };
    let version = cloud.version(&template.id, number).await.unwrap().unwrap();
    let UserData::Bytes(bytes) = version.user_data else { panic!("no user data") };
    assert_eq!(digest_occurrences(&bytes, image.digest()), 1);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// ECR rejects an index that names manifests which the repository doesn't have.
#[tokio::test(start_paused = true)]
async fn with_several_platforms_the_tags_name_the_index_and_the_fleet_gets_its_image() {
    let world = World::from_scenario(&Scenario::default(), 7, START.parse().unwrap()).unwrap();
    let (net, cloud) = connect(&InProcess::new(world)).await;
    let config = example();
    let (repository, wanted) = config.assembly().unwrap();
    let platforms: Vec<Platform> =
        ["linux/amd64", "linux/arm64"].map(|name| name.parse().unwrap()).to_vec();
    let platform = platforms[1].clone();
    let assembly = Assembly { platforms, platform, ..wanted.clone() };
    let (bases, annotations) = (Bases::default(), Annotations::default());
    let image = assemble(&assembly, &config.directory, &bases, &annotations).unwrap();

    let login = cloud.login().await.unwrap();
    let credentials = Credentials::Basic { user: login.user, password: login.password };
    let ecr = Registry::new(net, login.endpoint.parse().unwrap(), credentials);
    let tags = ["v7".to_owned()];
    let pushed = ecr.push(&image, repository, &tags).await.unwrap();
    // The layer is the same; a configuration names its platform.
    assert_eq!((pushed.uploaded, pushed.existed), (3, 0));
    assert_eq!(pushed.reference.digest, *image.digest());
    assert!(cloud.image_exists(repository.path(), image.digest()).await.unwrap());
    let tagged = ecr.manifest_digest(repository, "v7").await.unwrap();
    assert_eq!(tagged.as_ref(), Some(&image.tag_target().digest));
    assert_ne!(tagged.as_ref(), Some(image.digest()));
    assert_eq!(ecr.push(&image, repository, &tags).await.unwrap().uploaded_bytes, 0);
}
