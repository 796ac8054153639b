//! The REST API, as a workflow's step uses it.

use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{AccessToken, GITHUB_TOKEN, Level, PullState, READ_ONLY_TOKEN};
use crate::dispatch;
use crate::services::ghcr::{self, Visibility};
use crate::world::World;

const DEPLOYMENTS: &str = "/repos/acme/news/deployments";

const COMMENTS: &str = "/repos/acme/news/issues/7/comments";

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
    dispatch::serve(world, &request.body(Bytes::from(body)).unwrap())
}

/// Sends a request as the job; returns status and body.
fn ask(world: &mut World, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let response = send(world, method, path, Some(GITHUB_TOKEN), body);
    let json = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), json)
}

fn refused(world: &mut World, method: &str, path: &str, body: &Json) -> String {
    let (status, answer) = ask(world, method, path, body);
    format!("{status} {}", answer["message"].as_str().unwrap_or_default())
}

/// Creates a deployment, and returns its path.
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
    assert_eq!(states, ["inactive", "success", "in_progress"], "the second replaced it");

    let uri = format!("{DEPLOYMENTS}?environment=staging&per_page=1");
    let page = send(&mut world, "GET", &uri, Some(GITHUB_TOKEN), &Json::Null);
    let body: Json = serde_json::from_slice(page.body()).unwrap();
    assert_eq!(second, format!("{DEPLOYMENTS}/{}", body[0]["id"]), "newest first");
    assert!(page.headers()["link"].to_str().unwrap().contains("rel=\"next\""));
    let kept = refused(&mut world, "DELETE", &second, &Json::Null);
    assert!(kept.starts_with("422 We cannot delete an active deployment"), "{kept}");
    assert_eq!(ask(&mut world, "DELETE", &first, &Json::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &second, &Json::Null).0, 204, "now it is the only one");
}

#[test]
fn invalid_requests_get_the_errors_of_github() {
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
    assert_eq!(dispatch::serve(&mut world, &silent.unwrap()).status(), 403, "no User-Agent");
}

#[test]
fn a_package_shows_its_visibility_and_versions() {
    let mut world = world();
    world.github.tokens.insert("ghp_ada".to_owned(), AccessToken::of_user("ada"));
    let path = "/orgs/acme/packages/container/news";
    assert_eq!(refused(&mut world, "GET", path, &Json::Null), "404 Not Found");
    let push = Request::post("https://ghcr.io/v2/acme/news/blobs/uploads/");
    let push = push.header("Authorization", "Bearer Z2hwX2FkYQ==").body(Bytes::new()).unwrap();
    assert_eq!(dispatch::serve(&mut world, &push).status(), 202);
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
fn the_issuer_publishes_its_key() {
    let mut world = world();
    for uri in ["https://token.actions.githubusercontent.com", "http://127.0.0.1:1/_lab/github"] {
        let mut get = |name: &str| -> Json {
            let request = Request::get(format!("{uri}/.well-known/{name}")).body(Bytes::new());
            serde_json::from_slice(dispatch::serve(&mut world, &request.unwrap()).body()).unwrap()
        };
        assert_eq!(get("openid-configuration")["issuer"], super::ISSUER);
        assert_eq!(get("jwks")["keys"][0]["kid"], "lab");
    }
}

fn numbers(listed: &Json, key: &str) -> Vec<u64> {
    listed.as_array().unwrap().iter().map(|entry| entry[key].as_u64().unwrap()).collect()
}

#[test]
fn deployments_are_filtered_and_statuses_are_complete() {
    let mut world = world();
    let commit = world.github.commit.clone();
    for (name, task) in [("main", "deploy"), (commit.as_str(), "migrate")] {
        let body = json!({
            "ref": name, "task": task, "environment": "production", "required_contexts": [],
        });
        assert_eq!(ask(&mut world, "POST", DEPLOYMENTS, &body).0, 201);
    }
    for (query, found) in [
        (format!("sha={commit}"), vec![2, 1]),
        (format!("ref={commit}"), vec![2]),
        ("ref=main&environment=production".to_owned(), vec![1]),
        ("task=migrate".to_owned(), vec![2]),
        ("environment=staging".to_owned(), vec![]),
    ] {
        let (_, listed) = ask(&mut world, "GET", &format!("{DEPLOYMENTS}?{query}"), &Json::Null);
        assert_eq!(numbers(&listed, "id"), found, "{query}");
    }
    let path = format!("{DEPLOYMENTS}/1/statuses");
    let body = json!({
        "state": "in_progress",
        "description": "ü".repeat(140),
        "log_url": "https://github.com/acme/news/actions/runs/1000/job/5000",
        "target_url": "https://example.com/older",
        "environment_url": "https://news.example.com",
    });
    let (status, made) = ask(&mut world, "POST", &path, &body);
    assert_eq!((status, &made["description"]), (201, &body["description"]), "140 characters");
    assert_eq!((&made["log_url"], &made["target_url"]), (&body["log_url"], &body["log_url"]));
    assert_eq!(made["environment_url"], body["environment_url"]);
    assert_eq!(made["creator"]["login"], "github-actions[bot]");
    for state in ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"] {
        report(&mut world, &format!("{DEPLOYMENTS}/1"), state);
    }
}

#[test]
fn a_success_deactivates_earlier_deployments() {
    let mut world = world();
    let states = |world: &World| -> Vec<String> {
        world.github.deployments.iter().map(|d| d.state().unwrap().to_owned()).collect()
    };
    let all: Vec<String> =
        ["staging", "staging", "production", "production"].map(|to| deploy(&mut world, to)).into();
    report(&mut world, &all[0], "failure");
    report(&mut world, &all[1], "success");
    report(&mut world, &all[2], "success");
    report(&mut world, &all[3], "success");
    let expected = ["failure", "success", "success", "success"];
    assert_eq!(states(&world), expected, "not a failed one, and none in production");
    report(&mut world, &all[0], "success");
    assert_eq!(states(&world)[1], "success", "the newer one stays");
    let body = json!({ "state": "success", "auto_inactive": false });
    ask(&mut world, "POST", &format!("{}/statuses", all[1]), &body);
    assert_eq!(states(&world)[0], "success", "auto_inactive: false");
    report(&mut world, &all[1], "success");
    assert_eq!(states(&world)[0], "inactive");
}

#[test]
fn a_commit_leads_to_its_pull_requests() {
    let mut world = world();
    let commit = world.github.commit.clone();
    let of = |world: &mut World, name: &str| {
        let path = format!("/repos/acme/news/commits/{name}/pulls");
        let (status, listed) = ask(world, "GET", &path, &Json::Null);
        assert_eq!(status, 200, "{listed}");
        listed
    };
    let listed = of(&mut world, &commit);
    assert_eq!(numbers(&listed, "number"), [7]);
    assert_eq!((&listed[0]["state"], &listed[0]["merged_at"]), (&json!("open"), &Json::Null));
    assert_eq!(
        (&listed[0]["head"]["sha"], &listed[0]["base"]["ref"]),
        (&json!(commit), &json!("main"))
    );
    assert_eq!(listed[0]["head"]["repo"]["full_name"], "acme/news");
    assert_eq!(numbers(&of(&mut world, "front-page"), "number"), [7], "by branch");
    assert_eq!(of(&mut world, &"0".repeat(40)), json!([]));
    world.github.pulls[0].branch = "feature/a".to_owned();
    world.github.pulls[0].head = "1".repeat(40);
    assert_eq!(of(&mut world, &commit), json!([]));
    assert_eq!(numbers(&of(&mut world, "feature/a"), "number"), [7]);
    world.github.pulls[0].state = PullState::Merged(commit.clone());
    let listed = of(&mut world, "main");
    assert_eq!(
        (&listed[0]["state"], &listed[0]["merge_commit_sha"]),
        (&json!("closed"), &json!(commit))
    );
    world.github.pulls[0].state = PullState::Closed;
    assert_eq!(of(&mut world, "feature/a"), json!([]));
}

#[test]
fn a_comment_is_written_found_and_changed() {
    let mut world = world();
    let (status, made) = ask(&mut world, "POST", COMMENTS, &json!({ "body": "v2 is live" }));
    assert_eq!((status, &made["body"]), (201, &json!("v2 is live")));
    assert_eq!(made["user"]["login"], "github-actions[bot]");
    let url = made["url"].as_str().unwrap();
    let one = url.strip_prefix("https://api.github.com").unwrap().to_owned();
    assert_eq!(ask(&mut world, "GET", &one, &Json::Null), (200, made.clone()));
    world.now += SignedDuration::from_secs(60);
    let (status, changed) = ask(&mut world, "PATCH", &one, &json!({ "body": "v3 is live" }));
    assert_eq!(
        (status, &changed["id"], &changed["body"]),
        (200, &made["id"], &json!("v3 is live"))
    );
    assert_eq!(changed["updated_at"], "2026-01-05T09:01:00Z");
    assert_eq!(changed["created_at"], made["created_at"]);
    for number in 1..=40 {
        let body = json!({ "body": format!("comment {number}") });
        let post = send(&mut world, "POST", COMMENTS, Some(GITHUB_TOKEN), &body);
        assert_eq!((post.status().as_u16(), post.headers().contains_key("location")), (201, true));
    }
    let page = send(&mut world, "GET", COMMENTS, Some(GITHUB_TOKEN), &Json::Null);
    let listed: Json = serde_json::from_slice(page.body()).unwrap();
    let ids = numbers(&listed, "id");
    assert_eq!((ids.len(), ids[0]), (30, made["id"].as_u64().unwrap()));
    assert!(ids.is_sorted() && page.headers()["link"].to_str().unwrap().contains("page=2"));
    let (_, rest) = ask(&mut world, "GET", &format!("{COMMENTS}?page=2"), &Json::Null);
    assert_eq!(rest.as_array().unwrap().len(), 11);
    let later = format!("{COMMENTS}?since=2026-01-05T09:01:01Z");
    assert_eq!(ask(&mut world, "GET", &later, &Json::Null).1, json!([]));

    let body = |text: &str| json!({ "body": text });
    assert_eq!(ask(&mut world, "POST", COMMENTS, &body(&"ü".repeat(65_536))).0, 201);
    for (text, message) in [
        ("x".repeat(65_537), "Body is too long (maximum is 65536 characters)"),
        (" ".to_owned(), "Body cannot be blank"),
    ] {
        for (method, path) in [("POST", COMMENTS), ("PATCH", one.as_str())] {
            let (status, answer) = ask(&mut world, method, path, &body(&text));
            assert_eq!((status, &answer["errors"][0]["message"]), (422, &json!(message)));
        }
    }
    let without = refused(&mut world, "POST", COMMENTS, &json!({}));
    assert_eq!(without, "422 Invalid request.\n\n\"body\" wasn't supplied.");
    for (method, path) in [
        ("POST", "/repos/acme/news/issues/8/comments"),
        ("GET", "/repos/acme/news/issues/x/comments"),
        ("PATCH", "/repos/acme/news/issues/comments/99999"),
        ("DELETE", one.as_str()),
    ] {
        assert_eq!(refused(&mut world, method, path, &body("x")), "404 Not Found", "{path}");
    }
}

#[test]
fn the_present_job_is_the_only_one_of_its_run() {
    let mut world = world();
    let path = "/repos/acme/news/actions/runs/1000/attempts/1/jobs";
    let (status, listed) = ask(&mut world, "GET", path, &Json::Null);
    assert_eq!((status, &listed["total_count"]), (200, &json!(1)));
    let job = &listed["jobs"][0];
    assert_eq!((&job["id"], &job["name"]), (&json!(5000), &json!("deploy")));
    assert_eq!(job["html_url"], "https://github.com/acme/news/actions/runs/1000/job/5000");
    assert_eq!((&job["runner_name"], &job["run_attempt"]), (&json!("GitHub Actions 1"), &json!(1)));
    for path in
        [path.replace("1000", "1001"), path.replace("/1/", "/2/"), path.replace("/1/", "/x/")]
    {
        assert_eq!(refused(&mut world, "GET", &path, &Json::Null), "404 Not Found", "{path}");
    }
}

#[test]
fn a_token_without_permissions_reads_what_is_public() {
    let mut world = world();
    let made = ask(&mut world, "POST", COMMENTS, &json!({ "body": "x" })).1;
    let one = format!("/repos/acme/news/issues/comments/{}", made["id"]);
    let commit = format!("/repos/acme/news/commits/{}/pulls", world.github.commit);
    let jobs = "/repos/acme/news/actions/runs/1000/attempts/1/jobs";
    let statuses = format!("{}/statuses", deploy(&mut world, "staging"));
    let repository =
        send(&mut world, "GET", "/repos/acme/news", Some(READ_ONLY_TOKEN), &Json::Null);
    assert_eq!(repository.status(), 200);
    let reads = [DEPLOYMENTS, COMMENTS, &one, &commit, jobs, &statuses].map(|path| ("GET", path));
    let writes =
        [("POST", DEPLOYMENTS), ("POST", COMMENTS), ("PATCH", one.as_str()), ("POST", &statuses)];
    for (private, refused) in [(true, true), (false, false)] {
        world.github.private = private;
        for (method, path) in reads.iter().chain(&writes) {
            let response = send(&mut world, method, path, Some(READ_ONLY_TOKEN), &json!({}));
            let body = String::from_utf8_lossy(response.body()).into_owned();
            let expected = if refused || *method != "GET" { 403 } else { 200 };
            assert_eq!(response.status(), expected, "{method} {path}: {body}");
            let why = body.contains("Resource not accessible by integration");
            assert_eq!(why, expected == 403, "{body}");
        }
    }
    // Either of two permissions is enough for a comment.
    let token = world.github.tokens.get_mut(READ_ONLY_TOKEN).unwrap();
    token.issues = Level::Write;
    let post = send(&mut world, "POST", COMMENTS, Some(READ_ONLY_TOKEN), &json!({ "body": "x" }));
    assert_eq!(post.status(), 201);
}
