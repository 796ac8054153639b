//! What an image is put onto, as data: which layers it has and where they are, and how to run it.

mod error;
mod read;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{Digest, Repository};
use crate::registry::There;

use super::Platform;

pub use error::{BaseError, Unfit};
pub use read::read;

/// A base for each platform; none where an image is put onto nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bases(Vec<Base>);

/// One image to put a layer onto.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    platform: Platform,
    layers: Vec<There>,
    diff_ids: Vec<Digest>,
    config: Map<String, Value>,
}

/// The part of a manifest that matters here.
#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// What a manifest or an index says of something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    urls: Vec<String>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
    /// In an index.
    platform: Option<Value>,
}

/// The part of a configuration that matters here.
#[derive(Deserialize)]
struct Configuration {
    rootfs: RootFs,
    #[serde(default)]
    config: Option<Run>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(rename = "OnBuild", default)]
    on_build: Option<Vec<String>>,
}

impl Bases {
    /// The one for this platform.
    pub(super) fn of(&self, platform: &Platform) -> Option<&Base> {
        self.0.iter().find(|base| base.platform.is(platform))
    }
}

impl FromIterator<Base> for Bases {
    fn from_iter<I: IntoIterator<Item = Base>>(bases: I) -> Bases {
        Bases(bases.into_iter().collect())
    }
}

impl Base {
    /// Reads the two documents of an image in `repository`, OCI's or Docker's.
    ///
    /// # Errors
    /// Where they don't make an image, or not one that another can be put onto.
    pub fn new(repository: &Repository, manifest: &[u8], config: &[u8]) -> Result<Base, Unfit> {
        let manifest: Manifest = parse("manifest", manifest)?;
        let kind = manifest.config.media_type.as_str();
        if !matches!(kind, OCI_CONFIG | DOCKER_CONFIG) {
            return Err(Unfit::NoImage(kind.to_owned()));
        }
        let layers: Vec<There> = manifest
            .layers
            .into_iter()
            .map(|layer| layer.layer(repository))
            .collect::<Result<_, _>>()?;
        let known: Configuration = parse("configuration", config)?;
        if known.rootfs.diff_ids.len() != layers.len() {
            let (manifest, config) = (layers.len(), known.rootfs.diff_ids.len());
            return Err(Unfit::Layers { manifest, config });
        }
        if let Some(first) = known.config.as_ref().and_then(|run| run.on_build.as_ref()?.first()) {
            return Err(Unfit::OnBuild(first.clone()));
        }
        let config: Map<String, Value> = parse("configuration", config)?;
        let platform = platform(&config).ok_or_else(|| Unfit::Document {
            document: "configuration",
            cause: "it names no platform".to_owned(),
        })?;
        Ok(Base { platform, layers, diff_ids: known.rootfs.diff_ids, config })
    }

    /// What it runs on.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(super) fn layers(&self) -> &[There] {
        &self.layers
    }

    /// The digests of its layers before compression.
    pub(super) fn diff_ids(&self) -> &[Digest] {
        &self.diff_ids
    }

    pub(super) fn config(&self) -> &Map<String, Value> {
        &self.config
    }
}

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

impl Descriptor {
    /// A layer by OCI's name of its type. Docker's types mean the same bytes.
    fn layer(self, repository: &Repository) -> Result<There, Unfit> {
        let kind = self.media_type.as_str();
        let plain = kind
            .strip_prefix("application/vnd.docker.image.rootfs.diff.tar")
            .map(|rest| rest.replace('.', "+"))
            .or_else(|| {
                Some(kind.strip_prefix("application/vnd.oci.image.layer.v1.tar")?.to_owned())
            })
            .filter(|rest| matches!(rest.as_str(), "" | "+gzip" | "+zstd"));
        let Some(compression) = plain.filter(|_| self.urls.is_empty()) else {
            return Err(Unfit::Layer(self.media_type));
        };
        Ok(There {
            media_type: format!("application/vnd.oci.image.layer.v1.tar{compression}"),
            digest: self.digest()?,
            size: self.size,
            annotations: self.annotations,
            repository: repository.clone(),
        })
    }

    fn digest(&self) -> Result<Digest, Unfit> {
        self.digest.parse().map_err(|_| Unfit::Digest(self.digest.clone()))
    }
}

/// What an entry of an index, or a configuration, says of a platform: both by the same keys.
fn platform(object: &Map<String, Value>) -> Option<Platform> {
    let text = |key: &str| object.get(key)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let (os, architecture) = (text("os")?, text("architecture")?);
    Some(Platform { os, architecture, variant: text("variant") })
}

fn parse<'a, T: Deserialize<'a>>(document: &'static str, bytes: &'a [u8]) -> Result<T, Unfit> {
    let failed = |error: serde_json::Error| Unfit::Document { document, cause: error.to_string() };
    serde_json::from_slice(bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LAYER: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn base(layer: &Value, config: &Value) -> Result<Base, Unfit> {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": { "mediaType": DOCKER_CONFIG, "digest": LAYER, "size": 2 },
            "layers": [layer],
        });
        let repository = "ghcr.io/acme/base".parse().unwrap();
        Base::new(&repository, manifest.to_string().as_bytes(), config.to_string().as_bytes())
    }

    fn layer(kind: &str) -> Value {
        json!({ "mediaType": kind, "digest": LAYER, "size": 7 })
    }

    fn config() -> Value {
        json!({ "os": "linux", "architecture": "arm64", "variant": "v8",
                "rootfs": { "type": "layers", "diff_ids": [LAYER] } })
    }

    #[test]
    fn dockers_types_are_ocis_by_another_name() {
        for (docker, oci) in [
            ("docker.image.rootfs.diff.tar.gzip", "oci.image.layer.v1.tar+gzip"),
            ("docker.image.rootfs.diff.tar", "oci.image.layer.v1.tar"),
            ("oci.image.layer.v1.tar+zstd", "oci.image.layer.v1.tar+zstd"),
        ] {
            let base = base(&layer(&format!("application/vnd.{docker}")), &config()).unwrap();
            assert_eq!(base.layers[0].media_type, format!("application/vnd.{oci}"));
            assert!(base.platform.is(&"linux/arm64".parse().unwrap()));
        }
    }

    #[test]
    fn what_nothing_can_be_put_onto_is_refused() {
        for kind in [
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        ] {
            assert!(matches!(base(&layer(kind), &config()), Err(Unfit::Layer(_))), "{kind}");
        }
        let gzip = || layer("application/vnd.oci.image.layer.v1.tar+gzip");
        let mut elsewhere = gzip();
        elsewhere["urls"] = json!(["https://example.com/layer"]);
        assert!(matches!(base(&elsewhere, &config()), Err(Unfit::Layer(_))));
        let mut two = config();
        two["rootfs"]["diff_ids"] = json!([LAYER, LAYER]);
        assert!(matches!(base(&gzip(), &two), Err(Unfit::Layers { .. })));
        let mut triggers = config();
        triggers["config"] = json!({ "OnBuild": ["RUN make"] });
        assert!(matches!(base(&gzip(), &triggers), Err(Unfit::OnBuild(_))));
    }
}
