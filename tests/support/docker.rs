//! The container engine of this machine, and folders to build from.

#![allow(dead_code)] // each test binary uses a part

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover::docker::{Build, BuildError, Engine, Kind, Progress, Stored, Surroundings};
use tempfile::TempDir;

/// A shell that needs nothing else: with it, `RUN` works on top of `scratch`.
const BUSYBOX: &str = "/bin/busybox";

/// The first lines of a Dockerfile with a shell.
pub(crate) const SHELL: &str =
    "FROM scratch AS shell\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\n";

/// A Docker engine; `None`, with a line that says so, where there is none. CI must have it.
pub(crate) async fn engine() -> Option<Engine> {
    let cause = match Engine::connect(|name| std::env::var(name).ok()).await {
        Ok(_) if !Path::new(BUSYBOX).exists() => {
            format!("there is no {BUSYBOX} (apt-get install busybox-static)")
        }
        Ok(engine) if engine.facts().kind == Kind::Podman => {
            format!("{} is Podman, and these are Docker's words", engine.way())
        }
        Ok(engine) => return Some(engine),
        Err(error) => error.to_string(),
    };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{cause}");
    eprintln!("skipped: {cause}");
    None
}

/// A folder with a Dockerfile, busybox, and these files.
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

    /// To build what is here.
    pub(crate) fn build(&self) -> Build {
        let (context, dockerfile) = (self.path(""), self.path("Dockerfile"));
        Build { context, dockerfile, ..Build::default() }
    }
}

/// Builds; the lines that were told, too.
pub(crate) async fn build(
    engine: &Engine,
    build: &Build,
    variables: &[(&'static str, &str)],
) -> (Result<Stored, BuildError>, Vec<String>) {
    let variables: Vec<(&str, String)> =
        variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let variable = move |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    };
    let surroundings = Surroundings { variable: Arc::new(variable), login: None };
    let mut lines = Vec::new();
    let mut tell = |progress: Progress| lines.push(progress.to_string());
    let built = engine.build(build, &surroundings, &mut tell).await;
    (built, lines)
}
