//! A base image as data: which layers it has and where they are, and how to run it.

mod error;
mod read;

use oci_spec::image::{Descriptor, ImageManifest};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::registry::{RemoteLayer, document};
use cutover_rollout::model::{Digest, Repository};

use super::{Configuration, Platform};

pub use error::{BaseError, UnusableBase};
pub use read::read;

/// The base image for each platform; empty without a base image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bases(Vec<Base>);

/// A base image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    platform: Platform,
    layers: Vec<RemoteLayer>,
    diff_ids: Vec<Digest>,
    config: Map<String, Value>,
}

impl Bases {
    /// Returns the base image for this platform.
    pub(super) fn of(&self, platform: &Platform) -> Option<&Base> {
        self.0.iter().find(|base| base.platform.matches(platform))
    }
}

impl FromIterator<Base> for Bases {
    fn from_iter<I: IntoIterator<Item = Base>>(bases: I) -> Bases {
        Bases(bases.into_iter().collect())
    }
}

impl Base {
    /// Reads manifest and configuration, OCI's or Docker's, of an image in `repository`.
    ///
    /// # Errors
    /// Fails if they are not an image's, or the image cannot be a base image.
    pub fn new(
        repository: &Repository,
        manifest: &[u8],
        config: &[u8],
    ) -> Result<Base, UnusableBase> {
        let manifest: ImageManifest = parse("manifest", manifest)?;
        let kind = manifest.config().media_type();
        if !matches!(kind.as_ref(), OCI_CONFIG | DOCKER_CONFIG) {
            return Err(UnusableBase::NotAnImage(kind.to_string()));
        }
        let layers: Vec<RemoteLayer> = manifest
            .layers()
            .iter()
            .map(|descriptor| layer(descriptor, repository))
            .collect::<Result<_, _>>()?;
        let known: Configuration = parse("configuration", config)?;
        if known.diff_ids().len() != layers.len() {
            let (manifest, config) = (layers.len(), known.diff_ids().len());
            return Err(UnusableBase::Layers { manifest, config });
        }
        if let Some(first) = known.on_build() {
            return Err(UnusableBase::OnBuild(first.clone()));
        }
        let config: Map<String, Value> = parse("configuration", config)?;
        let platform = platform(&config).ok_or_else(|| UnusableBase::Document {
            document: "configuration",
            cause: "it has no platform".to_owned(),
        })?;
        Ok(Base { platform, layers, diff_ids: known.diff_ids().to_vec(), config })
    }

    /// Returns the platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(super) fn layers(&self) -> &[RemoteLayer] {
        &self.layers
    }

    /// Returns the DiffIDs of its layers.
    pub(super) fn diff_ids(&self) -> &[Digest] {
        &self.diff_ids
    }

    pub(super) fn config(&self) -> &Map<String, Value> {
        &self.config
    }
}

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Returns a base image's layer with OCI's media type. Docker's types mean the same bytes.
fn layer(of: &Descriptor, repository: &Repository) -> Result<RemoteLayer, UnusableBase> {
    let kind = of.media_type().to_string();
    let plain = kind
        .strip_prefix("application/vnd.docker.image.rootfs.diff.tar")
        .map(|rest| rest.replace('.', "+"))
        .or_else(|| Some(kind.strip_prefix("application/vnd.oci.image.layer.v1.tar")?.to_owned()))
        .filter(|rest| matches!(rest.as_str(), "" | "+gzip" | "+zstd"));
    let is_elsewhere = of.urls().as_ref().is_some_and(|urls| !urls.is_empty());
    let Some(compression) = plain.filter(|_| !is_elsewhere) else {
        return Err(UnusableBase::Layer(kind));
    };
    Ok(RemoteLayer {
        media_type: format!("application/vnd.oci.image.layer.v1.tar{compression}"),
        digest: digest(of)?,
        size: of.size(),
        annotations: of.annotations().clone().unwrap_or_default().into_iter().collect(),
        repository: repository.clone(),
    })
}

fn digest(of: &Descriptor) -> Result<Digest, UnusableBase> {
    document::digest(of).map_err(UnusableBase::Digest)
}

/// Returns the platform of a configuration.
fn platform(object: &Map<String, Value>) -> Option<Platform> {
    let text = |key: &str| object.get(key)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let (os, architecture) = (text("os")?, text("architecture")?);
    Some(Platform { os, architecture, variant: text("variant") })
}

fn parse<'a, T: Deserialize<'a>>(
    document: &'static str,
    bytes: &'a [u8],
) -> Result<T, UnusableBase> {
    let failed =
        |error: serde_json::Error| UnusableBase::Document { document, cause: error.to_string() };
    serde_json::from_slice(bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LAYER: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn base(layer: &Value, config: &Value) -> Result<Base, UnusableBase> {
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
            assert!(base.platform.matches(&"linux/arm64".parse().unwrap()));
        }
    }

    #[test]
    fn unusable_base_images_are_refused() {
        for kind in [
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        ] {
            assert!(matches!(base(&layer(kind), &config()), Err(UnusableBase::Layer(_))), "{kind}");
        }
        let gzip = || layer("application/vnd.oci.image.layer.v1.tar+gzip");
        let mut elsewhere = gzip();
        elsewhere["urls"] = json!(["https://example.com/layer"]);
        assert!(matches!(base(&elsewhere, &config()), Err(UnusableBase::Layer(_))));
        let mut two = config();
        two["rootfs"]["diff_ids"] = json!([LAYER, LAYER]);
        assert!(matches!(base(&gzip(), &two), Err(UnusableBase::Layers { .. })));
        let mut triggers = config();
        triggers["config"] = json!({ "OnBuild": ["RUN make"] });
        assert!(matches!(base(&gzip(), &triggers), Err(UnusableBase::OnBuild(_))));
    }
}
