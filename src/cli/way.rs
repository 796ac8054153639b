//! The way of an image into registries: log in, push, put beside, tag.

use std::cell::RefCell;
use std::io::IsTerminal as _;

use super::Format;
use super::environment::variable;
use super::making::{Product, annotations, failed, refused};
use super::session::Failure;
use crate::cloud::Cloud;
use crate::config::{self, Config};
use crate::image::Codec;
use crate::model::{Digest, Event, ImageReference, Repository};
use crate::net::Net;
use crate::publish::{self, Destination, Logins, Memory, Push, Pushed, Reader, Terms, Unfit};
use crate::registry::{self, Blob};
use crate::report::Bars;

/// How to send it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Sending {
    /// How layers of a built image are compressed: gzip unless said otherwise.
    #[arg(long, value_enum)]
    compression: Option<Compression>,
}

impl Sending {
    /// Whether an image can be sent so; one that is `assembled` is packed already.
    pub(super) fn suits(&self, assembled: bool) -> Result<(), Failure> {
        match self.compression {
            Some(Compression::Zstd) if assembled => Err(refused(
                "--compression zstd: what `image.files` puts together is packed with gzip. Leave the \
                 option out, or build with `image.build`",
            )),
            _ => Ok(()),
        }
    }
}

/// The codecs, on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Compression {
    /// Read by everybody.
    Gzip,
    /// Smaller and faster; Docker reads it from version 23 on.
    Zstd,
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

/// What `image.attach` asks for.
pub(super) struct Attached {
    bill: Option<Blob>,
    provenance: bool,
}

impl Attached {
    /// Reads it, before anything is made that it is to be put beside.
    pub(super) fn read(config: &Config) -> Result<Attached, Failure> {
        let config::Attach { sbom, provenance } = &config.image.attach;
        let bill = sbom.as_ref().map(|sbom| {
            let path = config.directory.join(sbom);
            let told =
                |why: String| refused(format!("image.attach.sbom: {}: {why}", path.display()));
            let bytes = std::fs::read(&path).map_err(|error| told(error.to_string()))?;
            publish::bill(bytes).map_err(|error| told(error.to_string()))
        });
        let attached = Attached { bill: bill.transpose()?, provenance: *provenance };
        // Whether the environment tells enough doesn't depend on the image.
        if let Some(repository) = config.image.push.first() {
            attached.to(repository, &Digest::of(b""))?;
        }
        Ok(attached)
    }

    /// Whether it can be said of an image that others have made.
    pub(super) fn suits_a_strange_image(&self) -> Result<(), Failure> {
        match self.provenance {
            true => Err(refused(
                "image.attach.provenance: it would say that this run made the image, and `--from` names \
                 one that is made already. Set it to false, or let cutover build",
            )),
            false => Ok(()),
        }
    }

    /// What is put beside the image with this digest.
    fn to(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Blob>, Failure> {
        let mut artifacts: Vec<_> = self.bill.iter().cloned().collect();
        if self.provenance {
            let image = ImageReference { repository: repository.clone(), digest: digest.clone() };
            let statement = publish::provenance::statement(&image, variable).map_err(|missing| {
                refused(format!(
                    "image.attach.provenance: only an Actions run knows where an image comes from, \
                     and {missing} is not set"
                ))
            })?;
            artifacts.push(Blob::new(publish::provenance::MEDIA_TYPE, statement.to_string()));
        }
        Ok(artifacts)
    }
}

#[allow(clippy::needless_pass_by_value)] // As map_err gives it.
fn unfit(why: Unfit) -> Failure {
    (why.ending(), why.to_string())
}

impl Way<'_> {
    /// Goes to all registries, before anything is made: they answer, know us, and have the repositories.
    pub(super) async fn destinations(&self, tags: &[String]) -> Result<Vec<Destination>, Failure> {
        registry::check_tags(tags).map_err(refused)?;
        let mut destinations = Vec::new();
        for repository in self.to {
            let to = publish::connect(self.net, self.cloud, repository, self.logins).await;
            let to = to.map_err(failed)?;
            to.registry.reach(repository).await.map_err(failed)?;
            self.terms().before(&to, tags, None).await.map_err(unfit)?;
            destinations.push(to);
        }
        Ok(destinations)
    }

    /// Brings the image to all of them, under its digest: no tag names it yet.
    pub(super) async fn push(
        &self,
        product: &Product,
        (destinations, tags): (&[Destination], &[String]),
        sending: &Sending,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Pushed, Failure> {
        let (engine, stored) = match product {
            Product::Stored(engine, stored) => (engine, stored),
            Product::Assembled(image) => {
                for to in destinations {
                    let pushed = self.reader().push(image, to).await.map_err(failed)?;
                    tell(Event::Image { image: pushed.reference, uploaded: pushed.uploaded_bytes });
                }
                return Ok(image.into());
            }
        };
        let in_terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let bars = in_terminal && matches!(self.format, Format::Human);
        let bars = bars.then(|| Bars::new(destinations.len()));
        let shown = RefCell::new((bars, tell));
        let memory = Memory::of_user(variable);
        let push = Push {
            destinations,
            memory: &memory,
            earlier: tags,
            codec: match sending.compression {
                None | Some(Compression::Gzip) => Codec::Gzip,
                Some(Compression::Zstd) => Codec::Zstd,
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
        Ok(published.digest.into())
    }

    /// Puts beside the pushed image what was asked for: beside each platform's, and the index, so that it
    /// is found by whatever name.
    pub(super) async fn attach(
        &self,
        attached: &Attached,
        destinations: &[Destination],
        pushed: &Pushed,
    ) -> Result<(), Failure> {
        for to in destinations {
            for digest in pushed.manifests() {
                let artifacts = attached.to(&to.repository, digest)?;
                if !artifacts.is_empty() {
                    publish::attach(to, digest, &artifacts).await.map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Lets `tags` name what was pushed, and tells what the registries say of it.
    pub(super) async fn finish(
        &self,
        destinations: &[Destination],
        pushed: &Pushed,
        tags: &[String],
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        for to in destinations {
            self.terms().before(to, tags, Some(&pushed.top)).await.map_err(unfit)?;
        }
        let notices = self.terms().name(destinations, pushed, tags).await.map_err(unfit)?;
        notices.into_iter().for_each(|message| tell(Event::Notice { message }));
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
