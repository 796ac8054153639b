//! The REST API as a workflow's step meets it.

use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{AccessToken, GITHUB_TOKEN, Level};
use crate::services::ghcr::{self, Visibility};
use crate::wire;
use crate::world::World;

const DEPLOYMENTS: &str = "/repos/acme/news/deployments";

fn world() -> World {
    World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
}

fn send(
    world: &mut World,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Json,
) -> Response<Bytes> {
    let uri = format!("https://api.github.com{path}");
    let mut request = Request::builder().method(method).uri(uri).header("User-Agent", "test");
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    wire::serve(world, &request.body(Bytes::from(body)).unwrap())
}

/// As the job: status and body.
fn ask(world: &mut World, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let response = send(world, method, path, Some(GITHUB_TOKEN), body);
    let json = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), json)
}

fn refused(world: &mut World, method: &str, path: &str, body: &Json) -> String {
    let (status, answer) = ask(world, method, path, body);
    format!("{status} {}", answer["message"].as_str().unwrap_or_default())
}

/// Creates a deployment, and gives the path of it.
fn deploy(world: &mut World, environment: &str) -> String {
    let body = json!({ "ref": "main", "required_contexts": [], "environment": environment });
    let (status, made) = ask(world, "POST", DEPLOYMENTS, &body);
    assert_eq!(status, 201, "{made}");
    format!("{DEPLOYMENTS}/{}", made["id"])
}

fn report(world: &mut World, deployment: &str, state: &str) -> Json {
    let path = format!("{deployment}/statuses");
    let (status, made) = ask(world, "POST", &path, &json!({ "state": state }));
    assert_eq!(status, 201, "{made}");
    made
}

#[test]
fn a_deployment_and_its_statuses() {
    let mut world = world();
    let (first, second) = (deploy(&mut world, "staging"), deploy(&mut world, "staging"));
    let (_, found) = ask(&mut world, "GET", &first, &Json::Null);
    assert_eq!((&found["ref"], &found["sha"]), (&json!("main"), &json!(world.github.commit)));
    assert_eq!(
        (&found["production_environment"], &found["task"]),
        (&json!(false), &json!("deploy"))
    );
    assert_eq!(found["creator"]["type"], "Bot");
    report(&mut world, &first, "in_progress");
    report(&mut world, &first, "success");
    let made = report(&mut world, &second, "success");
    assert_eq!((&made["state"], &made["environment"]), (&json!("success"), &json!("staging")));
    let (_, listed) = ask(&mut world, "GET", &format!("{first}/statuses"), &Json::Null);
    let states: Vec<&Json> = listed.as_array().unwrap().iter().map(|s| &s["state"]).collect();
    assert_eq!(states, ["inactive", "success", "in_progress"], "the second took its place");

    let uri = format!("{DEPLOYMENTS}?environment=staging&per_page=1");
    let page = send(&mut world, "GET", &uri, Some(GITHUB_TOKEN), &Json::Null);
    let body: Json = serde_json::from_slice(page.body()).unwrap();
    assert_eq!(second, format!("{DEPLOYMENTS}/{}", body[0]["id"]), "newest first");
    assert!(page.headers()["link"].to_str().unwrap().contains("rel=\"next\""));
    let kept = refused(&mut world, "DELETE", &second, &Json::Null);
    assert!(kept.starts_with("422 We cannot delete an active deployment"), "{kept}");
    assert_eq!(ask(&mut world, "DELETE", &first, &Json::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &second, &Json::Null).0, 204, "now alone");
}

#[test]
fn what_will_not_do_is_told_as_github_tells_it() {
    let mut world = world();
    let post = |world: &mut World, body: Json| refused(world, "POST", DEPLOYMENTS, &body);
    assert_eq!(post(&mut world, json!({})), "422 Invalid request.\n\n\"ref\" wasn't supplied.");
    assert_eq!(post(&mut world, json!({ "ref": "no" })), "422 No ref found for: no");
    assert_eq!(post(&mut world, json!([])), "400 Body should be a JSON object");
    let waiting = post(&mut world, json!({ "ref": "main" }));
    assert_eq!(waiting, "409 Conflict: Commit status checks failed for main.");
    world.github.behind = true;
    let merged = post(&mut world, json!({ "ref": "main" }));
    assert_eq!(merged, "202 Auto-merged main into main on deployment.");
    world.github.behind = false;
    let statuses = format!("{}/statuses", deploy(&mut world, "production"));
    for (body, field) in [
        (json!({ "state": "great" }), "state"),
        (json!({ "state": "success", "description": "x".repeat(141) }), "description"),
        (json!({ "state": "success", "log_url": "ftp://x" }), "log_url"),
    ] {
        let (status, answer) = ask(&mut world, "POST", &statuses, &body);
        assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!(field)), "{answer}");
        assert_eq!(answer["message"], "Validation Failed");
    }
    for path in ["/repos/acme/else", "/nothing", "/repos/acme/news/deployments/x"] {
        assert_eq!(refused(&mut world, "GET", path, &Json::Null), "404 Not Found", "{path}");
    }
}

#[test]
fn tokens_and_limits() {
    let mut world = world();
    let get = |world: &mut World, token: Option<&str>| {
        send(world, "GET", DEPLOYMENTS, token, &Json::Null)
    };
    assert_eq!(get(&mut world, Some("ghs_no")).status(), 401);
    assert_eq!(get(&mut world, None).status(), 404, "a private repository");
    world.github.private = false;
    let anybody = get(&mut world, None);
    assert_eq!(
        (anybody.status().as_u16(), &anybody.headers()["x-ratelimit-limit"]),
        (200, &"60".parse().unwrap())
    );
    world.github.tokens.get_mut(GITHUB_TOKEN).unwrap().deployments = Level::Read;
    let body = json!({ "ref": "main", "required_contexts": [] });
    let refusal = refused(&mut world, "POST", DEPLOYMENTS, &body);
    assert_eq!(refusal, "403 Resource not accessible by integration");
    for _ in 0..1100 {
        get(&mut world, Some(GITHUB_TOKEN));
    }
    let over = get(&mut world, Some(GITHUB_TOKEN));
    let body = String::from_utf8_lossy(over.body()).into_owned();
    assert!(over.status() == 403 && body.contains("API rate limit exceeded"), "{body}");
    assert_eq!(over.headers()["x-ratelimit-remaining"], "0");
    world.now += SignedDuration::from_hours(1);
    assert_eq!(get(&mut world, Some(GITHUB_TOKEN)).status(), 200);
    let silent = Request::get("http://127.0.0.1/api/v3/repos/acme/news").body(Bytes::new());
    assert_eq!(wire::serve(&mut world, &silent.unwrap()).status(), 403, "no User-Agent");
}

#[test]
fn a_package_tells_its_visibility_and_versions() {
    let mut world = world();
    world.github.tokens.insert("ghp_ada".to_owned(), AccessToken::of_person("ada"));
    let path = "/orgs/acme/packages/container/news";
    assert_eq!(refused(&mut world, "GET", path, &Json::Null), "404 Not Found");
    let push = Request::post("https://ghcr.io/v2/acme/news/blobs/uploads/");
    let push = push.header("Authorization", "Bearer Z2hwX2FkYQ==").body(Bytes::new()).unwrap();
    assert_eq!(wire::serve(&mut world, &push).status(), 202);
    let (_, package) = ask(&mut world, "GET", path, &Json::Null);
    assert_eq!((&package["visibility"], &package["version_count"]), (&json!("private"), &json!(0)));
    assert_eq!(package["repository"], Json::Null, "a person's push links it to none");
    ghcr::set_visibility(&mut world, "acme/news", Visibility::Public);
    let open = send(&mut world, "GET", path, None, &Json::Null);
    assert_eq!(open.status(), 200);
    let (_, versions) = ask(&mut world, "GET", &format!("{path}/versions"), &Json::Null);
    assert_eq!(versions, json!([]));
}

#[test]
fn the_issuer_tells_where_its_key_is() {
    let mut world = world();
    for uri in ["https://token.actions.githubusercontent.com", "http://127.0.0.1:1/_lab/github"] {
        let mut get = |name: &str| -> Json {
            let request = Request::get(format!("{uri}/.well-known/{name}")).body(Bytes::new());
            serde_json::from_slice(wire::serve(&mut world, &request.unwrap()).body()).unwrap()
        };
        assert_eq!(get("openid-configuration")["issuer"], super::ISSUER);
        assert_eq!(get("jwks")["keys"][0]["kid"], "lab");
    }
}
