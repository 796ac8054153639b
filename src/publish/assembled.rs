//! Assembled images: reads their base image, and pushes them along with its layers.

use super::{Destination, DestinationError, RegistryAccess};
use cutover_oci::image::base::{self, BaseError};
use cutover_oci::image::{Assembly, Bases, Image, Layer};
use cutover_oci::registry::{PushResult, Registry, RegistryError};
use cutover_rollout::model::Failure;

/// Why a base image could not be read, or an image not be pushed.
#[derive(Debug, thiserror::Error)]
pub enum AssembledError {
    /// The registry cannot be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The base image cannot be read or used.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// A registry refuses or fails.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl From<AssembledError> for Failure {
    fn from(error: AssembledError) -> Failure {
        match error {
            AssembledError::Destination(error) => error.into(),
            AssembledError::Registry(error) => error.into(),
            AssembledError::Base(error) => Failure::failed(error.to_string()),
        }
    }
}

/// Returns the base image for each platform; empty if there is none.
///
/// # Errors
/// Fails if it cannot be read, or not be used for one of the platforms.
pub async fn read_bases(
    access: RegistryAccess<'_>,
    assembly: &Assembly,
) -> Result<Bases, AssembledError> {
    let Some(named) = &assembly.base else { return Ok(Bases::default()) };
    let registry = access.connect_to_read(&named.repository).await?.registry;
    Ok(base::read(&registry, named, assembly.all_platforms()).await?)
}

/// Pushes the image to a destination, with the base image's layers from where they are. Sets no tags.
///
/// # Errors
/// Fails if one of the two registries refuses or fails; what was uploaded stays.
pub async fn push_assembled(
    access: RegistryAccess<'_>,
    image: &Image,
    to: &Destination,
) -> Result<PushResult, AssembledError> {
    let Destination { repository, registry } = to;
    let source = source(access, image, to).await?;
    let source = source.as_ref().unwrap_or(registry);
    Ok(registry.push_from(source, image, repository, &[]).await?)
}

/// Returns the base image's registry, if it is another one.
async fn source(
    access: RegistryAccess<'_>,
    image: &Image,
    to: &Destination,
) -> Result<Option<Registry>, DestinationError> {
    let base = image.platforms().flat_map(|image| &image.layers).find_map(|layer| match layer {
        Layer::There(there) => Some(&there.repository),
        Layer::Local(_) => None,
    });
    let Some(base) = base.filter(|base| base.registry() != to.repository.registry()) else {
        return Ok(None);
    };
    Ok(Some(access.connect_to_read(base).await?.registry))
}
