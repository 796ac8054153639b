//! Makes the image that a configuration describes: builds `image.build` with a container engine, or assembles
//! `image.files`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::publish::{ImageSource, RegistryAccess, read_bases};
use cutover_config::Config;
use cutover_docker::{BuildEnv, BuildError, BuildRequest, Engine, EngineImage};
use cutover_oci::image::{self, Annotations, Image};
use cutover_oci::registry::{Credentials, login};
use cutover_rollout::model::{Event, Failure, Status};

/// Reads an environment variable that is not empty.
pub type Variable = fn(&str) -> Option<String>;

/// Makes the image that a configuration describes.
#[derive(Debug, Clone, Copy)]
pub struct ImageBuilder<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// How the registry of a base image is reached.
    pub access: RegistryAccess<'a>,
    /// The environment: values of build arguments, logins, and what the image is annotated with.
    pub variable: Variable,
    /// Whether to build without any layer cache.
    pub no_cache: bool,
}

impl ImageBuilder<'_> {
    /// Builds or assembles the image; the engine tags a built image with `tag`, too.
    ///
    /// # Errors
    /// Refuses mistakes in the configuration or the environment; fails if the build, the engine or a registry does.
    pub async fn make(
        &self,
        tag: Option<&str>,
        emit: &mut dyn FnMut(Event),
    ) -> Result<ImageSource, Failure> {
        match &self.config.image.build {
            Some(build) => {
                let (engine, image) = self.build(build, tag, emit).await?;
                Ok(ImageSource::Engine(Box::new(engine), image))
            }
            None => Ok(ImageSource::Assembled(Box::new(self.assemble().await?))),
        }
    }

    /// Checks that the image can be built or assembled here, and keeps nothing of it.
    ///
    /// # Errors
    /// The same as [`ImageBuilder::make`]'s, as far as they show without a build.
    pub async fn check(&self) -> Result<(), Failure> {
        let Some(build) = &self.config.image.build else {
            return match self.config.image.assembly {
                Some(_) => self.assemble().await.map(|_| ()),
                None => Ok(()),
            };
        };
        let build = self.build_request(build, None)?;
        let engine = Engine::connect(self.variable).await.map_err(failed)?;
        engine.check_build(&build, &self.environment()).map_err(refused)
    }

    /// Assembles the image, on its base image if it has one.
    ///
    /// # Errors
    /// Refuses a configuration without `image.files`, and files that cannot be in an image.
    pub async fn assemble(&self) -> Result<Image, Failure> {
        let (_, assembly) = self.config.assembly().map_err(refused)?;
        let bases = read_bases(self.access, assembly).await?;
        // On another thread, because compression keeps a CPU busy for a while and signals are handled on this one.
        let (parts, directory) = (assembly.clone(), self.config.directory.clone());
        let annotations = annotations(self.variable)?;
        let make = move || image::assemble(&parts, &directory, &bases, &annotations);
        tokio::task::spawn_blocking(make).await.map_err(failed)?.map_err(refused)
    }

    async fn build(
        &self,
        build: &cutover_config::Build,
        tag: Option<&str>,
        emit: &mut dyn FnMut(Event),
    ) -> Result<(Engine, EngineImage), Failure> {
        let engine = Engine::connect(self.variable).await.map_err(failed)?;
        let build = self.build_request(build, tag)?;
        let line = format!("building with the container engine at {}", engine.host());
        emit(Event::Build { line });
        let mut emit =
            |progress: cutover_docker::Progress| emit(Event::Build { line: progress.to_string() });
        let built = engine.build(&build, &self.environment(), &mut emit).await;
        let built = built.map_err(|error| {
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
        Ok((engine, built))
    }

    /// Completes `image.build` with the configuration's directory and the environment.
    fn build_request(
        &self,
        build: &cutover_config::Build,
        tag: Option<&str>,
    ) -> Result<BuildRequest, Failure> {
        let at = |path: &Path| self.config.directory.join(path);
        let context = at(&build.context);
        let mut args = BTreeMap::new();
        for (name, value) in &build.args {
            let value = value.clone().or_else(|| (self.variable)(name)).ok_or_else(|| {
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
                cutover_config::SecretSource::Env(name) => {
                    cutover_docker::SecretSource::Env(name.clone())
                }
                cutover_config::SecretSource::File(path) => {
                    cutover_docker::SecretSource::File(at(path))
                }
            },
        });
        let ssh = build.ssh.iter().map(|(id, socket)| cutover_docker::SshAgent {
            id: id.clone(),
            socket: socket.clone(),
        });
        Ok(BuildRequest {
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
            no_cache: self.no_cache,
            pull: build.pull,
            tag: tag.map(str::to_owned),
        })
    }

    /// Returns what a build may use of the environment.
    fn environment(&self) -> BuildEnv {
        let variable = self.variable;
        BuildEnv {
            variable: Arc::new(variable),
            login: Some(Arc::new(move |host: String| login(variable, host))),
        }
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::refused(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

/// Returns the user and password for a base image's registry. An unreadable login counts as none, since the
/// registry then reports it.
fn login(variable: Variable, host: String) -> BoxFuture<'static, Option<(String, String)>> {
    Box::pin(async move {
        match login::find(&login::files(variable), &host).await.ok()?? {
            Credentials::Basic { user, password } => Some((user, password)),
            Credentials::Anonymous => None,
        }
    })
}

/// Returns the image's source and revision from a workflow's environment. Its creation time comes only from
/// `SOURCE_DATE_EPOCH` (reproducible-builds.org), because it must be the same in every build.
///
/// # Errors
/// Refuses a `SOURCE_DATE_EPOCH` that is not a time.
pub fn annotations(variable: impl Fn(&str) -> Option<String>) -> Result<Annotations, Failure> {
    let source = variable("GITHUB_SERVER_URL").zip(variable("GITHUB_REPOSITORY"));
    let created = variable("SOURCE_DATE_EPOCH").map(|seconds| {
        let read = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        read.ok_or_else(|| {
            refused(format!(
                "SOURCE_DATE_EPOCH={seconds} is not a time: set it to seconds since 1970-01-01"
            ))
        })
    });
    Ok(Annotations {
        source: source.map(|(server, repository)| format!("{server}/{repository}")),
        revision: variable("GITHUB_SHA"),
        created: created.transpose()?,
    })
}
