//! `image.build`: a Dockerfile and the options of its build.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::Located;

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
