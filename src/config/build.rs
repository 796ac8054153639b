//! `image.build`: a Dockerfile and the options of its build.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::Located;
use super::resolve::Checker;

/// Builds the image from a Dockerfile with a container engine (Docker or Podman).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BuildSection {
    /// The build context: the directory that is sent to the engine (default: the one of `cutover.yaml`).
    pub context: Option<Located<String>>,
    /// The Dockerfile, relative to the context (default `Dockerfile`).
    pub dockerfile: Option<Located<String>>,
    /// The stage to build (default: the last one).
    pub target: Option<Located<String>>,
    /// Build arguments. An argument without a value takes it from the environment variable of the same name.
    pub args: Option<BTreeMap<String, Option<String>>>,
    /// Secrets for `RUN --mount=type=secret`, by id. They do not become part of the image.
    pub secrets: Option<BTreeMap<String, Located<SecretSection>>>,
    /// SSH agents for `RUN --mount=type=ssh`: `default`, or `id=/path/to/socket`.
    pub ssh: Option<Vec<Located<String>>>,
    /// Images whose inline cache the build may use.
    #[serde(default)]
    pub cache_from: Vec<Located<String>>,
    /// Whether to embed an inline cache in the image, for a later `cache_from` (default false).
    pub inline_cache: Option<bool>,
    /// Whether to pull newer versions of the base images (default false).
    pub pull: Option<bool>,
}

/// The source of a build secret.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SecretSection {
    /// The name of an environment variable.
    Env(String),
    /// The path of a file, relative to the directory of `cutover.yaml`.
    File(String),
}

/// What an engine is to build. Paths are relative to [`super::Config::directory`], or absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Build {
    /// The directory that is sent to the engine.
    pub context: PathBuf,
    /// Relative to the context.
    pub dockerfile: PathBuf,
    /// The stage; `None` means the last one.
    pub target: Option<String>,
    /// Build arguments; `None` means the value of the environment variable of the same name.
    pub args: BTreeMap<String, Option<String>>,
    /// Labels in addition to the Dockerfile's.
    pub labels: BTreeMap<String, String>,
    /// For example `linux/arm64`; `None` means the engine's own platform.
    pub platform: Option<String>,
    /// By id.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Agent sockets by id; `None` means `SSH_AUTH_SOCK`.
    pub ssh: BTreeMap<String, Option<PathBuf>>,
    /// Images whose inline cache the build may use.
    pub cache_from: Vec<String>,
    /// Whether to embed an inline cache in the image.
    pub inline_cache: bool,
    /// Whether to pull newer versions of the base images.
    pub pull: bool,
}

/// The source of a build secret. The value is read only when the build needs it and is never recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl BuildSection {
    pub(super) fn resolve(&self, check: &mut Checker<'_>) -> Build {
        let text = |at: &Option<Located<String>>| at.as_ref().map(|at| at.value.clone());
        for (at, what) in [
            (&self.context, "a directory path"),
            (&self.dockerfile, "a file path"),
            (&self.target, "a stage name"),
        ] {
            if let Some(at) = at {
                check.filled(at, what);
            }
        }
        for image in &self.cache_from {
            check.filled(image, "an image name");
        }
        let secrets = self.secrets.iter().flatten();
        Build {
            context: text(&self.context).unwrap_or_else(|| ".".to_owned()).into(),
            dockerfile: text(&self.dockerfile).unwrap_or_else(|| "Dockerfile".to_owned()).into(),
            target: text(&self.target),
            args: self.args.clone().unwrap_or_default(),
            secrets: secrets.map(|(id, from)| (id.clone(), secret(id, from, check))).collect(),
            ssh: self.ssh.iter().flatten().map(|at| agent(at, check)).collect(),
            cache_from: self.cache_from.iter().map(|at| at.value.clone()).collect(),
            inline_cache: self.inline_cache.unwrap_or_default(),
            pull: self.pull.unwrap_or_default(),
            ..Build::default()
        }
    }
}

fn secret(id: &str, from: &Located<SecretSection>, check: &mut Checker<'_>) -> SecretSource {
    let (text, source) = match &from.value {
        SecretSection::Env(name) => (name, SecretSource::Env(name.clone())),
        SecretSection::File(path) => (path, SecretSource::File(path.into())),
    };
    if text.is_empty() {
        check.at(
            from.place,
            format!("the secret `{id}` has no source"),
            "write `{ env: NAME }` or `{ file: path }`, never the secret itself",
        );
    }
    source
}

/// Parses `id` or `id=socket`.
fn agent(at: &Located<String>, check: &mut Checker<'_>) -> (String, Option<PathBuf>) {
    let (id, socket) = match at.value.split_once('=') {
        Some((id, socket)) => (id, Some(socket)),
        None => (at.value.as_str(), None),
    };
    if id.is_empty() || socket == Some("") {
        check.at(
            at.place,
            format!("`{}` does not name an SSH agent", at.value),
            "write `default` for the agent at SSH_AUTH_SOCK, or `id=/path/to/socket`",
        );
    }
    (id.to_owned(), socket.map(PathBuf::from))
}
