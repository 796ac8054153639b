//! An engine: who it is, and what it has stored.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use bollard_stubs::models::{ImageInspect, SystemInfo, SystemVersion};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::way::{Candidate, candidates};
use super::{EngineError, Tried, Way};
use crate::model::Digest;

/// Who does not answer "are you there?" in this time is not there. By SSH it takes longer.
const GREETING: Duration = Duration::from_secs(10);

/// A build, or an engine that writes a whole image into a temporary folder before its first byte: as
/// long as they take.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A container engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    pub(super) way: Way,
    facts: Facts,
}

/// Which engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Docker, or what passes for it.
    Docker,
    /// Podman, by its Docker-compatible interface: without BuildKit.
    Podman,
}

/// What an engine says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Which engine it is.
    pub kind: Kind,
    /// Its version, such as `20.10.24`.
    pub version: String,
    /// How it keeps layers, such as `overlay2`.
    pub driver: String,
    /// Whether containerd keeps its images: an id is then the manifest's digest, and layers are kept
    /// as they were pulled or pushed.
    pub containerd: bool,
    /// Whether it maps users, by itself or by being rootless.
    pub maps_users: bool,
    /// The folder in which it keeps everything, on its machine.
    pub root: PathBuf,
}

/// An image that an engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The digest of its configuration; with containerd's store, of its manifest.
    pub id: Digest,
    /// The digests of its layers' archives, from the bottom up.
    pub diff_ids: Vec<Digest>,
    /// For what it is, as in `linux/amd64` or `linux/arm/v7`.
    pub platform: String,
    /// What it is called, as in `web:latest`.
    pub tags: Vec<String>,
    /// The size of its layers in bytes, as the engine counts it.
    pub size: u64,
}

impl Engine {
    /// The engine that the environment names (`DOCKER_HOST`, `DOCKER_CONTEXT`, `docker context use`), or
    /// else the first that answers where engines are by themselves.
    ///
    /// # Errors
    /// Where none answers, with the places and what else there is.
    pub async fn connect(variable: impl Fn(&str) -> Option<String>) -> Result<Engine, EngineError> {
        let mut tried = Vec::new();
        for Candidate { way, named_by } in candidates(&variable)? {
            match greet(&way).await {
                Ok((docker, facts)) => return Ok(Engine { docker, way, facts }),
                Err(cause) => tried.push(Tried { way, named_by, cause }),
            }
        }
        Err(EngineError::None { tried })
    }

    /// Who it is.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where it listens.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// The image that `reference` (a name, an id) is; `None` where the engine has none.
    ///
    /// # Errors
    /// Where the engine fails to say.
    pub async fn inspect(&self, reference: &str) -> Result<Option<Stored>, EngineError> {
        let attempted = || format!("ask the engine about the image {reference}");
        match self.docker.inspect_image(reference).await {
            Ok(image) => Stored::read(image)
                .map(Some)
                .map_err(|what| EngineError::Protocol { attempted: attempted(), what }),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {
                Ok(None)
            }
            Err(source) => Err(EngineError::Answer { attempted: attempted(), source }),
        }
    }

    /// The archive of the whole image as `docker save` writes it. Docker up to 28 keeps the first byte
    /// back until it has written all of it to a folder of its own.
    pub fn save(&self, reference: &str) -> impl AsyncRead + Send + Unpin + 'static {
        StreamReader::new(boxed(self.docker.export_image(reference).map_err(io::Error::other)))
    }

    /// The layers in the engine's own folder, where that is on this machine, in the form that we know,
    /// and may be read by us.
    #[cfg(target_os = "linux")]
    pub fn layer_store(&self) -> Option<super::LayerStore> {
        let Facts { kind, driver, containerd, maps_users, root, .. } = &self.facts;
        let known = *kind == Kind::Docker && driver == "overlay2" && !containerd && !maps_users;
        let here = matches!(self.way, Way::Unix(_));
        (known && here && super::is_readable(root)).then(|| super::LayerStore::new(root))
    }

    /// Calls an image `repository:tag`, too.
    ///
    /// # Errors
    /// Where the engine refuses.
    pub async fn tag(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        self.docker.tag_image(image, Some(options)).await.map_err(|source| EngineError::Answer {
            attempted: format!("call the image {image} {repository}:{tag}"),
            source,
        })
    }

    /// Forgets a name of an image, and the image with its last name.
    ///
    /// # Errors
    /// Where the engine refuses, or has no such image.
    pub async fn remove(&self, reference: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptionsBuilder::default().build();
        let removed = self.docker.remove_image(reference, Some(options), None).await;
        removed.map(drop).map_err(|source| EngineError::Answer {
            attempted: format!("remove the image {reference} from the engine"),
            source,
        })
    }
}

/// Connects and asks who is there.
async fn greet(way: &Way) -> Result<(Docker, Facts), String> {
    let docker = open(way).map_err(|error| error.to_string())?;
    let asked = async {
        let version = docker.version().await?;
        Ok::<_, bollard::errors::Error>((version, docker.info().await?))
    };
    let patience = if matches!(way, Way::Ssh(_)) { 6 * GREETING } else { GREETING };
    let answer = tokio::time::timeout(patience, asked).await;
    let answer = answer.map_err(|_| format!("no answer in {} s", patience.as_secs()))?;
    let (version, info) = answer.map_err(|error| reason(way, &error))?;
    Ok((docker, Facts::read(version, info)))
}

fn open(way: &Way) -> Result<Docker, bollard::errors::Error> {
    let (url, limit, version) = (way.url(), NO_LIMIT.as_secs(), API_DEFAULT_VERSION);
    match way {
        Way::Unix(_) => Docker::connect_with_unix(&url, limit, version),
        Way::Tcp(_) => Docker::connect_with_http(&url, limit, version),
        Way::Tls { certificates, .. } => {
            let [key, own, ca] =
                ["key", "cert", "ca"].map(|n| certificates.join(format!("{n}.pem")));
            Docker::connect_with_ssl(&url, &key, &own, &ca, limit, version)
        }
        Way::Ssh(_) => Docker::connect_with_ssh(&url, limit, version, None),
    }
}

/// The innermost cause, and what it means.
fn reason(way: &Way, error: &(dyn std::error::Error + 'static)) -> String {
    let (mut cause, mut kind) = (error, None);
    loop {
        kind = kind.or_else(|| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    let meaning = match (kind, way) {
        (Some(io::ErrorKind::PermissionDenied), Way::Unix(_)) => {
            ". It is not open to this user: `sudo usermod -aG docker $USER` and a new login open Docker's"
        }
        (Some(io::ErrorKind::ConnectionRefused), Way::Unix(_)) => ". Its engine is not running",
        _ => "",
    };
    format!("{cause}{meaning}")
}

impl Facts {
    fn read(version: SystemVersion, info: SystemInfo) -> Facts {
        let components = version.components.unwrap_or_default();
        let podman = components.iter().find(|component| component.name == "Podman Engine");
        let told = podman.map(|podman| podman.version.clone()).or(version.version);
        let status = info.driver_status.unwrap_or_default();
        let containerd = |pair: &Vec<String>| {
            pair.iter().any(|text| text.starts_with("io.containerd.snapshotter"))
        };
        let options = info.security_options.unwrap_or_default();
        let maps =
            |option: &String| option.contains("name=userns") || option.contains("name=rootless");
        Facts {
            kind: if podman.is_some() { Kind::Podman } else { Kind::Docker },
            version: told.unwrap_or_default(),
            driver: info.driver.unwrap_or_default(),
            containerd: status.iter().any(containerd),
            maps_users: options.iter().any(maps),
            root: info.docker_root_dir.unwrap_or_default().into(),
        }
    }
}

impl Stored {
    fn read(image: ImageInspect) -> Result<Stored, String> {
        let digest = |text: &str| {
            // Podman leaves the algorithm out of an id.
            let whole = if text.contains(':') { text.to_owned() } else { format!("sha256:{text}") };
            whole.parse::<Digest>().map_err(|error| error.to_string())
        };
        let layers = image.root_fs.and_then(|root| root.layers).unwrap_or_default();
        let parts = [image.os, image.architecture, image.variant];
        let platform: Vec<String> =
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        Ok(Stored {
            id: digest(&image.id.ok_or("its answer has no `Id`")?)?,
            diff_ids: layers.iter().map(|layer| digest(layer)).collect::<Result<_, _>>()?,
            platform: platform.join("/"),
            tags: image.repo_tags.unwrap_or_default(),
            size: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        })
    }
}

/// Bounds that `impl Stream` of another crate does not tell.
fn boxed<T>(
    stream: impl Stream<Item = T> + Send + 'static,
) -> std::pin::Pin<Box<dyn Stream<Item = T> + Send>> {
    stream.boxed()
}
