//! The image that a configuration describes: made here, and brought to registries.

use std::io::IsTerminal as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::Format;
use super::session::{Failure, variable};
use crate::cloud::Cloud;
use crate::config::{self, Config};
use crate::docker::{self, Engine, Stored};
use crate::image::{self, Annotations, Codec, Image};
use crate::model::{Digest, Ending, Event, ImageReference, Repository};
use crate::net::Net;
use crate::publish::{self, Destination, Logins, Memory, Push, Reader, Terms};
use crate::registry::{Blob, login};
use crate::report::Bars;

/// How to make it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct How {
    /// Build every step anew.
    #[arg(long)]
    no_cache: bool,
}

/// How to send it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Sending {
    /// How layers are compressed.
    #[arg(long, value_enum, default_value_t)]
    compression: Compression,
}

/// The codecs, on the command line.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Compression {
    /// Read by everybody.
    #[default]
    Gzip,
    /// Smaller and faster; Docker reads it from version 23 on.
    Zstd,
}

/// An image that is here.
#[derive(Debug)]
pub(super) enum Product {
    /// Put together, in memory.
    Assembled(Image),
    /// In an engine's store.
    Stored(Box<Engine>, Stored),
}

/// Where it goes, and as whom.
pub(super) struct Way<'a> {
    pub net: &'a Net,
    /// The account; needed for ECR alone.
    pub cloud: Option<&'a Cloud>,
    pub logins: &'a Logins,
    pub ecr: config::Ecr,
    /// Instances pull from the first.
    pub to: &'a [Repository],
    pub format: Format,
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
    let surroundings =
        docker::Surroundings { variable: Arc::new(variable), login: Some(Arc::new(login)) };
    let build = spelled_out(config, build, how, tag)?;
    let mut tell = |progress: docker::Progress| tell(Event::Build { line: progress.to_string() });
    let stored = engine.build(&build, &surroundings, &mut tell).await.map_err(failed)?;
    Ok((engine, stored))
}

/// What the file says, with its folder and the environment.
fn spelled_out(
    config: &Config,
    build: &config::Build,
    how: &How,
    tag: Option<&str>,
) -> Result<docker::Build, Failure> {
    let at = |path: &std::path::Path| config.directory.join(path);
    let context = at(&build.context);
    let mut args = std::collections::BTreeMap::new();
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
fn login(host: String) -> std::pin::Pin<Box<dyn Future<Output = Option<(String, String)>> + Send>> {
    Box::pin(async move {
        match login::find(&login::files(variable), &host).await.ok()?? {
            crate::registry::Credentials::Basic { user, password } => Some((user, password)),
            crate::registry::Credentials::Anonymous => None,
        }
    })
}

impl Way<'_> {
    /// Logs in everywhere, and sees to it that all repositories are there.
    pub(super) async fn destinations(&self, tags: &[String]) -> Result<Vec<Destination>, Failure> {
        let mut destinations = Vec::new();
        for repository in self.to {
            let to = publish::connect(self.net, self.cloud, repository, self.logins).await;
            let to = to.map_err(failed)?;
            self.terms().before(&to, tags, None).await.map_err(refused)?;
            destinations.push(to);
        }
        Ok(destinations)
    }

    /// Brings the image to all of them, under its digest: no tag names it yet. Gives that digest, and
    /// the one that tags are to name: of the index, where there is one.
    pub(super) async fn push(
        &self,
        product: &Product,
        (destinations, tags): (&[Destination], &[String]),
        sending: &Sending,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(Digest, Digest), Failure> {
        let (engine, stored) = match product {
            Product::Stored(engine, stored) => (engine, stored),
            Product::Assembled(image) => {
                for to in destinations {
                    let pushed = self.reader().push(image, to, &[]).await.map_err(failed)?;
                    tell(Event::Image { image: pushed.reference, uploaded: pushed.uploaded_bytes });
                }
                return Ok((image.digest().clone(), image.top().digest.clone()));
            }
        };
        let in_terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let bars = in_terminal && matches!(self.format, Format::Human);
        let bars = bars.then(|| Bars::new(destinations.len()));
        let shown = std::cell::RefCell::new((bars, tell));
        let memory = Memory::of_user(variable);
        let push = Push {
            destinations,
            memory: &memory,
            earlier: tags,
            codec: match sending.compression {
                Compression::Gzip => Codec::Gzip,
                Compression::Zstd => Codec::Zstd,
            },
            annotations: &annotations().map_err(refused)?,
            tell: &|progress| {
                let (bars, tell) = &mut *shown.borrow_mut();
                match bars {
                    Some(bars) => bars.show(&progress),
                    None if progress.state.is_news() => tell(Event::Layer(progress)),
                    None => {}
                }
            },
        };
        let published = push.stored(engine, stored).await.map_err(failed)?;
        let (bars, tell) = shown.into_inner();
        drop(bars);
        for to in destinations {
            let digest = published.digest.clone();
            let image = ImageReference { repository: to.repository.clone(), digest };
            tell(Event::Image { image, uploaded: published.uploaded(&to.repository) });
        }
        Ok((published.digest.clone(), published.digest))
    }

    /// Puts beside the pushed image what `image.attach` asks for.
    pub(super) async fn attach(
        &self,
        config: &Config,
        destinations: &[Destination],
        digest: &Digest,
    ) -> Result<(), Failure> {
        let config::Attach { sbom, provenance } = &config.image.attach;
        let mut artifacts = Vec::new();
        if let Some(sbom) = sbom {
            let path = config.directory.join(sbom);
            let told =
                |why: String| refused(format!("image.attach.sbom: {}: {why}", path.display()));
            let bytes = std::fs::read(&path).map_err(|error| told(error.to_string()))?;
            artifacts.push(publish::bill(bytes).map_err(|error| told(error.to_string()))?);
        }
        for to in destinations {
            let mut artifacts = artifacts.clone();
            if *provenance {
                let repository = to.repository.clone();
                let image = ImageReference { repository, digest: digest.clone() };
                let statement = publish::provenance::statement(&image, variable);
                let statement = statement.map_err(|missing| {
                    refused(format!(
                        "image.attach.provenance: only an Actions run knows where an image comes \
                         from, and {missing} is not set"
                    ))
                })?;
                let kind = publish::provenance::MEDIA_TYPE;
                artifacts.push(Blob::new(kind, statement.to_string()));
            }
            publish::attach(to, digest, &artifacts).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Lets `tags` name what was pushed, and asks what the registries say of it.
    pub(super) async fn finish(
        &self,
        destinations: &[Destination],
        (digest, top): &(Digest, Digest),
        tags: &[String],
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        for to in destinations {
            self.terms().before(to, tags, Some(top)).await.map_err(refused)?;
        }
        for Destination { repository, registry } in destinations {
            registry.tag(repository, top, tags).await.map_err(failed)?;
        }
        for (at, to) in destinations.iter().enumerate() {
            if let Some(visible) = self.terms().after(to, digest).await.map_err(refused)? {
                tell(Event::Notice { message: visible.told(&to.repository, at == 0) });
            }
        }
        Ok(())
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { net: self.net, cloud: self.cloud, logins: self.logins }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            net: self.net,
            cloud: self.cloud,
            create: self.ecr.create.as_ref(),
            scan: self.ecr.scan.as_ref(),
        }
    }
}

/// Where the image comes from, as far as a workflow's environment tells. Its time is told by
/// `SOURCE_DATE_EPOCH` alone (reproducible-builds.org), since it must be the same each time.
fn annotations() -> Result<Annotations, String> {
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
