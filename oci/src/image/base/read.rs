//! Reads a base image from its registry: two small documents for each platform. Its layers stay there.

use bytes::Bytes;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::registry::{LARGEST_CONFIG, Registry, RegistryError};
use cutover_rollout::model::{Digest, ImageReference};

use super::super::Platform;
use super::{Base, BaseError, Bases, UnusableBase, digest, parse};

/// Tells an image manifest from an index by its members: media types are sometimes missing. A document with the members
/// of both is not an index.
#[derive(Deserialize)]
struct ManifestOrIndex {
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

/// Reads `base`, an image or the index of several, for each of `platforms`.
///
/// # Errors
/// Fails if the registry does not have it, or not for a platform, or it cannot be a base image.
pub async fn read(
    registry: &Registry,
    base: &ImageReference,
    platforms: &[Platform],
) -> Result<Bases, BaseError> {
    let reader = Reader { registry, base };
    let top = reader.manifest(&base.digest).await?;
    let either: ManifestOrIndex = parse("manifest", &top).map_err(|why| reader.unfit(why))?;
    if either.manifests.is_none() || either.layers.is_some() {
        let only = reader.image(&top).await?;
        let another = platforms.iter().find(|platform| !platform.matches(only.platform()));
        return match another {
            Some(platform) => Err(reader.none_for(platform, vec![only.platform().clone()])),
            None => Ok([only].into_iter().collect()),
        };
    }
    let index: ImageIndex = parse("index", &top).map_err(|why| reader.unfit(why))?;
    let index = index.manifests();
    let mut bases = Vec::new();
    for wanted in platforms {
        let entry = index.iter().find(|entry| platform(entry).is_some_and(|p| wanted.matches(&p)));
        let Some(entry) = entry else {
            let there = index.iter().filter_map(platform);
            // Attestations have no real platform.
            let there = there.filter(|platform| platform.os != "unknown").collect();
            return Err(reader.none_for(wanted, there));
        };
        let digest = digest(entry).map_err(|why| reader.unfit(why))?;
        let found = reader.image(&reader.manifest(&digest).await?).await?;
        if !wanted.matches(found.platform()) {
            return Err(reader.none_for(wanted, vec![found.platform().clone()]));
        }
        bases.push(found);
    }
    Ok(bases.into_iter().collect())
}

struct Reader<'a> {
    registry: &'a Registry,
    base: &'a ImageReference,
}

impl Reader<'_> {
    async fn manifest(&self, digest: &Digest) -> Result<Bytes, BaseError> {
        let found = self.registry.manifest(&self.base.repository, digest.as_str()).await;
        match found.map_err(|error| self.failed(error))? {
            Some(manifest) => Ok(manifest.bytes),
            None => Err(BaseError::Missing { base: self.base.clone() }),
        }
    }

    async fn image(&self, manifest: &[u8]) -> Result<Base, BaseError> {
        let parsed: ImageManifest = parse("manifest", manifest).map_err(|why| self.unfit(why))?;
        let config = parsed.config();
        if config.size() > LARGEST_CONFIG {
            let kind = config.media_type().to_string();
            return Err(self.unfit(UnusableBase::NotAnImage(kind)));
        }
        let digest = digest(config).map_err(|why| self.unfit(why))?;
        let config = self.registry.blob(&self.base.repository, &digest, config.size()).await;
        let config = config.map_err(|error| self.failed(error))?;
        Base::new(&self.base.repository, manifest, &config).map_err(|why| self.unfit(why))
    }

    fn failed(&self, source: RegistryError) -> BaseError {
        BaseError::Registry { base: self.base.clone(), source }
    }

    fn unfit(&self, why: UnusableBase) -> BaseError {
        BaseError::Unusable { base: self.base.clone(), why }
    }

    fn none_for(&self, platform: &Platform, there: Vec<Platform>) -> BaseError {
        BaseError::Platform { base: self.base.clone(), platform: platform.clone(), there }
    }
}

/// Returns the platform of an index entry.
fn platform(entry: &Descriptor) -> Option<Platform> {
    let of = entry.platform().as_ref()?;
    let (os, architecture) = (of.os().to_string(), of.architecture().to_string());
    Some(Platform { os, architecture, variant: of.variant().clone() })
}
