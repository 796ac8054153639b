//! A container engine: its properties, and the images that it stores.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use bollard_stubs::models::{ImageInspect, SystemInfo, SystemVersion};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::host::{Candidate, candidates};
use super::{Attempt, DockerHost, EngineError};
use cutover_rollout::model::Digest;

/// The time limit for the first answer. SSH takes longer.
const GREETING: Duration = Duration::from_secs(10);

/// No time limit in effect: for builds, and for engines that write a whole image to a temporary folder before
/// they send its first byte.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A container engine that has answered.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    pub(super) way: DockerHost,
    facts: EngineInfo,
}

/// The kind of engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker, or a compatible engine.
    Docker,
    /// Podman, through its Docker-compatible API: without BuildKit.
    Podman,
}

/// What an engine reports about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The kind of engine.
    pub kind: EngineKind,
    /// Version, such as `20.10.24`.
    pub version: String,
    /// Storage driver, such as `overlay2`.
    pub driver: String,
    /// Whether containerd stores its images: an ID is then the manifest's digest, and layers are kept as they
    /// were pulled or pushed.
    pub containerd: bool,
    /// Whether it remaps users, either itself or by being rootless.
    pub maps_users: bool,
    /// Its data folder, on its machine.
    pub root: PathBuf,
}

/// An image in an engine's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineImage {
    /// Digest of its configuration; with containerd's store, of its manifest.
    pub id: Digest,
    /// DiffIDs of its layers, from the bottom up.
    pub diff_ids: Vec<Digest>,
    /// Platform, as in `linux/amd64` or `linux/arm/v7`.
    pub platform: String,
    /// Tags, as in `web:latest`.
    pub tags: Vec<String>,
    /// Size of its layers in bytes, as the engine counts it.
    pub size: u64,
}

impl Engine {
    /// Connects to the engine that the environment names (`DOCKER_HOST`, `DOCKER_CONTEXT`,
    /// `docker context use`), or else to the first that answers at the default locations.
    ///
    /// # Errors
    /// Fails if none answers. The error lists the locations and the alternatives.
    pub async fn connect(variable: impl Fn(&str) -> Option<String>) -> Result<Engine, EngineError> {
        let mut tried = Vec::new();
        for Candidate { way, named_by } in candidates(&variable)? {
            match probe(&way).await {
                Ok((docker, facts)) => return Ok(Engine { docker, way, facts }),
                Err(cause) => tried.push(Attempt { way, named_by, cause }),
            }
        }
        Err(EngineError::None { tried })
    }

    /// Returns what the engine reports about itself.
    pub fn info(&self) -> &EngineInfo {
        &self.facts
    }

    /// Returns the engine's address.
    pub fn host(&self) -> &DockerHost {
        &self.way
    }

    /// Returns the image that `reference`, a name or an ID, refers to; `None` if the engine does not have it.
    ///
    /// # Errors
    /// Fails if the engine's response is an error or invalid.
    pub async fn inspect(&self, reference: &str) -> Result<Option<EngineImage>, EngineError> {
        let attempted = || format!("inspect the image {reference}");
        match self.docker.inspect_image(reference).await {
            Ok(image) => EngineImage::read(image)
                .map(Some)
                .map_err(|what| EngineError::Protocol { attempted: attempted(), what }),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {
                Ok(None)
            }
            Err(source) => Err(EngineError::Answer { attempted: attempted(), source }),
        }
    }

    /// Streams the archive of the whole image as `docker save` writes it. Docker up to 28 does not send the
    /// first byte until it has written everything to a temporary folder.
    pub fn save(&self, reference: &str) -> impl AsyncRead + Send + Unpin + 'static {
        StreamReader::new(boxed(self.docker.export_image(reference).map_err(io::Error::other)))
    }

    /// Returns the layers in the engine's data folder, if it is on this machine, in a known format, and
    /// readable.
    #[cfg(target_os = "linux")]
    pub fn layer_store(&self) -> Option<super::LayerStore> {
        let EngineInfo { kind, driver, containerd, maps_users, root, .. } = &self.facts;
        let known =
            *kind == EngineKind::Docker && driver == "overlay2" && !containerd && !maps_users;
        let here = matches!(self.way, DockerHost::Unix(_));
        (known && here && super::is_readable(root)).then(|| super::LayerStore::new(root))
    }

    /// Adds the tag `repository:tag` to an image.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn tag(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        self.docker.tag_image(image, Some(options)).await.map_err(|source| EngineError::Answer {
            attempted: format!("tag the image {image} as {repository}:{tag}"),
            source,
        })
    }

    /// Removes a tag of an image, and the image with its last tag.
    ///
    /// # Errors
    /// Fails if the engine refuses or has no such image.
    pub async fn remove(&self, reference: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptionsBuilder::default().build();
        let removed = self.docker.remove_image(reference, Some(options), None).await;
        removed.map(drop).map_err(|source| EngineError::Answer {
            attempted: format!("remove the image {reference} from the engine"),
            source,
        })
    }
}

/// Connects and asks what the engine is.
async fn probe(way: &DockerHost) -> Result<(Docker, EngineInfo), String> {
    let docker = open(way).map_err(|error| error.to_string())?;
    let asked = async {
        let version = docker.version().await?;
        Ok::<_, bollard::errors::Error>((version, docker.info().await?))
    };
    let patience = if matches!(way, DockerHost::Ssh(_)) { 6 * GREETING } else { GREETING };
    let answer = tokio::time::timeout(patience, asked).await;
    let answer = answer.map_err(|_| format!("no answer within {} s", patience.as_secs()))?;
    let (version, info) = answer.map_err(|error| reason(way, &error))?;
    Ok((docker, EngineInfo::read(version, info)))
}

fn open(way: &DockerHost) -> Result<Docker, bollard::errors::Error> {
    let (url, limit, version) = (way.url(), NO_LIMIT.as_secs(), API_DEFAULT_VERSION);
    match way {
        DockerHost::Unix(_) => Docker::connect_with_unix(&url, limit, version),
        DockerHost::Tcp(_) => Docker::connect_with_http(&url, limit, version),
        DockerHost::Tls { certificates, .. } => {
            let [key, own, ca] =
                ["key", "cert", "ca"].map(|n| certificates.join(format!("{n}.pem")));
            Docker::connect_with_ssl(&url, &key, &own, &ca, limit, version)
        }
        DockerHost::Ssh(_) => Docker::connect_with_ssh(&url, limit, version, None),
    }
}

/// Returns the innermost cause, with an explanation.
fn reason(way: &DockerHost, error: &(dyn std::error::Error + 'static)) -> String {
    let (mut cause, mut kind) = (error, None);
    loop {
        kind = kind.or_else(|| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    let meaning = match (kind, way) {
        (Some(io::ErrorKind::PermissionDenied), DockerHost::Unix(_)) => {
            ". This user may not access it: for Docker, run `sudo usermod -aG docker $USER` and log in again"
        }
        (Some(io::ErrorKind::ConnectionRefused), DockerHost::Unix(_)) => {
            ". The engine is not running"
        }
        _ => "",
    };
    format!("{cause}{meaning}")
}

impl EngineInfo {
    fn read(version: SystemVersion, info: SystemInfo) -> EngineInfo {
        let components = version.components.unwrap_or_default();
        let podman = components.iter().find(|component| component.name == "Podman Engine");
        let reported = podman.map(|podman| podman.version.clone()).or(version.version);
        let status = info.driver_status.unwrap_or_default();
        let containerd = |pair: &Vec<String>| {
            pair.iter().any(|text| text.starts_with("io.containerd.snapshotter"))
        };
        let options = info.security_options.unwrap_or_default();
        let maps =
            |option: &String| option.contains("name=userns") || option.contains("name=rootless");
        EngineInfo {
            kind: if podman.is_some() { EngineKind::Podman } else { EngineKind::Docker },
            version: reported.unwrap_or_default(),
            driver: info.driver.unwrap_or_default(),
            containerd: status.iter().any(containerd),
            maps_users: options.iter().any(maps),
            root: info.docker_root_dir.unwrap_or_default().into(),
        }
    }
}

impl EngineImage {
    fn read(image: ImageInspect) -> Result<EngineImage, String> {
        let digest = |text: &str| {
            // Podman omits the algorithm of an ID.
            let whole = if text.contains(':') { text.to_owned() } else { format!("sha256:{text}") };
            whole.parse::<Digest>().map_err(|error| error.to_string())
        };
        let layers = image.root_fs.and_then(|root| root.layers).unwrap_or_default();
        let parts = [image.os, image.architecture, image.variant];
        let platform: Vec<String> =
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        Ok(EngineImage {
            id: digest(&image.id.ok_or("its response has no `Id`")?)?,
            diff_ids: layers.iter().map(|layer| digest(layer)).collect::<Result<_, _>>()?,
            platform: platform.join("/"),
            tags: image.repo_tags.unwrap_or_default(),
            size: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        })
    }
}

/// Adds bounds that another crate's `impl Stream` lacks.
fn boxed<T>(
    stream: impl Stream<Item = T> + Send + 'static,
) -> std::pin::Pin<Box<dyn Stream<Item = T> + Send>> {
    stream.boxed()
}
