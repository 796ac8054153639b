//! The road of an image into the registries: connect, push, attach, tag. Each step is a type, so that no step can be
//! left out or come too early.

use std::cell::RefCell;

use super::{
    Attachments, Destination, ImagePush, ImageSource, LayerCache, PolicyError, PushedImage,
    RegistryAccess, push_assembled,
};
use cutover_aws::{ErrorClass, RepositoryFacts};
use cutover_oci::image::{Annotations, Codec};
use cutover_oci::registry;
use cutover_rollout::model::{
    Event, Failure, ImageReference, Repository, RepositorySettings, ScanPolicy,
};

/// Publishes images to repositories.
#[derive(Debug, Clone, Copy)]
pub struct Publisher<'a> {
    /// How the registries are reached.
    pub access: RegistryAccess<'a>,
    /// The repositories, which all get the same image. Instances pull from the first.
    pub repositories: &'a [Repository],
    /// How to create ECR repositories that do not exist; `None` not to.
    pub create: Option<&'a RepositorySettings>,
    /// The scan gate that images must pass before they are tagged, if any.
    pub scan: Option<&'a ScanPolicy>,
    /// What else a push needs.
    pub options: &'a PushOptions,
}

/// The options of a push.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// The compression of a built image's layers.
    pub codec: Codec,
    /// The annotations of a built image's manifest. Assembled images have theirs already.
    pub annotations: Annotations,
    /// What earlier pushes have found out.
    pub cache: LayerCache,
    /// The artifacts to attach.
    pub attachments: Attachments,
}

impl<'a> Publisher<'a> {
    /// Connects to all registries, before an image is built: they respond, accept the login, and have the repositories.
    ///
    /// # Errors
    /// Fails if one of them does not, or a tag is invalid.
    pub async fn connect(self, tags: Vec<String>) -> Result<Connected<'a>, Failure> {
        let [first, ..] = self.repositories else {
            return Err(Failure::refused("there is no repository to push to: add `image.push`"));
        };
        registry::check_tags(&tags).map_err(|error| Failure::refused(error.to_string()))?;
        let mut destinations = Vec::new();
        for repository in self.repositories {
            let to = self.access.connect(repository).await?;
            to.registry.check_access(repository).await?;
            let facts = self.ensure(repository, &tags).await?;
            destinations.push((to, facts));
        }
        Ok(Connected { publisher: self, first, destinations, tags })
    }

    /// Ensures that a repository exists. Returns its facts if it is in the account's ECR and they were read.
    async fn ensure(
        &self,
        repository: &Repository,
        tags: &[String],
    ) -> Result<Option<RepositoryFacts>, PolicyError> {
        let Some(cloud) = self.access.cloud else { return Ok(None) };
        if self.create.is_none() && tags.is_empty() {
            // The push itself reports a missing repository.
            return Ok(None);
        }
        match super::ensure(cloud, &self.access.net.clock, repository, self.create).await {
            // Permission to push does not imply permission to read: the push itself reports errors.
            Err(PolicyError::Cloud { source })
                if self.create.is_none() && source.class == ErrorClass::Denied =>
            {
                Ok(None)
            }
            ensured => Ok(ensured?.map(|ensured| ensured.facts)),
        }
    }
}

/// Registries that accept the login and have the repositories.
#[derive(Debug)]
pub struct Connected<'a> {
    publisher: Publisher<'a>,
    /// The repository that instances pull from.
    first: &'a Repository,
    /// With the facts of those in the account's ECR, as far as they were read.
    destinations: Vec<(Destination, Option<RepositoryFacts>)>,
    tags: Vec<String>,
}

impl<'a> Connected<'a> {
    /// Pushes the image to all repositories by digest, and attaches its artifacts. Sets no tags yet.
    ///
    /// # Errors
    /// Fails if a registry refuses or fails, or an immutable tag points to another image. What was uploaded stays, and
    /// the next push finds it.
    pub async fn publish(
        self,
        source: &ImageSource,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Publication<'a>, Failure> {
        let image = self.push(source, emit).await?;
        let Connected { publisher, first, destinations, tags } = self;
        for (to, _) in &destinations {
            publisher.options.attachments.attach(to, &image).await?;
        }
        for (to, facts) in &destinations {
            if let Some(facts) = facts {
                super::check_immutable_tags(to, facts, &tags, &image.tag_target).await?;
            }
        }
        let destinations = destinations.into_iter().map(|(to, _)| to).collect();
        let reference = ImageReference { repository: first.clone(), digest: image.digest.clone() };
        Ok(Publication { publisher, reference, destinations, tags, image })
    }

    async fn push(
        &self,
        source: &ImageSource,
        emit: &mut dyn FnMut(Event),
    ) -> Result<PushedImage, Failure> {
        match source {
            ImageSource::Assembled(image) => {
                for (to, _) in &self.destinations {
                    let pushed = push_assembled(self.publisher.access, image, to).await?;
                    emit(Event::Image { image: pushed.reference, uploaded: pushed.uploaded_bytes });
                }
                Ok(PushedImage::from(&**image))
            }
            ImageSource::Engine(engine, stored) => {
                let PushOptions { codec, annotations, cache, .. } = self.publisher.options;
                let destinations: Vec<_> =
                    self.destinations.iter().map(|(to, _)| to.clone()).collect();
                let emit = RefCell::new(emit);
                let push = ImagePush {
                    destinations: &destinations,
                    cache,
                    prior_tags: &self.tags,
                    codec: *codec,
                    annotations,
                    emit: &|progress| (emit.borrow_mut())(Event::Layer(progress)),
                };
                let published = push.stored(engine, stored).await;
                let published = published.map_err(|error| Failure::failed(error.to_string()))?;
                for to in &destinations {
                    let (repository, digest) = (to.repository.clone(), published.digest.clone());
                    let uploaded = published.uploaded(&repository);
                    let image = ImageReference { repository, digest };
                    (emit.borrow_mut())(Event::Image { image, uploaded });
                }
                Ok(published.digest.into())
            }
        }
    }
}

/// An image that is in all repositories by digest, with its artifacts. Its tags are still to be set.
#[derive(Debug)]
pub struct Publication<'a> {
    publisher: Publisher<'a>,
    reference: ImageReference,
    destinations: Vec<Destination>,
    tags: Vec<String>,
    image: PushedImage,
}

impl Publication<'_> {
    /// Returns the image as instances pull it.
    pub fn reference(&self) -> &ImageReference {
        &self.reference
    }

    /// Returns the digests of the image.
    pub fn image(&self) -> &PushedImage {
        &self.image
    }

    /// Returns the tags that it has, or is to get.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Sets the tags in all repositories, once no scan blocks it in any of them; returns notices for users.
    ///
    /// # Errors
    /// Fails if a scan blocks it, or a registry rejects a tag.
    pub async fn tag(&self) -> Result<Vec<String>, Failure> {
        let access = self.publisher.access;
        for Destination { repository, .. } in &self.destinations {
            if let (Some(gate), Some(cloud)) = (self.publisher.scan, access.cloud)
                && cloud.owns(repository)
            {
                let platforms = &self.image.platforms;
                super::ensure_scanned(cloud, &access.net.clock, repository, platforms, gate)
                    .await?;
            }
        }
        let mut notices = Vec::new();
        for (at, to) in self.destinations.iter().enumerate() {
            to.registry.tag(&to.repository, &self.image.tag_target, &self.tags).await?;
            if super::is_ghcr(&to.repository)
                // That it cannot be found out who may pull is no reason to fail.
                && let Ok(visible) = super::visibility(to, &self.image.digest).await
            {
                notices.push(visible.reported(&to.repository, at == 0));
            }
        }
        Ok(notices)
    }
}
