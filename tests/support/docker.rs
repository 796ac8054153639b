//! This machine's container engine, and folders to build from.

#![allow(dead_code)] // each test binary uses only a part

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_docker::{
    BuildEnv, BuildError, BuildRequest, Engine, EngineImage, EngineKind, Progress,
};
use tempfile::TempDir;

/// A shell without dependencies, so that `RUN` works on top of `scratch`.
const BUSYBOX: &str = "/bin/busybox";

/// The first lines of a Dockerfile with a shell.
pub(crate) const SHELL: &str =
    "FROM scratch AS shell\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\n";

/// Returns a Docker engine; `None`, after printing why, if there is none. In CI there must be one.
pub(crate) async fn engine() -> Option<Engine> {
    let cause = match Engine::connect(|name| std::env::var(name).ok()).await {
        Ok(_) if !Path::new(BUSYBOX).exists() => {
            format!("there is no {BUSYBOX} (apt-get install busybox-static)")
        }
        Ok(engine) if engine.info().kind == EngineKind::Podman => {
            format!("{} is Podman, and these tests need Docker's messages", engine.host())
        }
        Ok(engine) => return Some(engine),
        Err(error) => error.to_string(),
    };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{cause}");
    eprintln!("skipped: {cause}");
    None
}

/// A folder with a Dockerfile, busybox, and other files.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new(dockerfile: &str, files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(BUSYBOX, folder.path().join("busybox")).unwrap();
        fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Folder { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a build of this folder.
    pub(crate) fn build(&self) -> BuildRequest {
        let (context, dockerfile) = (self.path(""), self.path("Dockerfile"));
        BuildRequest { context, dockerfile, ..BuildRequest::default() }
    }
}

/// Builds; returns the result and the lines that were reported.
pub(crate) async fn build(
    engine: &Engine,
    build: &BuildRequest,
    variables: &[(&'static str, &str)],
) -> (Result<EngineImage, BuildError>, Vec<String>) {
    let variables: Vec<(&str, String)> =
        variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let variable = move |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    };
    let surroundings = BuildEnv { variable: Arc::new(variable), login: None };
    let mut lines = Vec::new();
    let mut emit = |progress: Progress| lines.push(progress.to_string());
    let built = engine.build(build, &surroundings, &mut emit).await;
    (built, lines)
}
