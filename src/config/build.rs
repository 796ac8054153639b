//! `image.build`: a Dockerfile, and what it is built with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::resolve::Checker;

/// An image that a container engine builds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BuildSection {
    /// The folder that is sent to the engine (default: that of `cutover.yaml`).
    pub context: Option<At<String>>,
    /// The Dockerfile, from the context (default `Dockerfile`).
    pub dockerfile: Option<At<String>>,
    /// The stage to build (default: the last).
    pub target: Option<At<String>>,
    /// Build arguments; one without a value has that of the environment variable of its name.
    pub args: Option<BTreeMap<String, Option<String>>>,
    /// Secrets for `RUN --mount=type=secret`, by their ids. They are not in the image.
    pub secrets: Option<BTreeMap<String, At<SecretSection>>>,
    /// SSH agents for `RUN --mount=type=ssh`, by their ids: `default`, or `id=/path/to/socket`.
    pub ssh: Option<Vec<At<String>>>,
    /// Images whose inline cache may be used.
    #[serde(default)]
    pub cache_from: Vec<At<String>>,
    /// Keep in the image what a later `cache_from` needs (default false).
    pub inline_cache: Option<bool>,
    /// Look for newer base images (default false).
    pub pull: Option<bool>,
}

/// Where a secret comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SecretSection {
    /// An environment variable.
    Env(String),
    /// A file, from the folder of `cutover.yaml`.
    File(String),
}

/// What to build, and how. Paths are relative to [`super::Config::directory`], or absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Build {
    /// The folder that is sent to the engine.
    pub context: PathBuf,
    /// Relative to the context.
    pub dockerfile: PathBuf,
    /// The stage; `None` stands for the last.
    pub target: Option<String>,
    /// Build arguments; `None` stands for the environment variable of the same name.
    pub args: BTreeMap<String, Option<String>>,
    /// Labels besides the Dockerfile's own.
    pub labels: BTreeMap<String, String>,
    /// As in `linux/arm64`; `None` stands for the engine's own.
    pub platform: Option<String>,
    /// By id.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Sockets by id; `None` stands for `SSH_AUTH_SOCK`.
    pub ssh: BTreeMap<String, Option<PathBuf>>,
    /// Images whose inline cache may be used.
    pub cache_from: Vec<String>,
    /// Whether to keep an inline cache.
    pub inline_cache: bool,
    /// Whether to look for newer base images.
    pub pull: bool,
}

/// Where a secret comes from. Its value is read when it is needed and is in no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl BuildSection {
    pub(super) fn resolve(&self, check: &mut Checker<'_>) -> Build {
        let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
        for (at, what) in [
            (&self.context, "a folder's path"),
            (&self.dockerfile, "a file's path"),
            (&self.target, "a stage's name"),
        ] {
            if let Some(at) = at {
                check.filled(at, what);
            }
        }
        for image in &self.cache_from {
            check.filled(image, "an image's name");
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

fn secret(id: &str, from: &At<SecretSection>, check: &mut Checker<'_>) -> SecretSource {
    let (text, source) = match &from.value {
        SecretSection::Env(name) => (name, SecretSource::Env(name.clone())),
        SecretSection::File(path) => (path, SecretSource::File(path.into())),
    };
    if text.is_empty() {
        check.at(
            from.place,
            format!("the secret `{id}` comes from nowhere"),
            "write `{ env: NAME }` or `{ file: path }`; the secret itself belongs in neither",
        );
    }
    source
}

/// `id` or `id=socket`.
fn agent(at: &At<String>, check: &mut Checker<'_>) -> (String, Option<PathBuf>) {
    let (id, socket) = match at.value.split_once('=') {
        Some((id, socket)) => (id, Some(socket)),
        None => (at.value.as_str(), None),
    };
    if id.is_empty() || socket == Some("") {
        check.at(
            at.place,
            format!("`{}` names no SSH agent", at.value),
            "write `default` for the one of SSH_AUTH_SOCK, or `id=/path/to/socket`",
        );
    }
    (id.to_owned(), socket.map(PathBuf::from))
}
