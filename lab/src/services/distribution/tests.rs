//! Pushes and pulls over HTTP, as a client does.

use crate::dispatch;
use crate::services::ecr;
use crate::services::registry::{
    State, TagMutability, create_repository, digest_of, file, image, put_blob, put_manifest,
};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response};
use serde_json::json;
use std::io::Write as _;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct Client {
    world: World,
    authorization: String,
}

impl Client {
    fn new() -> Client {
        let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
        create_repository(&mut world.registry, "team/news");
        let token = ecr::mint(&mut world);
        let authorization = format!("Basic {}", STANDARD.encode(format!("AWS:{token}")));
        Client { world, authorization }
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("Authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        dispatch::serve(&mut self.world, &request.body(Bytes::copy_from_slice(body)).unwrap())
    }

    fn upload(&mut self, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        let begun = self.send("POST", "/v2/team/news/blobs/uploads/", &[], b"");
        assert_eq!(begun.status(), 202);
        let location = header(&begun, "location");
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        let range = format!("0-{}", first.len() - 1);
        let part = self.send("PATCH", &location, &[("Content-Range", &range)], first);
        assert_eq!((part.status().as_u16(), header(&part, "range")), (202, range));
        let finish = format!("{location}?digest={digest}");
        let done = self.send("PUT", &finish, &[], rest);
        assert_eq!(
            (done.status().as_u16(), header(&done, "docker-content-digest")),
            (201, digest.clone())
        );
        digest
    }

    fn push(&mut self, label: &str, page: &str, tag: &str) -> Response<Bytes> {
        let config = json!({ "config": { "Labels": { "lab.version": label } } }).to_string();
        let config = self.upload(config.as_bytes());
        let layer = self.upload(&layer("srv/www/index.html", page));
        let manifest = manifest(&config, &layer);
        self.send(
            "PUT",
            &format!("/v2/team/news/manifests/{tag}"),
            &[("Content-Type", MANIFEST)],
            manifest.as_bytes(),
        )
    }
}

fn header(response: &Response<Bytes>, name: &str) -> String {
    response.headers().get(name).unwrap().to_str().unwrap().to_owned()
}

fn code(response: &Response<Bytes>) -> String {
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    body["errors"][0]["code"].as_str().unwrap().to_owned()
}

fn layer(path: &str, text: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut entry = tar::Header::new_ustar();
    entry.set_size(text.len() as u64);
    entry.set_mode(0o644);
    tar.append_data(&mut entry, path, text.as_bytes()).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

fn manifest(config: &str, layer: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 1 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": 1 }],
    })
    .to_string()
}

#[test]
fn a_pushed_image_is_pulled_and_read() {
    let mut client = Client::new();
    let pushed = client.push("v2", "<h1>two</h1>", "t2");
    assert_eq!(pushed.status(), 201);
    let digest = header(&pushed, "docker-content-digest");

    let head = client.send("HEAD", "/v2/team/news/manifests/t2", &[], b"");
    assert_eq!(
        (head.status().as_u16(), header(&head, "docker-content-digest")),
        (200, digest.clone())
    );
    assert!(head.body().is_empty() && header(&head, "content-length") != "0");
    let pulled = client.send("GET", &format!("/v2/team/news/manifests/{digest}"), &[], b"");
    assert_eq!(digest_of(pulled.body()), digest);
    assert_eq!(header(&pulled, "content-type"), MANIFEST);

    for reference in [format!("host/team/news@{digest}"), "host:5000/team/news:t2".to_owned()] {
        let facts = image(&client.world.registry, &reference).unwrap();
        assert_eq!(
            (facts.digest.as_str(), facts.labels["lab.version"].as_str()),
            (digest.as_str(), "v2")
        );
    }
    let page = file(&client.world.registry, &digest, "/srv/www/index.html").unwrap();
    assert_eq!(page, "<h1>two</h1>");
    assert_eq!(image(&client.world.registry, "host/team/news:none"), None);
}

#[test]
fn an_immutable_tag_does_not_move() {
    let mut client = Client::new();
    let repositories = &mut client.world.registry.ecr.repositories;
    repositories.get_mut("team/news").unwrap().mutability = TagMutability::Immutable;
    assert_eq!(client.push("v1", "one", "t").status(), 201);
    assert_eq!(client.push("v1", "one", "t").status(), 201, "the same again");
    let other = client.push("v2", "two", "t");
    assert_eq!((other.status().as_u16(), code(&other)), (400, "TAG_INVALID".to_owned()));
}

#[test]
fn invalid_uploads_and_manifests_are_refused() {
    let mut client = Client::new();
    let nowhere = client.send("POST", "/v2/other/blobs/uploads/", &[], b"");
    assert_eq!((nowhere.status().as_u16(), code(&nowhere)), (404, "NAME_UNKNOWN".to_owned()));
    let wrong = format!("/v2/team/news/blobs/uploads/?digest={}", digest_of(b"other"));
    assert_eq!(code(&client.send("POST", &wrong, &[], b"these")), "DIGEST_INVALID");
    let dangling = manifest(&digest_of(b"a"), &digest_of(b"b"));
    let typed = [("Content-Type", MANIFEST)];
    let answer = client.send("PUT", "/v2/team/news/manifests/t", &typed, dangling.as_bytes());
    assert_eq!(code(&answer), "MANIFEST_BLOB_UNKNOWN");
    let broken = client.send("PUT", "/v2/team/news/manifests/t", &typed, b"{}");
    assert_eq!((broken.status().as_u16(), code(&broken)), (405, "UNSUPPORTED".to_owned()));
    let huge = client.send("PUT", "/v2/team/news/manifests/t", &typed, &vec![b' '; (4 << 20) + 1]);
    assert_eq!((huge.status().as_u16(), code(&huge)), (413, "SIZE_INVALID".to_owned()));
    let begun = client.send("POST", "/v2/team/news/blobs/uploads/", &[], b"");
    let gap = [("Content-Range", "5-9")];
    assert_eq!(client.send("PATCH", &header(&begun, "location"), &gap, b"later").status(), 416);
}

#[test]
fn only_unexpired_ecr_tokens_are_accepted() {
    let mut client = Client::new();
    assert_eq!(client.send("GET", "/v2/", &[], b"").status(), 200);
    client.world.now += jiff::SignedDuration::from_hours(12);
    assert_eq!(client.send("GET", "/v2/", &[], b"").status(), 403);
    client.authorization = "Basic bm8=".to_owned();
    let refused = client.send("GET", "/v2/", &[], b"");
    assert_eq!(refused.status(), 401);
    assert!(header(&refused, "www-authenticate").starts_with("Basic realm="));
}

#[test]
fn a_scenario_puts_an_image_without_http() {
    let mut state = State::default();
    let config = put_blob(&mut state, r#"{"config":{"Labels":{"a":"b"}}}"#);
    let (one, two) = (layer("etc/x", "1"), layer("./etc/x", "2"));
    let (one, two) = (put_blob(&mut state, one), put_blob(&mut state, two));
    let manifest = json!({
        "schemaVersion": 2,
        "config": { "digest": config },
        "layers": [{ "digest": one }, { "digest": two }],
    });
    let digest =
        put_manifest(&mut state, "news", Some("v1"), MANIFEST, manifest.to_string()).unwrap();
    assert_eq!(image(&state, "h/news:v1").unwrap().digest, digest);
    assert_eq!(file(&state, &digest, "etc/x").unwrap(), "2", "the later layer wins");
}

#[test]
fn reads_are_redirected_to_the_storage() {
    let mut client = Client::new();
    let layer = client.upload(b"0123456789");
    let path = format!("/v2/team/news/blobs/{layer}");
    let head = client.send("HEAD", &path, &[], b"");
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "10".to_owned()));
    let moved = client.send("GET", &path, &[], b"");
    assert_eq!(moved.status(), 307);
    let place = header(&moved, "location");
    assert!(place.contains("-starport-layer-bucket.s3.ap-northeast-2.amazonaws.com/"), "{place}");
    assert_eq!(client.send("GET", &place, &[], b"").status(), 400, "two authentication mechanisms");
    let mut get = |range: Option<&str>| {
        let mut request = Request::get(&place);
        if let Some(range) = range {
            request = request.header("Range", range);
        }
        dispatch::serve(&mut client.world, &request.body(Bytes::new()).unwrap())
    };
    assert_eq!(get(None).body(), "0123456789");
    let part = get(Some("bytes=3-5"));
    assert_eq!(
        (part.status().as_u16(), header(&part, "content-range")),
        (206, "bytes 3-5/10".to_owned())
    );
    assert_eq!(part.body(), "345");
    assert_eq!(get(Some("bytes=7-")).body(), "789");
    assert_eq!(get(Some("bytes=10-")).status(), 416);
    client.world.now += jiff::SignedDuration::from_hours(2);
    let late =
        dispatch::serve(&mut client.world, &Request::get(&place).body(Bytes::new()).unwrap());
    assert_eq!(late.status(), 403);
}

#[test]
fn referrers_are_listed_and_deleted_by_digest() {
    let mut client = Client::new();
    let image = header(&client.push("v1", "one", "v1"), "docker-content-digest");
    let config = client.upload(b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/spdx+json",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
        "layers": [], "subject": { "mediaType": MANIFEST, "digest": image, "size": 1 },
        "annotations": { "a": "b" },
    });
    let manifest = manifest.to_string();
    let digest = digest_of(manifest.as_bytes());
    let path = format!("/v2/team/news/manifests/{digest}");
    let pushed = client.send("PUT", &path, &[("Content-Type", MANIFEST)], manifest.as_bytes());
    assert_eq!(header(&pushed, "oci-subject"), image);
    let mut listed = |query: &str| {
        let uri = format!("/v2/team/news/referrers/{image}{query}");
        let body = client.send("GET", &uri, &[], b"");
        let body: serde_json::Value = serde_json::from_slice(body.body()).unwrap();
        body["manifests"].as_array().unwrap().clone()
    };
    let all = listed("");
    assert_eq!(
        (all[0]["digest"].as_str(), &all[0]["annotations"]["a"]),
        (Some(digest.as_str()), &json!("b"))
    );
    assert_eq!(listed("?artifactType=application/spdx%2Bjson").len(), 1);
    assert!(listed("?artifactType=x").is_empty());
    assert_eq!(client.send("DELETE", &path, &[], b"").status(), 202);
    assert_eq!(client.send("GET", &path, &[], b"").status(), 404);
    assert_eq!(client.send("DELETE", "/v2/team/news/manifests/v1", &[], b"").status(), 405);
}

#[test]
fn blobs_are_mounted_only_if_the_account_setting_allows_it() {
    let mut client = Client::new();
    let blob = client.upload(b"shared");
    create_repository(&mut client.world.registry, "other");
    let mount = format!("/v2/other/blobs/uploads/?mount={blob}&from=team/news");
    assert_eq!(client.send("POST", &mount, &[], b"").status(), 202);
    client.world.ecr.blob_mounting = true;
    assert_eq!(client.send("POST", &mount, &[], b"").status(), 201);
    let head = client.send("HEAD", &format!("/v2/other/blobs/{blob}"), &[], b"");
    assert_eq!(head.status(), 200);
}
