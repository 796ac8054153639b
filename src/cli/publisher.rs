//! Publishing an image to registries: log in, push, attach, tag.

use std::cell::RefCell;
use std::io::IsTerminal as _;

use super::Format;
use super::environment::variable;
use super::local_image::{LocalImage, annotations, failed, refused};
use crate::config::{self, Config};
use crate::publish::{
    self, AssembledPush, Destination, ImagePush, LayerCache, Logins, PushPolicy, PushedImage,
};
use crate::report::ProgressBars;
use cutover_aws::Aws;
use cutover_net::Net;
use cutover_oci::image::Codec;
use cutover_oci::registry::{self, Blob};
use cutover_rollout::model::{Digest, Event, Failure, ImageReference, Repository};

/// The options of a push.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PushArgs {
    /// The compression of a built image's layers [default: gzip].
    #[arg(long, value_enum)]
    compression: Option<Compression>,
}

impl PushArgs {
    /// Checks that these options suit the image; an `assembled` one is compressed already.
    pub(super) fn check(&self, assembled: bool) -> Result<(), Failure> {
        match self.compression {
            Some(Compression::Zstd) if assembled => Err(refused(
                "--compression zstd: an image assembled from `image.files` is compressed with gzip; omit the \
                 option, or use `image.build`",
            )),
            _ => Ok(()),
        }
    }
}

/// The values of `--compression`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Compression {
    /// Supported everywhere.
    Gzip,
    /// Smaller and faster; Docker needs version 23 or later.
    Zstd,
}

/// Where an image is pushed, and with which credentials.
pub(super) struct Publisher<'a> {
    pub net: &'a Net,
    /// The AWS account; needed for ECR only.
    pub cloud: Option<&'a Aws>,
    pub logins: &'a Logins,
    pub ecr: config::Ecr,
    /// The repositories. Instances pull from the first.
    pub to: &'a [Repository],
    pub format: Format,
}

/// The artifacts of `image.attach`.
pub(super) struct Attachments {
    sbom: Option<Blob>,
    provenance: bool,
}

impl Attachments {
    /// Reads the artifacts and checks them, before the image is built.
    pub(super) fn read(config: &Config) -> Result<Attachments, Failure> {
        let config::Attach { sbom, provenance } = &config.image.attach;
        let bill = sbom.as_ref().map(|sbom| {
            let path = config.directory.join(sbom);
            let sbom_error =
                |why: String| refused(format!("image.attach.sbom: {}: {why}", path.display()));
            let bytes = std::fs::read(&path).map_err(|error| sbom_error(error.to_string()))?;
            publish::sbom(bytes).map_err(|error| sbom_error(error.to_string()))
        });
        let attached = Attachments { sbom: bill.transpose()?, provenance: *provenance };
        // Whether the environment has everything that provenance needs does not depend on the image.
        if let Some(repository) = config.image.push.first() {
            attached.to(repository, &Digest::of(b""))?;
        }
        Ok(attached)
    }

    /// Checks that nothing is attached that would be wrong for an image built elsewhere.
    pub(super) fn check_existing_image(&self) -> Result<(), Failure> {
        match self.provenance {
            true => Err(refused(
                "image.attach.provenance: it would state that this run built the image, but `--from` names an \
                 image that already exists; set it to false, or let cutover build the image",
            )),
            false => Ok(()),
        }
    }

    /// Returns what is attached to the image with this digest.
    fn to(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Blob>, Failure> {
        let mut artifacts: Vec<_> = self.sbom.iter().cloned().collect();
        if self.provenance {
            let image = ImageReference { repository: repository.clone(), digest: digest.clone() };
            let statement = publish::provenance::statement(&image, variable).map_err(|missing| {
                refused(format!(
                    "image.attach.provenance: only a GitHub Actions run can state where an image comes \
                     from, and {missing} is not set"
                ))
            })?;
            artifacts.push(Blob::new(publish::provenance::MEDIA_TYPE, statement.to_string()));
        }
        Ok(artifacts)
    }
}

impl Publisher<'_> {
    /// Connects to all registries before the image is built: they respond, accept the login, and have the
    /// repositories.
    pub(super) async fn connect(&self, tags: &[String]) -> Result<Vec<Destination>, Failure> {
        registry::check_tags(tags).map_err(refused)?;
        let mut destinations = Vec::new();
        for repository in self.to {
            let to = publish::connect(self.net, self.cloud, repository, self.logins).await?;
            to.registry.check_access(repository).await?;
            self.terms().before(&to, tags, None).await?;
            destinations.push(to);
        }
        Ok(destinations)
    }

    /// Pushes the image to all destinations by digest. No tag is set yet.
    pub(super) async fn push(
        &self,
        product: &LocalImage,
        (destinations, tags): (&[Destination], &[String]),
        sending: &PushArgs,
        emit: &mut dyn FnMut(Event),
    ) -> Result<PushedImage, Failure> {
        let (engine, stored) = match product {
            LocalImage::Stored(engine, stored) => (engine, stored),
            LocalImage::Assembled(image) => {
                for to in destinations {
                    let pushed = self.reader().push(image, to).await?;
                    emit(Event::Image { image: pushed.reference, uploaded: pushed.uploaded_bytes });
                }
                return Ok(image.into());
            }
        };
        let in_terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let bars = in_terminal && matches!(self.format, Format::Human);
        let bars = bars.then(|| ProgressBars::new(destinations.len()));
        let shown = RefCell::new((bars, emit));
        let memory = LayerCache::of_user(variable);
        let push = ImagePush {
            destinations,
            cache: &memory,
            prior_tags: tags,
            codec: match sending.compression {
                None | Some(Compression::Gzip) => Codec::Gzip,
                Some(Compression::Zstd) => Codec::Zstd,
            },
            annotations: &annotations().map_err(refused)?,
            emit: &|progress| {
                let (bars, emit) = &mut *shown.borrow_mut();
                match bars {
                    Some(bars) => bars.show(&progress),
                    None if progress.state.is_reported_once() => emit(Event::Layer(progress)),
                    None => {}
                }
            },
        };
        let published = push.stored(engine, stored).await.map_err(failed)?;
        let (bars, emit) = shown.into_inner();
        drop(bars);
        for to in destinations {
            let digest = published.digest.clone();
            let image = ImageReference { repository: to.repository.clone(), digest };
            emit(Event::Image { image, uploaded: published.uploaded(&to.repository) });
        }
        Ok(published.digest.into())
    }

    /// Attaches the artifacts to the pushed image: to each platform's manifest and to the index, so that they
    /// are found by either digest.
    pub(super) async fn attach(
        &self,
        attached: &Attachments,
        destinations: &[Destination],
        pushed: &PushedImage,
    ) -> Result<(), Failure> {
        for to in destinations {
            for digest in pushed.manifests() {
                let artifacts = attached.to(&to.repository, digest)?;
                if !artifacts.is_empty() {
                    publish::attach(to, digest, &artifacts).await?;
                }
            }
        }
        Ok(())
    }

    /// Tags what was pushed, and reports the registries' notices about it.
    pub(super) async fn finish(
        &self,
        destinations: &[Destination],
        pushed: &PushedImage,
        tags: &[String],
        emit: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        for to in destinations {
            self.terms().before(to, tags, Some(&pushed.tag_target)).await?;
        }
        let notices = self.terms().tag(destinations, pushed, tags).await?;
        notices.into_iter().for_each(|message| emit(Event::Notice { message }));
        Ok(())
    }

    pub(super) fn reader(&self) -> AssembledPush<'_> {
        AssembledPush { net: self.net, cloud: self.cloud, logins: self.logins }
    }

    fn terms(&self) -> PushPolicy<'_> {
        PushPolicy {
            net: self.net,
            cloud: self.cloud,
            create: self.ecr.create.as_ref(),
            scan: self.ecr.scan.as_ref(),
        }
    }
}
