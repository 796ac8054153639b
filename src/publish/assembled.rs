//! An image that was put together: the base that it is put onto, and where that base's layers come from.

use super::{Destination, DestinationError, Logins};
use crate::cloud::Cloud;
use crate::image::base::{self, BaseError};
use crate::image::{Assembly, Bases, Image, Layer};
use crate::net::Net;
use crate::registry::{Pushed, Registry, RegistryError};

/// Who reads a base.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The way out.
    pub net: &'a Net,
    /// The account; `None` where no base is in ECR.
    pub cloud: Option<&'a Cloud>,
    /// Who we are to other registries.
    pub logins: &'a Logins,
}

/// Why a base could not be read, or its layers not be brought.
#[derive(Debug, thiserror::Error)]
pub enum AssembledError {
    /// Nobody lets us in.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// It is no base for this.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// A registry's answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Reader<'_> {
    /// The base for each platform; none where the image is put onto nothing.
    ///
    /// # Errors
    /// Where it cannot be read, or is no base for one of the platforms.
    pub async fn bases(&self, assembly: &Assembly) -> Result<Bases, AssembledError> {
        let Some(named) = &assembly.base else { return Ok(Bases::default()) };
        let from = super::connect_to_read(self.net, self.cloud, &named.repository, self.logins);
        let registry = from.await?.registry;
        Ok(base::read(&registry, named, assembly.all_platforms()).await?)
    }

    /// Brings the image to a destination, its base's layers from where they are; no tag names it yet.
    ///
    /// # Errors
    /// Where one of both registries does not play along; what was uploaded stays.
    pub async fn push(&self, image: &Image, to: &Destination) -> Result<Pushed, AssembledError> {
        let Destination { repository, registry } = to;
        let source = self.source(image, to).await?;
        let source = source.as_ref().unwrap_or(registry);
        Ok(registry.push_from(source, image, repository, &[]).await?)
    }

    /// The registry of the base, where that is another one.
    async fn source(
        &self,
        image: &Image,
        to: &Destination,
    ) -> Result<Option<Registry>, DestinationError> {
        let base =
            image.platforms().flat_map(|image| &image.layers).find_map(|layer| match layer {
                Layer::There(there) => Some(&there.repository),
                Layer::Here(_) => None,
            });
        let base = base.filter(|base| base.registry() != to.repository.registry());
        let Some(base) = base else { return Ok(None) };
        let from = super::connect_to_read(self.net, self.cloud, base, self.logins).await?;
        Ok(Some(from.registry))
    }
}
