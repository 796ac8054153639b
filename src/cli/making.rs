//! The image that a configuration describes, made here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::environment::variable;
use super::session::Failure;
use crate::config::{self, Config};
use crate::docker::{self, BuildError, Engine, Stored};
use crate::image::{self, Annotations, Image};
use crate::model::{Ending, Event, ImageReference};
use crate::publish::Reader;
use crate::registry::{Credentials, login};

/// How to make it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct How {
    /// Build without any layer cache.
    #[arg(long)]
    no_cache: bool,
}

/// An image that is here.
#[derive(Debug)]
pub(super) enum Product {
    /// Put together, in memory.
    Assembled(Image),
    /// In an engine's store.
    Stored(Box<Engine>, Stored),
}

/// What it means that a push was stopped.
pub(super) fn stopped<T>() -> Result<T, Failure> {
    let message = "stopped: what was uploaded is found by the next push, and has no tag unless all of \
                   it was there";
    Err((Ending::Interrupted, message.to_owned()))
}

pub(super) fn refused(error: impl std::fmt::Display) -> Failure {
    (Ending::Refused, error.to_string())
}

pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    (Ending::Failed, error.to_string())
}

/// Makes what `image.files` or `image.build` says; an engine calls it `tag`, too.
pub(super) async fn make(
    config: &Config,
    how: &How,
    tag: Option<&str>,
    reader: Reader<'_>,
    tell: &mut dyn FnMut(Event),
) -> Result<Product, Failure> {
    match &config.image.build {
        Some(build) => {
            let (engine, stored) = self::build(config, build, how, tag, tell).await?;
            Ok(Product::Stored(Box::new(engine), stored))
        }
        None => Ok(Product::Assembled(assemble(config, reader).await?.1)),
    }
}

/// Whether what the image is made of is here, and who makes it. Nothing is left of the answer.
pub(super) async fn is_possible(config: &Config, reader: Reader<'_>) -> Result<(), Failure> {
    let Some(build) = &config.image.build else {
        return match config.image.assembly {
            Some(_) => assemble(config, reader).await.map(|_| ()),
            None => Ok(()),
        };
    };
    let build = spelled_out(config, build, &How { no_cache: false }, None)?;
    let engine = Engine::connect(variable).await.map_err(failed)?;
    engine.may_build(&build, &surroundings()).map_err(refused)
}

/// What a build may use of this process's environment.
fn surroundings() -> docker::Surroundings {
    docker::Surroundings { variable: Arc::new(variable), login: Some(Arc::new(login)) }
}

/// Puts the image together, onto its base if it has one, and says what instances will know it by.
pub(super) async fn assemble(
    config: &Config,
    reader: Reader<'_>,
) -> Result<(ImageReference, Image), Failure> {
    let (repository, assembly) = config.assembly().map_err(refused)?;
    let bases = reader.bases(assembly).await.map_err(failed)?;
    // Beside, because compressing takes the processor for a while, and signals are heeded here.
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
    how: &How,
    tag: Option<&str>,
    tell: &mut dyn FnMut(Event),
) -> Result<(Engine, Stored), Failure> {
    let engine = Engine::connect(variable).await.map_err(failed)?;
    let build = spelled_out(config, build, how, tag)?;
    tell(Event::Build { line: format!("by the engine at {}", engine.way()) });
    let mut tell = |progress: docker::Progress| tell(Event::Build { line: progress.to_string() });
    let stored = engine.build(&build, &surroundings(), &mut tell).await.map_err(|error| {
        // What the file or the environment says wrongly is refused before anything is built.
        let ending = match &error {
            BuildError::Failed(_)
            | BuildError::Engine(_)
            | BuildError::Session { .. }
            | BuildError::Read { .. } => Ending::Failed,
            _ => Ending::Refused,
        };
        (ending, error.to_string())
    })?;
    Ok((engine, stored))
}

/// What the file says, with its folder and the environment.
fn spelled_out(
    config: &Config,
    build: &config::Build,
    how: &How,
    tag: Option<&str>,
) -> Result<docker::Build, Failure> {
    let at = |path: &Path| config.directory.join(path);
    let context = at(&build.context);
    let mut args = BTreeMap::new();
    for (name, value) in &build.args {
        let value = value.clone().or_else(|| variable(name)).ok_or_else(|| {
            refused(format!(
                "the build argument `{name}` of `image.build.args` has no value, and there is no \
                 environment variable of that name: set one of them"
            ))
        })?;
        args.insert(name.clone(), value);
    }
    let secrets = build.secrets.iter().map(|(id, source)| docker::Secret {
        id: id.clone(),
        source: match source {
            config::SecretSource::Env(name) => docker::SecretSource::Env(name.clone()),
            config::SecretSource::File(path) => docker::SecretSource::File(at(path)),
        },
    });
    let ssh = build
        .ssh
        .iter()
        .map(|(id, socket)| docker::SshAgent { id: id.clone(), socket: socket.clone() });
    Ok(docker::Build {
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

/// User and password for a base image's registry; an unreadable login is as good as none, since the
/// registry will say so.
fn login(host: String) -> BoxFuture<'static, Option<(String, String)>> {
    Box::pin(async move {
        match login::find(&login::files(variable), &host).await.ok()?? {
            Credentials::Basic { user, password } => Some((user, password)),
            Credentials::Anonymous => None,
        }
    })
}

/// Where the image comes from, as far as a workflow's environment tells. Its time is told by
/// `SOURCE_DATE_EPOCH` alone (reproducible-builds.org), since it must be the same each time.
pub(super) fn annotations() -> Result<Annotations, String> {
    let source = variable("GITHUB_SERVER_URL").zip(variable("GITHUB_REPOSITORY"));
    let created = variable("SOURCE_DATE_EPOCH").map(|seconds| {
        let read = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        read.ok_or(format!("SOURCE_DATE_EPOCH={seconds} is no time: write seconds since 1970"))
    });
    Ok(Annotations {
        source: source.map(|(server, repository)| format!("{server}/{repository}")),
        revision: variable("GITHUB_SHA"),
        created: created.transpose()?,
    })
}
