//! An image that cutover assembles and pushes is what others pull: against Docker's registry, read
//! back with skopeo, both independent of this code.

#![allow(clippy::unwrap_used)] // test helpers do not count as tests

mod support {
    pub(crate) mod registry;
}

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use cutover_net::Net;
use cutover_oci::image::{Annotations, Assembly, Bases, FileMapping, Layer, assemble};
use cutover_oci::registry::{Credentials, Endpoint, Image, Registry, RegistryError};
use support::registry::{Served, skopeo};

fn image(folder: &Path) -> Image {
    let www = folder.join("www");
    fs::create_dir_all(&www).unwrap();
    fs::write(www.join("index.html"), "<h1>오늘의 소식</h1>").unwrap();
    fs::write(www.join("big.bin"), vec![7; 300_000]).unwrap();
    let assembly = Assembly {
        files: vec![FileMapping::new("www", "/srv/www")],
        labels: [("lab.version".to_owned(), "v2".to_owned())].into(),
        ..Assembly::default()
    };
    assemble(&assembly, folder, &Bases::default(), &Annotations::default()).unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_what_skopeo_pulls() {
    let Some(served) = Served::start(None).await else { return };
    let (registry, repository) = (served.registry(Credentials::Anonymous), served.repository());
    let image = image(served.folder.path());
    let tags = ["v2".to_owned(), "commit-1a2b3c".to_owned()];

    let first = registry.push(&image, &repository, &tags).await.unwrap();
    assert_eq!((first.uploaded, first.existed), (2, 0));
    let sent = image.parts().map(|(_, size)| size).sum::<u64>() + image.manifest.size();
    assert_eq!(first.uploaded_bytes, sent);
    let second = registry.push(&image, &repository, &tags).await.unwrap();
    assert_eq!((second.uploaded_bytes, second.existed), (0, 2));

    for reference in [format!("{repository}:v2"), first.reference.to_string()] {
        let docker = format!("docker://{reference}");
        let digest = skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &docker]);
        assert_eq!(digest.trim(), image.digest().as_str());
    }
    let labels = skopeo(&[
        "inspect",
        "--tls-verify=false",
        "--format",
        "{{.Labels}} {{.Architecture}}",
        &format!("docker://{repository}:v2"),
    ]);
    assert_eq!(labels.trim(), "map[lab.version:v2] amd64");

    // skopeo verifies every blob's digest.
    let copy = served.folder.path().join("copy");
    skopeo(&[
        "copy",
        "--src-tls-verify=false",
        &format!("docker://{}", first.reference),
        &format!("oci:{}:v2", copy.display()),
    ]);
    let Layer::Local(layer) = &image.layers[0] else { panic!("a layer that is assembled here") };
    let name = layer.digest.as_str().trim_start_matches("sha256:");
    assert_eq!(fs::read(copy.join("blobs/sha256").join(name)).unwrap(), layer.bytes);

    let stored = registry.manifest(&repository, "v2").await.unwrap().unwrap();
    assert_eq!(stored, image.manifest);
    assert_eq!(registry.manifest_digest(&repository, "none").await.unwrap(), None);
}

#[tokio::test]
async fn a_password_is_sent_on_challenge_and_a_wrong_one_is_explained() {
    // `correct horse`, hashed by bcrypt at its lowest cost.
    const HTPASSWD: &str = "AWS:$2b$04$8SB8V9V/.tlakJtKdg4sYeecZeGBudhKWdJl/OOORsTXfJXvM2Ktu\n";
    let Some(served) = Served::start(Some(HTPASSWD)).await else { return };
    let repository = served.repository();
    let image = image(served.folder.path());
    let with = |password: &str| Credentials::Basic {
        user: "AWS".to_owned(),
        password: password.to_owned(),
    };

    let wrong = (with("wrong"), "Check the user and the token");
    for (credentials, remedy) in [wrong, (Credentials::Anonymous, "docker login")] {
        let refused =
            served.registry(credentials).push(&image, &repository, &[]).await.unwrap_err();
        assert!(matches!(refused, RegistryError::Refused { status: 401, .. }), "{refused}");
        assert!(refused.to_string().contains(remedy), "{refused}");
        assert!(!refused.to_string().contains("wrong"), "{refused}");
    }

    let pushed = served
        .registry(with("correct horse"))
        .push(&image, &repository, &["v2".to_owned()])
        .await
        .unwrap();
    let digest = skopeo(&[
        "inspect",
        "--tls-verify=false",
        "--creds=AWS:correct horse",
        "--format={{.Digest}}",
        &format!("docker://{repository}:v2"),
    ]);
    assert_eq!(digest.trim(), pushed.reference.digest.as_str());
}

#[tokio::test]
async fn an_unreachable_registry_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint: Endpoint = format!("http://127.0.0.1:{port}").parse().unwrap();
    let registry = Registry::new(Net::real().unwrap(), endpoint, Credentials::Anonymous);
    let repository = format!("127.0.0.1:{port}/team/news").parse().unwrap();
    let error = registry.manifest_digest(&repository, "v2").await.unwrap_err().to_string();
    assert!(error.contains(&format!("no connection to 127.0.0.1:{port}")), "{error}");
}
