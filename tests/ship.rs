//! From a Dockerfile to registries and to traffic, with this machine's container engine: what
//! README.md tells people to type.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // test helpers do not count as tests

mod support {
    pub(crate) mod docker;
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod registry;
    pub(crate) mod truth;
    pub(crate) mod venv;
}

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cutover_docker::Engine;
use serde_json::{Value, json};
use support::docker::engine;
use support::lab::Lab;
use support::project::Project;
use support::registry::{Served, skopeo};
use support::{truth, venv};
use tempfile::TempDir;

const SPEED: u32 = 60;

/// Returns a folder with a Dockerfile, a site and a configuration that pushes to `push`.
fn folder(push: &[String]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Dockerfile", DOCKERFILE);
    write("site/index.html", &"<h1>오늘의 소식</h1>\n".repeat(10_000));
    write("site/secret.txt", "not for the image");
    write(".dockerignore", "**/secret.txt\ncache\n");
    write("bill.json", r#"{"spdxVersion":"SPDX-2.3"}"#);
    let yaml = format!(
        "version: 1\nservice: news\nregion: ap-northeast-2\nimage:\n  push: [{}]\n  tags: [edition]\n  \
         attach: {{ sbom: bill.json, provenance: true }}\n  \
         build: {{ context: ., args: {{ EDITION: one }} }}\nfleet: {{ group: news }}\nstrategy: rolling\n",
        push.join(", ")
    );
    write("cutover.yaml", &yaml);
    folder
}

const DOCKERFILE: &str = "FROM scratch AS site\nCOPY site /srv/www\nFROM site\nARG EDITION\n\
                          COPY site/index.html /srv/${EDITION}.html\nLABEL edition=$EDITION\n";

/// Runs `cutover` in a folder, with a cache of its own.
fn cutover(folder: &Path, arguments: &[&str]) -> Output {
    command(env!("CARGO_BIN_EXE_cutover"), folder).args(arguments).output().unwrap()
}

fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache")).env("HOME", folder);
    // The environment of a GitHub Actions run.
    for (name, value) in [
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/news"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", "1a2b3c"),
        ("GITHUB_RUN_ID", "77"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_WORKFLOW_REF", "acme/news/.github/workflows/deploy.yml@refs/heads/main"),
    ] {
        command.env(name, value);
    }
    command
}

/// Returns the events of a command; asserts success.
fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcome(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_else(|| panic!("{output:?}"));
    serde_json::from_str(last).unwrap()
}

/// Returns two registries and a folder that pushes to both; `None` without an engine or a registry.
async fn two() -> Option<(Engine, Served, Served, TempDir)> {
    let engine = engine().await?;
    let (one, two) = (Served::start(None).await?, Served::start(None).await?);
    let folder = folder(&[one.repository().to_string(), two.repository().to_string()]);
    Some((engine, one, two, folder))
}

#[tokio::test]
async fn a_dockerfile_becomes_the_same_image_in_two_registries() {
    let Some((engine, one, two, folder)) = two().await else { return };
    let first = cutover(folder.path(), &["push", "--format", "json"]);
    let reported = events(&first);
    let built = reported.iter().filter(|e| e["event"] == "build").count();
    assert!(built > 5, "{reported:?}");
    let image = reported.last().unwrap()["image"].as_str().unwrap().to_owned();
    let digest = image.split_once('@').unwrap().1;
    for served in [&one, &two] {
        let tagged = format!("docker://{}:edition", served.repository());
        let format = "{{.Digest}} {{.Labels.edition}} {{len .Layers}}";
        let seen = skopeo(&["inspect", "--tls-verify=false", "--format", format, &tagged]);
        assert_eq!(seen.trim(), format!("{digest} one 2"));
        let raw = |tag: &str| {
            let name = format!("docker://{}:{tag}", served.repository());
            let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &name]);
            serde_json::from_str::<Value>(&raw).unwrap()
        };
        let annotations = &raw("edition")["annotations"];
        assert_eq!(annotations["org.opencontainers.image.revision"], "1a2b3c");
        assert_eq!(annotations["org.opencontainers.image.source"], "https://github.com/acme/news");
        assert!(annotations["org.opencontainers.image.created"].is_string(), "{annotations}");
        let beside = raw(&digest.replace(':', "-"));
        let kinds = beside["manifests"].as_array().unwrap().iter().map(|m| &m["artifactType"]);
        let kinds: Vec<_> = kinds.collect();
        assert_eq!(kinds, ["application/spdx+json", "application/vnd.in-toto+json"]);
    }

    // The engine pulls what it has built: exactly the same image.
    let reference = format!("{}@{digest}", two.repository());
    let pulled = Command::new("docker").args(["pull", "--quiet", &reference]).output().unwrap();
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    let stored = engine.inspect(&reference).await.unwrap().unwrap();
    let local = reported.iter().rev().find_map(|e| {
        Some(e["line"].as_str()?.split_once("writing image ")?.1.split(' ').next()?.to_owned())
    });
    assert_eq!(Some(stored.id.to_string()), local);
    engine.remove(&reference).await.unwrap();

    // Unchanged, nothing is sent, not even from a machine without a cache.
    for _ in 0..2 {
        let again = events(&cutover(folder.path(), &["push", "--format", "json"]));
        assert_eq!(again.last().unwrap()["image"], image.as_str());
        let sent: Vec<_> = again.iter().filter(|e| e["event"] == "image").collect();
        assert!(sent.len() == 2 && sent.iter().all(|e| e["uploaded"] == 0), "{again:?}");
        let _ = fs::remove_dir_all(folder.path().join("cache"));
    }
}

/// Without permission to read the engine's own folder, its export is used, with the same result.
#[tokio::test]
async fn a_push_from_an_export_gives_the_same_image() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let Some((engine, one, two, folder)) = two().await else { return };
    let reported = events(&cutover(folder.path(), &["push", "--format", "json"]));
    let image = reported.last().unwrap()["image"].as_str().unwrap();
    if engine.layer_store().is_none() {
        eprintln!(
            "skipped: this user may not read the engine's folder, so all other tests cover this"
        );
        return;
    }
    let socket = engine.host().to_string();
    let group = fs::metadata(socket.trim_start_matches("unix://")).unwrap().gid().to_string();
    let elsewhere = two.repository_at("team/export").to_string();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    let id = reported.iter().rev().find_map(|e| {
        Some(e["line"].as_str()?.split_once("writing image ")?.1.split(' ').next()?.to_owned())
    });
    let id = id.unwrap();
    // Copied to where any user may run it.
    let program = folder.path().join("cutover");
    fs::copy(env!("CARGO_BIN_EXE_cutover"), &program).unwrap();
    let pushed = command("setpriv", folder.path())
        .args(["--reuid=65534", "--regid=65534", &format!("--groups={group}")])
        .arg(&program)
        .args(["push", "--from", &id, "--to", &elsewhere, "--tag", "x", "--format", "json"])
        .output()
        .unwrap();
    let reported = events(&pushed);
    let by_export = reported.last().unwrap()["image"].as_str().unwrap();
    assert_eq!(by_export.split_once('@').unwrap().1, image.split_once('@').unwrap().1);
    drop(one);
}

#[tokio::test]
async fn a_full_disk_tags_nothing() {
    let Some((_engine, one, _two, folder)) = two().await else { return };
    let noise: Vec<u8> =
        (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::write(folder.path().join("site/noise.bin"), noise).unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs /mnt && TMPDIR=/mnt exec \"$@\"";
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    let as_root: &[&str] = if user == b"0\n" { &["env"] } else { &["sudo", "-n", "-E"] };
    let pushed = command(as_root[0], folder.path())
        .args(&as_root[1..])
        .args(["unshare", "--mount", "sh", "-c", script, "sh"])
        .args([env!("CARGO_BIN_EXE_cutover"), "push", "--format", "json"])
        .output()
        .unwrap();
    let outcome = outcome(&pushed);
    let message = outcome["message"].as_str().unwrap();
    assert!(message.contains("No space left") && message.contains("disk"), "{outcome}");
    assert_eq!(outcome["outcome"], "failed");
    let list = skopeo_fails(&format!("docker://{}:edition", one.repository()));
    assert!(list.contains("manifest unknown") || list.contains("name unknown"), "{list}");
}

fn skopeo_fails(image: &str) -> String {
    let seen =
        Command::new("skopeo").args(["inspect", "--tls-verify=false", image]).output().unwrap();
    assert!(!seen.status.success());
    String::from_utf8_lossy(&seen.stderr).into_owned()
}

#[tokio::test]
async fn a_failed_build_names_its_line() {
    let Some((_engine, _one, _two, folder)) = two().await else { return };
    let message = |arguments: &[&str]| {
        let ended = cutover(folder.path(), arguments);
        assert!(!ended.status.success());
        outcome(&ended)["message"].as_str().unwrap().to_owned()
    };
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY nothing /\n").unwrap();
    let reported = message(&["push", "--format", "json"]);
    assert!(reported.contains("COPY nothing /") && reported.contains("Dockerfile:2"), "{reported}");
    let from = ["push", "--from", "cutover-no-such-image", "--format", "json"];
    assert!(message(&from).contains("would state that this run built the image"));
    let yaml = fs::read_to_string(folder.path().join("cutover.yaml")).unwrap();
    let plain = yaml.replace(", provenance: true", "");
    fs::write(folder.path().join("cutover.yaml"), plain).unwrap();
    let reported = message(&from);
    assert!(reported.contains("no image `cutover-no-such-image`"), "{reported}");
}

/// A company's registry: behind TLS with a private certificate authority, and reachable only
/// through a proxy.
#[tokio::test]
async fn a_private_authority_and_a_proxy_are_used() {
    let Some(_engine) = engine().await else { return };
    let Some(served) = Served::start_by_tls().await else { return };
    let repository = format!("registry.test:{}/team/news", served.port);
    let folder = folder(&[repository]);
    let proxy = Proxy::start();
    let ca = served.folder.path().join("ca.pem");
    let push = |environment: &[(&str, &str)]| {
        let mut command = command(env!("CARGO_BIN_EXE_cutover"), folder.path());
        command.args(["push", "--format", "json"]).envs(environment.iter().copied());
        command.output().unwrap()
    };
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let refused = push(&[("HTTPS_PROXY", &address)]);
    let reported = outcome(&refused)["message"].as_str().unwrap().to_owned();
    assert!(reported.contains("registry.test") && reported.contains("SSL_CERT_FILE"), "{reported}");
    for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
        let pushed = push(&[("HTTPS_PROXY", &address), (variable, ca.to_str().unwrap())]);
        let reported = events(&pushed);
        assert_eq!(reported.last().unwrap()["outcome"], "succeeded", "{variable}: {reported:?}");
    }
    assert!(proxy.asked.load(std::sync::atomic::Ordering::SeqCst) >= 3);
    // A registry on this machine is reached without the proxy, and the authority still applies.
    let near = format!("127.0.0.1:{}/team/near", served.port);
    let built =
        cutover(folder.path(), &["build", "--tag", "cutover-ship-test:tls", "--format", "json"]);
    events(&built);
    let mut pushed = command(env!("CARGO_BIN_EXE_cutover"), folder.path());
    pushed.args(["push", "--from", "cutover-ship-test:tls", "--to", &near, "--format", "json"]);
    events(&pushed.env("SSL_CERT_FILE", &ca).output().unwrap());
    let engine = engine().await.unwrap();
    engine.remove("cutover-ship-test:tls").await.unwrap();
}

/// A proxy that resolves every name to this machine.
struct Proxy {
    port: u16,
    asked: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Proxy {
    fn start() -> Proxy {
        use std::io::{BufRead as _, BufReader, Write as _, copy};
        use std::net::{TcpListener, TcpStream};
        use std::thread::spawn;

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let count = asked.clone();
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let count = count.clone();
                spawn(move || {
                    let mut lines = BufReader::new(client.try_clone().unwrap());
                    let mut first = String::new();
                    lines.read_line(&mut first).unwrap();
                    let mut line = String::new();
                    while lines.read_line(&mut line).unwrap() > 2 {
                        line.clear();
                    }
                    let target = first.strip_prefix("CONNECT registry.test:").unwrap();
                    let port: u16 = target.split(' ').next().unwrap().parse().unwrap();
                    count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                    let mut client = client;
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                    let (mut up, mut back) =
                        (server.try_clone().unwrap(), client.try_clone().unwrap());
                    spawn(move || {
                        let _ = copy(&mut lines, &mut up);
                        let _ = up.shutdown(std::net::Shutdown::Write);
                    });
                    let mut server = server;
                    let _ = copy(&mut server, &mut back);
                    let _ = back.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Proxy { port, asked }
    }
}

#[tokio::test]
async fn a_dockerfile_is_built_and_deployed() {
    if engine().await.is_none() || venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    project.change(
        "  files: [{ from: site, to: /srv/www }]\n  cmd: [/bin/serve, /srv/www]\n",
        "  build: {}\n",
    );
    // A workflow may have the Dockerfile; this machine does not.
    let verified = project.run(&lab, &["verify"]);
    assert_eq!(verified.exited(0)["outcome"], "succeeded");
    assert!(verified.text().contains("Dockerfile` cannot be read"), "{}", verified.text());
    let planned = project.run(&lab, &["plan"]);
    assert!(planned.exited(2)["message"].as_str().unwrap().contains("Dockerfile` cannot be read"));

    project.write(
        "Dockerfile",
        "FROM scratch\nCOPY site /srv/www\nLABEL lab.version=v2\nCMD [\"/bin/serve\"]\n",
    );
    let first = project.run(&lab, &["deploy"]);
    let outcome = first.exited(0);
    assert_eq!((&outcome["outcome"], &outcome["proof"]), (&json!("succeeded"), &json!("launched")));
    assert!(first.events.iter().any(|e| e["event"] == "build"), "{}", first.text());
    let version = json!([2, 1]);
    assert_eq!(truth::of(&lab)["versions"], version);

    // The same Dockerfile gives the same image.
    let again = project.run(&lab, &["deploy"]);
    let message = again.exited(0)["message"].as_str().unwrap();
    assert!(message.contains("already live"), "{message}");
    assert_eq!(truth::of(&lab)["versions"], version);
}
