//! Podman through its Docker-compatible API: its own builder, and its own export format.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // test helpers do not count as tests

mod support {
    pub(crate) mod registry;
}

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use support::registry::{Served, skopeo};
use tempfile::TempDir;

/// `podman system service` with a store of its own; it ends with the test.
struct Podman {
    child: Child,
    folder: TempDir,
}

impl Podman {
    /// Returns `None`, and prints why, if Podman isn't installed. In CI it must be.
    fn start() -> Option<Podman> {
        if Command::new("podman").arg("--version").output().is_err() {
            let missing = "podman is not installed (apt-get install podman)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let child = Command::new("podman")
            .args(["--root", &path("root"), "--runroot", &path("run"), "--storage-driver=vfs"])
            .args(["--cgroup-manager=cgroupfs", "system", "service", "--time=0"])
            .arg(format!("unix://{}", path("socket")))
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let podman = Podman { child, folder };
        for _ in 0..100 {
            if podman.folder.path().join("socket").exists() {
                return Some(podman);
            }
            sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(podman.folder.path().join("log")).unwrap();
        panic!("podman does not listen: {log}");
    }

    /// Runs `cutover` in a folder with this engine; returns its events, and the last of them.
    fn cutover(&self, folder: &Path, arguments: &[&str]) -> (Vec<Value>, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .current_dir(folder)
            .env("DOCKER_HOST", format!("unix://{}", self.folder.path().join("socket").display()))
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .env_remove("GITHUB_SHA")
            .args(arguments)
            .args(["--format", "json"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let events: Vec<Value> = events.collect();
        let last = events.last().unwrap_or_else(|| panic!("{output:?}")).clone();
        (events, last)
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a folder with a Dockerfile, a site and a configuration that pushes to `push`.
fn folder(dockerfile: &str, build: &str, push: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("site")).unwrap();
    write("site/index.html", &"<h1>오늘의 소식</h1>\n".repeat(10_000));
    write("site/notes.txt", "not for the image");
    write(".dockerignore", "**/notes.txt\n");
    write("Dockerfile", dockerfile);
    let yaml = format!(
        "version: 1\nservice: news\nregion: ap-northeast-2\nimage:\n  push: [{push}]\n  tags: [edition]\n  \
         build: {{ context: .{build} }}\nfleet: {{ group: news }}\nstrategy: rolling\n"
    );
    write("cutover.yaml", &yaml);
    folder
}

#[tokio::test]
async fn an_image_built_by_podman_is_pushed_completely() {
    let Some(podman) = Podman::start() else { return };
    let Some(served) = Served::start(None).await else { return };
    let dockerfile = "FROM scratch\nARG EDITION\nCOPY site /srv/www\nLABEL edition=$EDITION\n";
    let repository = served.repository().to_string();
    let folder = folder(dockerfile, ", args: { EDITION: one }", &repository);
    let (events, outcome) = podman.cutover(folder.path(), &["push"]);
    assert_eq!(outcome["outcome"], "succeeded", "{outcome}");
    let reported =
        |words: &str| events.iter().any(|e| e["line"].as_str().unwrap_or("").contains(words));
    assert!(reported("STEP 1/") && reported("Successfully built"), "{events:?}");
    let image = outcome["image"].as_str().unwrap();

    let tagged = format!("docker://{repository}:edition");
    let format = "{{.Digest}} {{.Labels.edition}}";
    let seen = skopeo(&["inspect", "--tls-verify=false", "--format", format, &tagged]);
    assert_eq!(seen.trim(), format!("{} one", image.split_once('@').unwrap().1));
    let copy = folder.path().join("copy");
    let to = format!("dir:{}", copy.display());
    skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{image}"), &to]);
    let text = fs::read_to_string(copy.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let mut names = Vec::new();
    for layer in manifest["layers"].as_array().unwrap() {
        let digest = layer["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let blob = fs::File::open(copy.join(digest)).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(blob));
        for entry in archive.entries().unwrap() {
            names.push(entry.unwrap().path().unwrap().display().to_string());
        }
    }
    assert!(names.iter().any(|name| name == "srv/www/index.html"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("notes")), "{names:?}");

    let (events, outcome) = podman.cutover(folder.path(), &["push"]);
    assert_eq!(outcome["image"], image, "{outcome}");
    let sent = events.iter().find(|event| event["event"] == "image").unwrap();
    assert_eq!(sent["uploaded"], 0, "{events:?}");
}

#[test]
fn what_podman_cannot_do_is_reported() {
    let Some(podman) = Podman::start() else { return };
    let here = "registry.example/news";
    let folder_of = |dockerfile, build| folder(dockerfile, build, here);
    let missing = folder_of("FROM scratch\nCOPY site/notes.txt /\n", "");
    let (_, outcome) = podman.cutover(missing.path(), &["build"]);
    let message = outcome["message"].as_str().unwrap();
    assert_eq!(outcome["outcome"], "failed", "{outcome}");
    assert!(message.contains("   2 | >>> COPY site/notes.txt /"), "{message}");
    assert!(message.contains("excludes it") && message.contains(".dockerignore"), "{message}");

    let secret =
        folder_of("FROM scratch\nCOPY site /\n", ", secrets: { key: { file: Dockerfile } }");
    let (_, outcome) = podman.cutover(secret.path(), &["build"]);
    let message = outcome["message"].as_str().unwrap();
    assert_eq!(outcome["outcome"], "refused", "{outcome}");
    assert!(
        message.contains("supports neither secrets") && message.contains("DOCKER_HOST"),
        "{message}"
    );
}
