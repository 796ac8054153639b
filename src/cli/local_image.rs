//! Building or assembling the image that a configuration describes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::environment::variable;
use crate::config::{self, Config};
use crate::publish::AssembledPush;
use cutover_docker::{BuildError, Engine, EngineImage};
use cutover_oci::image::{self, Annotations, Image};
use cutover_oci::registry::{Credentials, login};
use cutover_rollout::model::{Event, Failure, ImageReference, Status};

/// The options of a build.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct BuildArgs {
    /// Build without using any layer cache.
    #[arg(long)]
    no_cache: bool,
}

/// An image on this machine.
#[derive(Debug)]
pub(super) enum LocalImage {
    /// Assembled, in memory.
    Assembled(Image),
    /// In the store of a container engine.
    Stored(Box<Engine>, EngineImage),
}

/// Returns the failure of a push that was stopped.
pub(super) fn stopped<T>() -> Result<T, Failure> {
    let message = "stopped: the next push reuses what was uploaded; no tag was set unless the upload was \
                   complete";
    Err(Failure::new(Status::Interrupted, message))
}

pub(super) fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::refused(error.to_string())
}

pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

/// Assembles `image.files` or builds `image.build`; the engine tags a built image with `tag`, too.
pub(super) async fn build_or_assemble(
    config: &Config,
    how: &BuildArgs,
    tag: Option<&str>,
    reader: AssembledPush<'_>,
    emit: &mut dyn FnMut(Event),
) -> Result<LocalImage, Failure> {
    match &config.image.build {
        Some(build) => {
            let (engine, stored) = self::build(config, build, how, tag, emit).await?;
            Ok(LocalImage::Stored(Box::new(engine), stored))
        }
        None => Ok(LocalImage::Assembled(assemble(config, reader).await?.1)),
    }
}

/// Checks that the image can be built or assembled here, and keeps nothing of it.
pub(super) async fn check_buildable(
    config: &Config,
    reader: AssembledPush<'_>,
) -> Result<(), Failure> {
    let Some(build) = &config.image.build else {
        return match config.image.assembly {
            Some(_) => assemble(config, reader).await.map(|_| ()),
            None => Ok(()),
        };
    };
    let build = resolve_build(config, build, &BuildArgs { no_cache: false }, None)?;
    let engine = Engine::connect(variable).await.map_err(failed)?;
    engine.check_build(&build, &surroundings()).map_err(refused)
}

/// Returns what a build may use of this process's environment.
fn surroundings() -> cutover_docker::BuildEnv {
    cutover_docker::BuildEnv { variable: Arc::new(variable), login: Some(Arc::new(login)) }
}

/// Assembles the image, on its base image if it has one, and returns it with its reference.
pub(super) async fn assemble(
    config: &Config,
    reader: AssembledPush<'_>,
) -> Result<(ImageReference, Image), Failure> {
    let (repository, assembly) = config.assembly().map_err(refused)?;
    let bases = reader.bases(assembly).await?;
    // On another thread, because compression keeps a CPU busy for a while and signals are handled on this one.
    let (parts, directory) = (assembly.clone(), config.directory.clone());
    let annotations = annotations().map_err(refused)?;
    let make = move || image::assemble(&parts, &directory, &bases, &annotations);
    let made = tokio::task::spawn_blocking(make).await.map_err(failed)?.map_err(refused)?;
    let digest = made.digest().clone();
    Ok((ImageReference { repository: repository.clone(), digest }, made))
}

async fn build(
    config: &Config,
    build: &config::Build,
    how: &BuildArgs,
    tag: Option<&str>,
    emit: &mut dyn FnMut(Event),
) -> Result<(Engine, EngineImage), Failure> {
    let engine = Engine::connect(variable).await.map_err(failed)?;
    let build = resolve_build(config, build, how, tag)?;
    emit(Event::Build { line: format!("building with the container engine at {}", engine.host()) });
    let mut emit =
        |progress: cutover_docker::Progress| emit(Event::Build { line: progress.to_string() });
    let stored = engine.build(&build, &surroundings(), &mut emit).await.map_err(|error| {
        // Mistakes in the file or the environment are refused before anything is built.
        let status = match &error {
            BuildError::Failed(_)
            | BuildError::Engine(_)
            | BuildError::Session { .. }
            | BuildError::Read { .. } => Status::Failed,
            _ => Status::Refused,
        };
        Failure::new(status, error.to_string())
    })?;
    Ok((engine, stored))
}

/// Completes `image.build` with the configuration's directory and the environment.
fn resolve_build(
    config: &Config,
    build: &config::Build,
    how: &BuildArgs,
    tag: Option<&str>,
) -> Result<cutover_docker::BuildRequest, Failure> {
    let at = |path: &Path| config.directory.join(path);
    let context = at(&build.context);
    let mut args = BTreeMap::new();
    for (name, value) in &build.args {
        let value = value.clone().or_else(|| variable(name)).ok_or_else(|| {
            refused(format!(
                "the build argument `{name}` in `image.build.args` has no value, and no environment \
                 variable has that name: set one of them"
            ))
        })?;
        args.insert(name.clone(), value);
    }
    let secrets = build.secrets.iter().map(|(id, source)| cutover_docker::Secret {
        id: id.clone(),
        source: match source {
            config::SecretSource::Env(name) => cutover_docker::SecretSource::Env(name.clone()),
            config::SecretSource::File(path) => cutover_docker::SecretSource::File(at(path)),
        },
    });
    let ssh = build
        .ssh
        .iter()
        .map(|(id, socket)| cutover_docker::SshAgent { id: id.clone(), socket: socket.clone() });
    Ok(cutover_docker::BuildRequest {
        dockerfile: context.join(&build.dockerfile),
        context,
        target: build.target.clone(),
        args,
        labels: build.labels.clone(),
        secrets: secrets.collect(),
        ssh: ssh.collect(),
        platform: build.platform.clone(),
        cache_from: build.cache_from.clone(),
        inline_cache: build.inline_cache,
        no_cache: how.no_cache,
        pull: build.pull,
        tag: tag.map(str::to_owned),
    })
}

/// Returns the user and password for a base image's registry. An unreadable login counts as none, since the
/// registry then reports it.
fn login(host: String) -> BoxFuture<'static, Option<(String, String)>> {
    Box::pin(async move {
        match login::find(&login::files(variable), &host).await.ok()?? {
            Credentials::Basic { user, password } => Some((user, password)),
            Credentials::Anonymous => None,
        }
    })
}

/// Returns the image's source and revision from a workflow's environment. Its creation time comes only from
/// `SOURCE_DATE_EPOCH` (reproducible-builds.org), because it must be the same in every build.
pub(super) fn annotations() -> Result<Annotations, String> {
    let source = variable("GITHUB_SERVER_URL").zip(variable("GITHUB_REPOSITORY"));
    let created = variable("SOURCE_DATE_EPOCH").map(|seconds| {
        let read = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        read.ok_or(format!(
            "SOURCE_DATE_EPOCH={seconds} is not a time: set it to seconds since 1970-01-01"
        ))
    });
    Ok(Annotations {
        source: source.map(|(server, repository)| format!("{server}/{repository}")),
        revision: variable("GITHUB_SHA"),
        created: created.transpose()?,
    })
}
