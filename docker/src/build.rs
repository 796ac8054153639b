//! Builds an image with a container engine: from a folder and a Dockerfile to an image in the engine's store.
//!
//! Docker builds with BuildKit, through its `/build` endpoint; Podman uses its own builder. This API has no
//! external caches, no additional contexts and no outputs: of caches, only the inline one.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::body_try_stream;
use bollard::errors::Error;
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use bollard_stubs::models::{BuildInfo, BuildInfoAux};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::interval;

use super::context::{Context, Sent};
use super::failure;
use super::session::{self, Login, SessionProviders};
use super::steps::Steps;
use super::{BuildError, Engine, EngineError, EngineImage, EngineKind, Progress};

/// The largest secret that BuildKit accepts (`session/secrets`, `MaxSecretSize`).
const LARGEST_SECRET: usize = 500 * 1024;

/// Interval of progress reports while the context is sent.
const PACE: Duration = Duration::from_secs(5);

/// How long a build may continue after the engine has closed its session.
const WITHOUT_SESSION: Duration = Duration::from_secs(10);

/// What to build, and how.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The build context: the folder that the Dockerfile copies from.
    pub context: PathBuf,
    /// The Dockerfile, in that folder or outside; not relative to it.
    pub dockerfile: PathBuf,
    /// The stage to stop at; `None` for the last.
    pub target: Option<String>,
    /// Values of `ARG`.
    pub args: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Secrets for `RUN --mount=type=secret`.
    pub secrets: Vec<Secret>,
    /// Agents for `RUN --mount=type=ssh`.
    pub ssh: Vec<SshAgent>,
    /// Platform, such as `linux/arm64`; `None` for the engine's own.
    pub platform: Option<String>,
    /// Images whose inline cache is used.
    pub cache_from: Vec<String>,
    /// Whether to include the inline cache in the image, for a later `cache_from`.
    pub inline_cache: bool,
    /// Whether to build without caches.
    pub no_cache: bool,
    /// Whether to check the registries for base images even if the engine has them.
    pub pull: bool,
    /// The image's tag in the engine's store, as in `web:latest`; `None` for none.
    pub tag: Option<String>,
}

/// A value that a build step may read, and that stays out of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its ID in the Dockerfile.
    pub id: String,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The content of a file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// An SSH agent that a build step may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAgent {
    /// Its ID in the Dockerfile; `default` if the Dockerfile names none.
    pub id: String,
    /// Its socket; `None` for the one in `SSH_AUTH_SOCK`.
    pub socket: Option<PathBuf>,
}

/// Looks up an environment variable.
pub type EnvLookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a build may use of the environment that it was started in.
#[derive(Clone)]
pub struct BuildEnv {
    /// Environment variables.
    pub variable: EnvLookup,
    /// Logins to the registries of base images; `None` if the engine pulls anonymously.
    pub login: Option<Login>,
}

impl Engine {
    /// Builds the image, and reports progress to `tell`. Dropping the future ends the build.
    ///
    /// # Errors
    /// Fails if something is missing here, the engine fails, or the build does: then with the step, its last
    /// lines and the Dockerfile's.
    pub async fn build(
        &self,
        build: &BuildRequest,
        surroundings: &BuildEnv,
        emit: &mut dyn FnMut(Progress),
    ) -> Result<EngineImage, BuildError> {
        let (context, stock) = self.prepared(build, surroundings)?;
        let session = match self.info().kind {
            EngineKind::Docker => Some(session::open(&self.way).await.map_err(|cause| {
                let cause = cause.to_string();
                BuildError::Session { cause }
            })?),
            EngineKind::Podman => None,
        };
        let id = session.as_ref().map(|session| session.id.clone());
        let options = self.options(build, &context.name, id);
        let serving = async {
            match session {
                Some(session) => session.serve(stock.clone()).await,
                None => pending().await,
            }
        };
        let mut steps = Steps::default();
        let ran = self.run(options, context.clone(), &mut steps, emit);
        let built = run_with_session(Box::pin(serving), Box::pin(ran)).await;
        let id = match built {
            Ok(id) => id,
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Theirs(error)) => {
                return Err(failure::explain(error, &steps, &context, &stock.missed()));
            }
        };
        let attempted = || "find the image that was built".to_owned();
        let missing =
            |what: &str| EngineError::Protocol { attempted: attempted(), what: what.into() };
        let id = id.ok_or_else(|| missing("the engine ended the build without naming an image"))?;
        let stored = self.inspect(&id).await?;
        Ok(stored.ok_or_else(|| missing(&format!("the engine has no image {id}")))?)
    }

    /// Checks that everything that the build needs to start is here.
    ///
    /// # Errors
    /// Fails if something is missing.
    pub fn check_build(
        &self,
        build: &BuildRequest,
        surroundings: &BuildEnv,
    ) -> Result<(), BuildError> {
        self.prepared(build, surroundings).map(|_| ())
    }

    fn prepared(
        &self,
        build: &BuildRequest,
        surroundings: &BuildEnv,
    ) -> Result<(Context, SessionProviders), BuildError> {
        let context = Context::open(&build.context, &build.dockerfile)?;
        let stock = stock(build, surroundings)?;
        self.check_support(build)?;
        Ok((context, stock))
    }

    /// Checks that this engine can provide what the build may request.
    fn check_support(&self, build: &BuildRequest) -> Result<(), BuildError> {
        let asks = [("secrets", !build.secrets.is_empty()), ("ssh", !build.ssh.is_empty())];
        match asks.iter().find(|(_, asked)| *asked) {
            Some((key, _)) if self.info().kind == EngineKind::Podman => {
                Err(BuildError::Unsupported {
                    what: format!(
                        "`image.build.{key}`: Podman's Docker-compatible API supports neither secrets \
                     nor SSH agents"
                    ),
                    remedy: "Set DOCKER_HOST to a Docker engine, or build and push with `podman` and \
                         deploy with `--image repository@sha256:…`",
                })
            }
            _ => Ok(()),
        }
    }

    fn options(
        &self,
        build: &BuildRequest,
        name: &str,
        session: Option<String>,
    ) -> BuildImageOptions {
        let map = |map: &BTreeMap<String, String>| -> HashMap<String, String> {
            map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let mut args = map(&build.args);
        if build.inline_cache {
            args.insert("BUILDKIT_INLINE_CACHE".to_owned(), "1".to_owned());
        }
        // Podman rejects an empty list.
        let cache_from = Some(build.cache_from.clone()).filter(|images| !images.is_empty());
        BuildImageOptions {
            dockerfile: name.to_owned(),
            t: build.tag.clone(),
            nocache: build.no_cache,
            cachefrom: cache_from,
            pull: build.pull.then(|| "1".to_owned()),
            buildargs: Some(args),
            labels: Some(map(&build.labels)),
            platform: build.platform.clone().unwrap_or_default(),
            target: build.target.clone().unwrap_or_default(),
            version: match self.info().kind {
                EngineKind::Docker => BuilderVersion::BuilderBuildKit,
                EngineKind::Podman => BuilderVersion::BuilderV1,
            },
            session,
            ..BuildImageOptions::default()
        }
    }

    /// Sends the context and follows the build; returns the image's ID.
    async fn run(
        &self,
        options: BuildImageOptions,
        context: Context,
        steps: &mut Steps,
        emit: &mut dyn FnMut(Progress),
    ) -> Result<Option<String>, Stop> {
        let (archive, mut walk) = context.send();
        let taken = Arc::new(AtomicU64::new(0));
        let count = taken.clone();
        let archive = archive.inspect(move |piece| {
            count
                .fetch_add(piece.as_ref().map_or(0, |piece| piece.len() as u64), Ordering::Relaxed);
        });
        let mut pace = interval(PACE);
        // The first tick completes immediately.
        pace.tick().await;
        let mut messages =
            Box::pin(self.docker.build_image(options, None, Some(body_try_stream(archive))));
        let (mut id, mut walking) = (None, true);
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                _ = pace.tick(), if walking => {
                    emit(Progress::Sending { bytes: taken.load(Ordering::Relaxed) });
                    continue;
                }
                sent = &mut walk, if walking => {
                    walking = false;
                    if let Some(sent) = walked(sent)? {
                        emit(Progress::Sent { files: sent.files, bytes: sent.bytes });
                    }
                    continue;
                }
            };
            match message {
                None => return Ok(id),
                Some(Ok(info)) => id = hear(info, steps, emit).or(id),
                Some(Err(error)) => {
                    // To the engine, a failure of the walk is only a truncated archive.
                    if walking {
                        walked(within_a_moment(walk).await)?;
                    }
                    return Err(Stop::Theirs(error));
                }
            }
        }
    }
}

/// Runs a build along with its session. A session that fails does not leave the build waiting forever.
async fn run_with_session<T>(
    mut serving: impl Future<Output = Result<(), String>> + Unpin,
    mut ran: impl Future<Output = Result<T, Stop>> + Unpin,
) -> Result<T, Stop> {
    let ended = tokio::select! {
        built = &mut ran => return built,
        ended = &mut serving => ended,
    };
    // The build may already have all that it needs from the session.
    tokio::time::timeout(WITHOUT_SESSION, ran).await.unwrap_or_else(|_| {
        let cause = ended.err().unwrap_or_else(|| "the engine closed it".to_owned());
        Err(Stop::Ours(BuildError::Session { cause }))
    })
}

/// Why a build ended without an image.
enum Stop {
    /// An error on this side.
    Ours(BuildError),
    /// An error from the engine.
    Theirs(Error),
}

/// Reports a message; returns the image's ID if the message has it.
fn hear(info: BuildInfo, steps: &mut Steps, emit: &mut dyn FnMut(Progress)) -> Option<String> {
    if let Some(text) = info.stream {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.for_each(|line| emit(steps.hear(line)));
    }
    match info.aux? {
        BuildInfoAux::BuildKit(status) => {
            steps.learn(&status).into_iter().for_each(emit);
            None
        }
        BuildInfoAux::Default(image) => image.id,
    }
}

/// Returns the result of the walk; `None` if the engine stopped reading, which it explains itself.
fn walked(
    sent: Result<Result<Sent, BuildError>, tokio::task::JoinError>,
) -> Result<Option<Sent>, Stop> {
    match sent {
        Ok(Ok(sent)) => Ok(Some(sent)),
        Ok(Err(BuildError::Read { source, .. })) if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(None)
        }
        Ok(Err(error)) => Err(Stop::Ours(error)),
        Err(_) => Ok(None),
    }
}

/// Waits for the walk, which ends when the connection does, but not for a disk that hangs.
async fn within_a_moment(
    walk: JoinHandle<Result<Sent, BuildError>>,
) -> Result<Result<Sent, BuildError>, tokio::task::JoinError> {
    let waited = tokio::time::timeout(Duration::from_secs(2), walk).await;
    waited.unwrap_or_else(|_| Ok(Ok(Sent::default())))
}

/// Collects what the build may request, and checks that all of it exists.
fn stock(build: &BuildRequest, surroundings: &BuildEnv) -> Result<SessionProviders, BuildError> {
    let mut stock =
        SessionProviders { login: surroundings.login.clone(), ..SessionProviders::default() };
    for Secret { id, source } in &build.secrets {
        let failed = |cause: String| BuildError::Secret { id: id.clone(), cause };
        let value = match source {
            SecretSource::File(path) => {
                fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?
            }
            SecretSource::Env(name) => (surroundings.variable)(name)
                .ok_or_else(|| {
                    failed(format!("the environment variable {name} is not set or empty"))
                })?
                .into_bytes(),
        };
        if value.len() > LARGEST_SECRET {
            return Err(failed(format!("engines accept at most {} KiB", LARGEST_SECRET / 1024)));
        }
        stock.secrets.insert(id.clone(), value);
    }
    for SshAgent { id, socket } in &build.ssh {
        let failed = |cause: String| BuildError::Agent { id: id.clone(), cause };
        let from_environment = || (surroundings.variable)("SSH_AUTH_SOCK").map(PathBuf::from);
        let socket = socket.clone().or_else(from_environment);
        let socket = socket.ok_or_else(|| failed("SSH_AUTH_SOCK is not set".to_owned()))?;
        fs::metadata(&socket).map_err(|error| failed(format!("{}: {error}", socket.display())))?;
        stock.agents.insert(id.clone(), socket);
    }
    Ok(stock)
}
