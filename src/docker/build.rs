//! A build by an engine: a folder and a Dockerfile in, an image in the engine's store out.
//!
//! With BuildKit by way of Docker's `/build`; Podman builds by its own builder. That interface has no
//! cache that is written elsewhere, no further contexts and no outputs: of caches, only the inline one.

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
use super::session::{self, Login, Stock};
use super::steps::Steps;
use super::{BuildError, Engine, EngineError, Kind, Progress, Stored};

/// BuildKit takes no larger secret (`session/secrets`, `MaxSecretSize`).
const LARGEST_SECRET: usize = 500 * 1024;

/// How often it is told how much of a large folder has been sent.
const PACE: Duration = Duration::from_secs(5);

/// How long a build may go on after the engine has closed its session.
const WITHOUT_SESSION: Duration = Duration::from_secs(10);

/// What is to be built, and how.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// The folder that the Dockerfile copies from.
    pub context: PathBuf,
    /// The Dockerfile, in that folder or elsewhere; not relative to it.
    pub dockerfile: PathBuf,
    /// The stage to stop at; `None` for the last.
    pub target: Option<String>,
    /// Values of `ARG`.
    pub args: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// What `RUN --mount=type=secret` may read.
    pub secrets: Vec<Secret>,
    /// What `RUN --mount=type=ssh` may talk to.
    pub ssh: Vec<SshAgent>,
    /// Such as `linux/arm64`; `None` for the engine's own.
    pub platform: Option<String>,
    /// Images whose inline cache is used.
    pub cache_from: Vec<String>,
    /// Whether the image is to hold what `cache_from` needs.
    pub inline_cache: bool,
    /// Whether everything is done anew.
    pub no_cache: bool,
    /// Whether base images are looked up in their registries even if the engine has them.
    pub pull: bool,
    /// What the engine calls the image, as in `web:latest`; `None` for nothing but its id.
    pub tag: Option<String>,
}

/// A value that a step of the build may read, and that stays out of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What the Dockerfile calls it.
    pub id: String,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// All of a file.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
}

/// An SSH agent that a step of the build may talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAgent {
    /// What the Dockerfile calls it; `default` where it says nothing.
    pub id: String,
    /// Its socket; `None` for the one of `SSH_AUTH_SOCK`.
    pub socket: Option<PathBuf>,
}

/// The environment: the value of the variable with this name.
pub type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a build may use of the place where it was started.
#[derive(Clone)]
pub struct Surroundings {
    /// The environment.
    pub variable: Variable,
    /// Logins to the registries of base images; `None`: the engine pulls as anybody.
    pub login: Option<Login>,
}

impl Engine {
    /// Builds. `tell` hears what happens, as it happens. Dropped, the build ends.
    ///
    /// # Errors
    /// Where something is missing here, the engine fails, or the build does: then with the step, its
    /// last lines and the Dockerfile's.
    pub async fn build(
        &self,
        build: &Build,
        surroundings: &Surroundings,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Stored, BuildError> {
        let (context, stock) = self.prepared(build, surroundings)?;
        let session = match self.facts().kind {
            Kind::Docker => Some(session::open(&self.way).await.map_err(|cause| {
                let cause = cause.to_string();
                BuildError::Session { cause }
            })?),
            Kind::Podman => None,
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
        let ran = self.run(options, context.clone(), &mut steps, tell);
        let built = beside(Box::pin(serving), Box::pin(ran)).await;
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
        Ok(stored.ok_or_else(|| missing(&format!("it has no image {id}")))?)
    }

    /// Whether everything that the build begins with is here.
    ///
    /// # Errors
    /// Where something is missing.
    pub fn may_build(&self, build: &Build, surroundings: &Surroundings) -> Result<(), BuildError> {
        self.prepared(build, surroundings).map(|_| ())
    }

    fn prepared(
        &self,
        build: &Build,
        surroundings: &Surroundings,
    ) -> Result<(Context, Stock), BuildError> {
        let context = Context::open(&build.context, &build.dockerfile)?;
        let stock = stock(build, surroundings)?;
        self.may_ask(build)?;
        Ok((context, stock))
    }

    /// Whether this engine can hand over what the build may ask for.
    fn may_ask(&self, build: &Build) -> Result<(), BuildError> {
        let asks = [("secrets", !build.secrets.is_empty()), ("ssh", !build.ssh.is_empty())];
        match asks.iter().find(|(_, asked)| *asked) {
            Some((key, _)) if self.facts().kind == Kind::Podman => Err(BuildError::Unsupported {
                what: format!(
                    "`image.build.{key}`: Podman's Docker-compatible interface hands over neither \
                     secrets nor agents"
                ),
                remedy: "Name a Docker engine by DOCKER_HOST, or build and push with `podman` and \
                         deploy by `--image repository@sha256:…`",
            }),
            _ => Ok(()),
        }
    }

    fn options(&self, build: &Build, name: &str, session: Option<String>) -> BuildImageOptions {
        let map = |map: &BTreeMap<String, String>| -> HashMap<String, String> {
            map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let mut args = map(&build.args);
        if build.inline_cache {
            args.insert("BUILDKIT_INLINE_CACHE".to_owned(), "1".to_owned());
        }
        // Podman refuses an empty list.
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
            version: match self.facts().kind {
                Kind::Docker => BuilderVersion::BuilderBuildKit,
                Kind::Podman => BuilderVersion::BuilderV1,
            },
            session,
            ..BuildImageOptions::default()
        }
    }

    /// Sends the context and hears the engine out. What comes back is the image's id.
    async fn run(
        &self,
        options: BuildImageOptions,
        context: Context,
        steps: &mut Steps,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Option<String>, Stop> {
        let (archive, mut walk) = context.send();
        let taken = Arc::new(AtomicU64::new(0));
        let count = taken.clone();
        let archive = archive.inspect(move |piece| {
            count
                .fetch_add(piece.as_ref().map_or(0, |piece| piece.len() as u64), Ordering::Relaxed);
        });
        let mut pace = interval(PACE);
        // The first tick comes at once.
        pace.tick().await;
        let mut messages =
            Box::pin(self.docker.build_image(options, None, Some(body_try_stream(archive))));
        let (mut id, mut walking) = (None, true);
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                _ = pace.tick(), if walking => {
                    tell(Progress::Sending { bytes: taken.load(Ordering::Relaxed) });
                    continue;
                }
                sent = &mut walk, if walking => {
                    walking = false;
                    if let Some(sent) = walked(sent)? {
                        tell(Progress::Sent { files: sent.files, bytes: sent.bytes });
                    }
                    continue;
                }
            };
            match message {
                None => return Ok(id),
                Some(Ok(info)) => id = hear(info, steps, tell).or(id),
                Some(Err(error)) => {
                    // The engine may only have seen an archive that broke off.
                    if walking {
                        walked(within_a_moment(walk).await)?;
                    }
                    return Err(Stop::Theirs(error));
                }
            }
        }
    }
}

/// A build with its session. A session that fails does not leave the build waiting for ever.
async fn beside<T>(
    mut serving: impl Future<Output = Result<(), String>> + Unpin,
    mut ran: impl Future<Output = Result<T, Stop>> + Unpin,
) -> Result<T, Stop> {
    let ended = tokio::select! {
        built = &mut ran => return built,
        ended = &mut serving => ended,
    };
    // What was asked for may be all that it needed.
    tokio::time::timeout(WITHOUT_SESSION, ran).await.unwrap_or_else(|_| {
        let cause = ended.err().unwrap_or_else(|| "the engine closed it".to_owned());
        Err(Stop::Ours(BuildError::Session { cause }))
    })
}

/// Why a build did not come to its end.
enum Stop {
    /// By us.
    Ours(BuildError),
    /// By the engine.
    Theirs(Error),
}

/// What is told of a message. If it names the image, that.
fn hear(info: BuildInfo, steps: &mut Steps, tell: &mut dyn FnMut(Progress)) -> Option<String> {
    if let Some(text) = info.stream {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.for_each(|line| tell(steps.hear(line)));
    }
    match info.aux? {
        BuildInfoAux::BuildKit(status) => {
            steps.learn(&status).into_iter().for_each(tell);
            None
        }
        BuildInfoAux::Default(image) => image.id,
    }
}

/// What became of the walk; `None` where nobody wanted all of it, which the engine explains.
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

/// The walk ends when the connection does; a disk that hangs is not waited for.
async fn within_a_moment(
    walk: JoinHandle<Result<Sent, BuildError>>,
) -> Result<Result<Sent, BuildError>, tokio::task::JoinError> {
    let waited = tokio::time::timeout(Duration::from_secs(2), walk).await;
    waited.unwrap_or_else(|_| Ok(Ok(Sent::default())))
}

/// What the build may ask for, all of it seen to be there.
fn stock(build: &Build, surroundings: &Surroundings) -> Result<Stock, BuildError> {
    let mut stock = Stock { login: surroundings.login.clone(), ..Stock::default() };
    for Secret { id, source } in &build.secrets {
        let failed = |cause: String| BuildError::Secret { id: id.clone(), cause };
        let value = match source {
            SecretSource::File(path) => {
                fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?
            }
            SecretSource::Env(name) => (surroundings.variable)(name)
                .ok_or_else(|| failed(format!("the environment has no {name}, or an empty one")))?
                .into_bytes(),
        };
        if value.len() > LARGEST_SECRET {
            return Err(failed(format!("engines take at most {} kB", LARGEST_SECRET / 1024)));
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
