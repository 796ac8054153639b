//! Builds by this machine's container engine: Docker 20.10 or newer, as in CI.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // test helpers do not count as tests

mod support {
    pub(crate) mod docker;
}

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use cutover_docker::{
    BuildRequest, DockerHost, Engine, EngineImage, Secret, SecretSource, SshAgent,
};
use cutover_rollout::model::Digest;
use support::docker::{Folder, SHELL, build, engine};
use tokio::io::AsyncReadExt as _;

/// Returns all files of an image, in the order of its layers, read from what `docker save` writes.
async fn files(engine: &Engine, image: &EngineImage) -> BTreeMap<String, String> {
    let mut saved = Vec::new();
    engine.save(image.id.as_str()).read_to_end(&mut saved).await.unwrap();
    let mut members = BTreeMap::new();
    for member in tar::Archive::new(saved.as_slice()).entries().unwrap() {
        let mut member = member.unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(member.path().unwrap().display().to_string(), bytes);
    }
    let manifest: serde_json::Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
    let mut files = BTreeMap::new();
    for layer in manifest[0]["Layers"].as_array().unwrap() {
        let bytes = &members[layer.as_str().unwrap()];
        assert!(image.diff_ids.contains(&Digest::of(bytes)));
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let name = entry.path().unwrap().display().to_string();
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    files
}

/// Returns the image's configuration, as the engine stores it.
async fn configuration(engine: &Engine, image: &EngineImage) -> serde_json::Value {
    let mut saved = Vec::new();
    engine.save(image.id.as_str()).read_to_end(&mut saved).await.unwrap();
    for member in tar::Archive::new(saved.as_slice()).entries().unwrap() {
        let mut bytes = Vec::new();
        member.unwrap().read_to_end(&mut bytes).unwrap();
        if Digest::of(&bytes) == image.id {
            return serde_json::from_slice(&bytes).unwrap();
        }
    }
    panic!("no configuration");
}

/// Whether the step of this instruction was cached.
fn is_cached(lines: &[String], instruction: &str) -> bool {
    let began = lines.iter().find(|line| line.ends_with(instruction)).unwrap();
    let number = began.split_once(' ').unwrap().0;
    lines.contains(&format!("{number} CACHED"))
}

/// Runs a build that must fail; returns the error.
async fn failure(engine: &Engine, what: &BuildRequest) -> String {
    build(engine, what, &[]).await.0.unwrap_err().to_string()
}

#[tokio::test]
async fn a_folder_becomes_an_image() {
    let Some(engine) = engine().await else { return };
    let folder = Folder::new(
        "FROM scratch AS first\nARG GREETING=none\nCOPY a /from-first\n\
         FROM scratch AS second\nARG GREETING\nLABEL greeting=$GREETING\n\
         COPY --from=first /from-first /x\nCOPY . /all/\n\
         FROM scratch\nCOPY none /\n",
        &[
            ("a", "one"),
            ("deep/b", "two"),
            ("deep/c.log", "three"),
            (".dockerignore", "*/*.log\nbusybox"),
        ],
    );
    let what = BuildRequest {
        target: Some("second".to_owned()),
        args: [("GREETING".to_owned(), "hello".to_owned())].into(),
        labels: [("team".to_owned(), "a \"b\" c".to_owned())].into(),
        tag: Some("cutover-engine-test:folder".to_owned()),
        ..folder.build()
    };
    let (built, lines) = build(&engine, &what, &[]).await;
    let image = built.unwrap();
    assert_eq!(image.tags, ["cutover-engine-test:folder"]);
    assert_eq!(image.diff_ids.len(), 2);
    assert_eq!(engine.inspect("cutover-engine-test:folder").await.unwrap().as_ref(), Some(&image));
    let all = lines.join("\n");
    assert!(all.contains("context: 4 files"), "{all}");
    assert!(all.contains("COPY --from=first /from-first /x"), "{all}");
    assert!(all.contains("DONE"), "{all}");

    let files = files(&engine, &image).await;
    assert_eq!((files["x"].as_str(), files["all/deep/b"].as_str()), ("one", "two"));
    assert!(!files.contains_key("all/deep/c.log") && !files.contains_key("all/busybox"));
    let configuration = configuration(&engine, &image).await;
    let labels = &configuration["config"]["Labels"];
    assert_eq!(*labels, serde_json::json!({ "greeting": "hello", "team": "a \"b\" c" }));

    // A repeated build does nothing and returns the same image.
    let (again, lines) = build(&engine, &what, &[]).await;
    assert_eq!(again.unwrap().id, image.id);
    assert!(is_cached(&lines, "COPY . /all/"), "{lines:?}");
    let uncached = BuildRequest { no_cache: true, ..what };
    let (_, lines) = build(&engine, &uncached, &[]).await;
    assert!(!is_cached(&lines, "COPY . /all/"), "{lines:?}");

    engine.tag(image.id.as_str(), "cutover-engine-test", "other").await.unwrap();
    engine.remove("cutover-engine-test:folder").await.unwrap();
    engine.remove("cutover-engine-test:other").await.unwrap();
    assert_eq!(engine.inspect("cutover-engine-test:other").await.unwrap(), None);
}

#[tokio::test]
async fn layers_are_read_from_the_engines_folder_if_permitted() {
    let Some(engine) = engine().await else { return };
    let folder = Folder::new("FROM scratch\nCOPY a b /\n", &[("a", "A"), ("b", "B")]);
    let image = build(&engine, &folder.build(), &[]).await.0.unwrap();
    let Some(store) = engine.layer_store() else {
        eprintln!("skipped: this user may not read the engine's folder");
        return;
    };
    let mut bytes = Vec::new();
    store.archive(&image.diff_ids).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), image.diff_ids[0]);
    let kept: serde_json::Value =
        serde_json::from_slice(&store.configuration(&image.id).unwrap()).unwrap();
    assert_eq!(kept, configuration(&engine, &image).await);
    engine.remove(image.id.as_str()).await.unwrap();
}

#[tokio::test]
async fn secrets_are_read_and_not_stored() {
    let Some(engine) = engine().await else { return };
    let steps = "RUN --mount=type=secret,id=token --mount=type=secret,id=key \
                 busybox sha256sum /run/secrets/token /run/secrets/key | busybox tee /sums\n";
    let folder = Folder::new(&format!("{SHELL}{steps}"), &[("key.txt", "from a file")]);
    let token = Secret { id: "token".to_owned(), source: SecretSource::Env("TOKEN".to_owned()) };
    let key = Secret { id: "key".to_owned(), source: SecretSource::File(folder.path("key.txt")) };
    let what = BuildRequest { secrets: vec![token, key], no_cache: true, ..folder.build() };
    let (built, lines) = build(&engine, &what, &[("TOKEN", "s3cret of the day")]).await;
    let image = built.unwrap();
    let all = lines.join("\n");
    for value in ["s3cret of the day", "from a file"] {
        let digest = Digest::of(value.as_bytes());
        let sum = digest.as_str().trim_start_matches("sha256:");
        assert!(all.contains(sum), "{value}: {all}");
    }
    assert!(!all.contains("s3cret"));
    let files = files(&engine, &image).await;
    assert!(files.values().all(|text| !text.contains("s3cret") && text != "from a file"));
    engine.remove(image.id.as_str()).await.unwrap();

    let reported = failure(&engine, &what).await;
    assert!(
        reported.contains("`token`") && reported.contains("variable TOKEN is not set"),
        "{reported}"
    );
}

#[tokio::test]
async fn an_unconfigured_secret_is_named_with_its_key() {
    let Some(engine) = engine().await else { return };
    let steps = "RUN --mount=type=secret,id=npm,required=true \\\n  busybox cat /run/secrets/npm\n";
    let folder = Folder::new(&format!("{SHELL}{steps}"), &[]);
    let reported = failure(&engine, &folder.build()).await;
    assert!(reported.contains("`npm`, which `image.build.secrets` does not contain"), "{reported}");
    assert!(
        reported.contains("   4 | >>> RUN --mount") && reported.contains("   5 | >>> "),
        "{reported}"
    );
}

#[tokio::test]
async fn a_step_reaches_the_ssh_agent() {
    let Some(engine) = engine().await else { return };
    // busybox's nc has no Unix sockets: the step can only show that the socket is there, which
    // takes a connection to the agent.
    let steps = "RUN --mount=type=ssh,id=deploy,required=true \
                 busybox test -S \"$SSH_AUTH_SOCK\" && busybox echo it is there\n";
    let folder = Folder::new(&format!("{SHELL}{steps}"), &[]);
    let socket = folder.path("agent.sock");
    let _agent = UnixListener::bind(&socket).unwrap();
    let agent = SshAgent { id: "deploy".to_owned(), socket: Some(socket) };
    let what = BuildRequest { ssh: vec![agent], no_cache: true, ..folder.build() };
    let (built, lines) = build(&engine, &what, &[]).await;
    let image = built.unwrap();
    assert!(lines.iter().any(|line| line.ends_with("it is there")), "{lines:?}");
    engine.remove(image.id.as_str()).await.unwrap();

    let reported = failure(&engine, &BuildRequest { ssh: Vec::new(), ..what }).await;
    assert!(reported.contains("`deploy`, which `image.build.ssh` does not contain"), "{reported}");
}

#[tokio::test]
async fn a_failing_step_is_reported_with_its_lines() {
    let Some(engine) = engine().await else { return };
    let steps = "WORKDIR /srv\nRUN busybox echo all is well\nRUN busybox echo the disk is on fire \\\n  && busybox false\nRUN busybox true\n";
    let folder = Folder::new(&format!("{SHELL}{steps}"), &[]);
    let reported = failure(&engine, &folder.build()).await;
    let first = reported.lines().next().unwrap();
    assert!(first.contains("RUN busybox echo the disk is on fire"), "{reported}");
    assert!(first.contains("exit code: 1"), "{reported}");
    assert!(reported.contains("Last lines of its output:\n  the disk is on fire\n"), "{reported}");
    let dockerfile = folder.path("Dockerfile");
    let excerpt = format!(
        "{}:6\n   4 |     WORKDIR /srv\n   5 |     RUN busybox echo all is well\n   \
         6 | >>> RUN busybox echo the disk is on fire \\\n   7 | >>>   && busybox false\n   \
         8 |     RUN busybox true",
        dockerfile.display()
    );
    assert!(reported.ends_with(&excerpt), "{reported}\n{excerpt}");
}

#[tokio::test]
async fn mistakes_are_reported_with_their_lines() {
    let Some(engine) = engine().await else { return };
    let folder = Folder::new("FROM scratch\nCOPPY a /\n", &[]);
    let reported = failure(&engine, &folder.build()).await;
    assert!(reported.contains("COPPY") && reported.contains("   2 | >>> COPPY a /"), "{reported}");

    let folder = Folder::new("FROM scratch\nCOPY dist/a.js /\n", &[("dist/a.js", "")]);
    std::fs::write(folder.path(".dockerignore"), "dist").unwrap();
    let reported = failure(&engine, &folder.build()).await;
    assert!(reported.contains("   2 | >>> COPY dist/a.js /"), "{reported}");
    assert!(
        reported.contains(&format!(
            "exists, but {} excludes it",
            folder.path(".dockerignore").display()
        )),
        "{reported}"
    );

    let folder = Folder::new("FROM scratch\nCOPY Dockerfile /\n", &[]);
    let target = Some("nothing".to_owned());
    let reported = failure(&engine, &BuildRequest { target, ..folder.build() }).await;
    assert!(reported.contains("nothing"), "{reported}");
}

#[tokio::test]
async fn a_large_context_with_a_dockerfile_elsewhere_is_built() {
    let Some(engine) = engine().await else { return };
    let folder = Folder::new("", &[("elsewhere/web.Dockerfile", "FROM scratch\nCOPY big /\n")]);
    let big = vec![b'x'; 40_000_000];
    std::fs::create_dir(folder.path("context")).unwrap();
    std::fs::write(folder.path("context/big"), &big).unwrap();
    let (context, dockerfile) = (folder.path("context"), folder.path("elsewhere/web.Dockerfile"));
    let what = BuildRequest { context, dockerfile, ..BuildRequest::default() };
    let (built, lines) = build(&engine, &what, &[]).await;
    let image = built.unwrap();
    assert!(image.size >= big.len() as u64);
    engine.remove(image.id.as_str()).await.unwrap();
    assert!(lines.iter().any(|line| line == "context: 1 files, 40.0 MB"), "{lines:?}");
}

/// Whether a process on this machine, in whatever container, was started with this command.
fn is_running(command: &[u8]) -> bool {
    let started = |process: std::fs::DirEntry| std::fs::read(process.path().join("cmdline"));
    let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.any(|process| started(process).is_ok_and(|found| found == command))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn dropping_a_build_stops_it() {
    let Some(engine) = engine().await else { return };
    if !matches!(engine.host(), DockerHost::Unix(_)) {
        eprintln!(
            "skipped: the engine is not on this machine, so its processes cannot be observed"
        );
        return;
    }
    let folder = Folder::new(&format!("{SHELL}RUN busybox sleep 3599\n"), &[]);
    let what = BuildRequest { no_cache: true, ..folder.build() };
    let step = || is_running(b"busybox\0sleep\x003599\0");
    tokio::select! {
        (built, lines) = build(&engine, &what, &[]) => panic!("it ended: {built:?}, {lines:?}"),
        () = until("the step did not start", step) => {}
    }
    until("the step outlived the build", || !step()).await;
}

#[tokio::test]
async fn without_an_engine_the_alternatives_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let host = format!("unix://{}", socket.display());
    let variable = |name: &str| (name == "DOCKER_HOST").then(|| host.clone());
    let reported = Engine::connect(variable).await.unwrap_err().to_string();
    assert!(reported.contains(&host) && reported.contains("image.files"), "{reported}");
    assert!(reported.contains("--image repository@sha256:"), "{reported}");

    // Something else listens on the socket.
    let listener = UnixListener::bind(&socket).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let reported = Engine::connect(variable).await.unwrap_err().to_string();
    assert!(reported.contains("404"), "{reported}");
    other.join().unwrap();
}
