//! The GitHub Container Registry, as its clients see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{Visibility, set_visibility};
use crate::dispatch;
use crate::services::github::{AccessToken, GITHUB_TOKEN, Level};
use crate::services::registry::{self, digest_of};
use crate::world::World;

const PERSON: &str = "ghp_somebody";

fn world() -> World {
    let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
    world.github.tokens.insert(PERSON.to_owned(), AccessToken::of_user("ada"));
    world
}

fn send(
    world: &mut World,
    method: &str,
    uri: &str,
    authorization: Option<&str>,
    body: &[u8],
) -> Response<Bytes> {
    let uri = if uri.starts_with('/') { format!("https://ghcr.io{uri}") } else { uri.to_owned() };
    let mut request = Request::builder().method(method).uri(uri);
    request = request.header("Content-Type", "application/vnd.oci.image.manifest.v1+json");
    if let Some(authorization) = authorization {
        request = request.header("Authorization", authorization);
    }
    dispatch::serve(world, &request.body(Bytes::copy_from_slice(body)).unwrap())
}

/// Requests a token, and returns the `Authorization` header for it.
fn token(world: &mut World, password: Option<&str>, scope: &str) -> Result<String, String> {
    let basic = password.map(|p| format!("Basic {}", STANDARD.encode(format!("ada:{p}"))));
    let uri = format!("/token?service=ghcr.io&scope=repository:{scope}");
    let response = send(world, "GET", &uri, basic.as_deref(), b"");
    let body: Json = serde_json::from_slice(response.body()).unwrap();
    match body["token"].as_str() {
        Some(token) => Ok(format!("Bearer {token}")),
        None => Err(complaint(&response)),
    }
}

fn complaint(response: &Response<Bytes>) -> String {
    let body: Json = serde_json::from_slice(response.body()).unwrap();
    let error = &body["errors"][0];
    let (code, message) = (error["code"].as_str().unwrap(), error["message"].as_str().unwrap());
    format!("{} {code}: {message}", response.status().as_u16())
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers()[name].to_str().unwrap()
}

/// Pushes one image as `latest`, and returns the digest of its configuration.
fn push(world: &mut World, name: &str, bearer: &str) -> String {
    let config = json!({ "config": { "Labels": { "lab.version": "v7" } } }).to_string();
    let config_digest = digest_of(config.as_bytes());
    let uploads = format!("/v2/{name}/blobs/uploads/");
    let begun = send(world, "POST", &uploads, Some(bearer), b"");
    assert_eq!(begun.status(), 202, "{begun:?}");
    let place = header(&begun, "location").to_owned();
    assert!(place.contains("/blobs/upload/"), "{place}");
    let put = format!("{place}?digest={config_digest}");
    assert_eq!(send(world, "PUT", &put, Some(bearer), config.as_bytes()).status(), 201);
    let manifest = json!({
        "schemaVersion": 2,
        "config": { "mediaType": "x", "digest": config_digest, "size": config.len() },
        "layers": [],
    });
    let manifest = manifest.to_string();
    let latest = format!("/v2/{name}/manifests/latest");
    let pushed = send(world, "PUT", &latest, Some(bearer), manifest.as_bytes());
    assert_eq!(pushed.status(), 201, "{pushed:?}");
    config_digest
}

#[test]
fn a_job_pushes_a_private_package_that_opens_to_all_when_it_is_public() {
    let mut world = world();
    let name = "acme/news";
    let refused = send(&mut world, "GET", "/v2/", None, b"");
    assert_eq!(
        header(&refused, "www-authenticate"),
        "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:user/image:pull\""
    );
    let job = token(&mut world, Some(GITHUB_TOKEN), "acme/news:pull,push").unwrap();
    assert_eq!(send(&mut world, "GET", "/v2/", Some(&job), b"").status(), 200);
    let blob = push(&mut world, name, &job);
    let facts = registry::image(&world.registry, "ghcr.io/acme/news:latest").unwrap();
    assert_eq!(facts.labels["lab.version"], "v7");
    assert_eq!(
        registry::image(&world.registry, "123.dkr.ecr.x.amazonaws.com/acme/news:latest"),
        None
    );

    let denied = "403 DENIED: requested access to the resource is denied";
    assert_eq!(token(&mut world, None, "acme/news:pull").unwrap_err(), denied);
    assert!(set_visibility(&mut world, name, Visibility::Public));
    let anybody = token(&mut world, None, "acme/news:pull").unwrap();
    let latest = "/v2/acme/news/manifests/latest";
    assert_eq!(send(&mut world, "GET", latest, Some(&anybody), b"").status(), 200);
    let uploads = "/v2/acme/news/blobs/uploads/";
    let pushing = send(&mut world, "POST", uploads, Some(&anybody), b"");
    assert_eq!(complaint(&pushing), denied);

    // The bytes are on another host, which accepts no credentials.
    let moved =
        send(&mut world, "GET", &format!("/v2/acme/news/blobs/{blob}"), Some(&anybody), b"");
    assert_eq!(moved.status(), 307);
    let place = header(&moved, "location").to_owned();
    assert!(place.starts_with("https://pkg-containers.githubusercontent.com/"), "{place}");
    assert_eq!(digest_of(send(&mut world, "GET", &place, None, b"").body()), blob);
    assert_eq!(send(&mut world, "GET", &place, Some(&anybody), b"").status(), 400);
    assert_eq!(send(&mut world, "GET", &place.replace("sig=", "sig=0"), None, b"").status(), 403);
    world.now += SignedDuration::from_hours(1);
    assert_eq!(send(&mut world, "GET", &place, None, b"").status(), 403, "an expired address");
    let old = send(&mut world, "GET", latest, Some(&anybody), b"");
    assert_eq!(old.status(), 401, "an expired token");
    assert!(header(&old, "www-authenticate").ends_with("scope=\"repository:acme/news:pull\""));
}

#[test]
fn insufficient_tokens_are_refused_with_a_reason() {
    let mut world = world();
    assert_eq!(
        token(&mut world, Some("ghp_no"), "acme/news:pull").unwrap_err(),
        "403 DENIED: denied"
    );
    let begin = |world: &mut World, password: &str, name: &str| {
        let bearer = token(world, Some(password), &format!("{name}:pull,push")).unwrap();
        let uploads = format!("/v2/{name}/blobs/uploads/");
        complaint(&send(world, "POST", &uploads, Some(&bearer), b""))
    };
    assert_eq!(
        begin(&mut world, GITHUB_TOKEN, "other/news"),
        "403 DENIED: permission_denied: The requested installation does not exist."
    );
    world.github.tokens.get_mut(GITHUB_TOKEN).unwrap().packages = Level::Read;
    assert_eq!(
        begin(&mut world, GITHUB_TOKEN, "acme/news"),
        "403 DENIED: installation not allowed to Create organization package"
    );
    world.github.tokens.get_mut(GITHUB_TOKEN).unwrap().packages = Level::Write;
    let person = token(&mut world, Some(PERSON), "acme/tools:pull,push").unwrap();
    push(&mut world, "acme/tools", &person);
    assert_eq!(
        begin(&mut world, GITHUB_TOKEN, "acme/tools"),
        "403 DENIED: permission_denied: write_package"
    );
    // A session is valid only for its scope.
    let uri = "/v2/acme/news/manifests/latest";
    let elsewhere = send(&mut world, "GET", uri, Some(&person), b"");
    assert_eq!(complaint(&elsewhere), "403 DENIED: requested access to the resource is denied");
    let garbage = send(&mut world, "GET", uri, Some("Bearer null"), b"");
    assert_eq!(complaint(&garbage), "403 DENIED: invalid token");
    let encoded = format!("Bearer {}", STANDARD.encode(PERSON));
    let tools = "/v2/acme/tools/manifests/latest";
    assert_eq!(send(&mut world, "GET", tools, Some(&encoded), b"").status(), 200);
}

#[test]
fn it_neither_deletes_nor_lists_referrers_and_mounts_what_may_be_read() {
    let mut world = world();
    let scope = "acme/a:pull,push&scope=repository:acme/b:pull,push";
    let bearer = token(&mut world, Some(GITHUB_TOKEN), scope).unwrap();
    let blob = push(&mut world, "acme/a", &bearer);
    let latest = "/v2/acme/a/manifests/latest";
    let kept = send(&mut world, "DELETE", latest, Some(&bearer), b"");
    assert_eq!(complaint(&kept), "405 UNSUPPORTED: The operation is unsupported.");
    let referrers = format!("/v2/acme/a/referrers/{blob}");
    assert_eq!(send(&mut world, "GET", &referrers, Some(&bearer), b"").status(), 404);
    let mount = format!("/v2/acme/b/blobs/uploads/?mount={blob}&from=acme/a");
    assert_eq!(send(&mut world, "POST", &mount, Some(&bearer), b"").status(), 201);
    let hidden = mount.replace("from=acme/a", "from=acme/none");
    assert_eq!(send(&mut world, "POST", &hidden, Some(&bearer), b"").status(), 202);
}
