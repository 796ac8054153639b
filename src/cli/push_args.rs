//! The options of a build and of a push.

use std::path::PathBuf;

use super::environment::variable;
use crate::build;
use crate::publish::{Attachments, LayerCache, PushOptions};
use cutover_config::Config;
use cutover_oci::image::Codec;
use cutover_rollout::model::Failure;

/// The options of a build.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct BuildArgs {
    /// Build without using any layer cache.
    #[arg(long)]
    pub no_cache: bool,
}

/// The options of a push.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PushArgs {
    /// The compression of a built image's layers [default: gzip].
    #[arg(long, value_enum)]
    compression: Option<Compression>,
}

impl PushArgs {
    /// Reads what a push needs besides the image. `config` is the configuration, if there is one; an `assembled` image
    /// is compressed already.
    pub(super) fn options(
        &self,
        config: Option<&Config>,
        assembled: bool,
    ) -> Result<PushOptions, Failure> {
        let codec = match self.compression {
            Some(Compression::Zstd) if assembled => {
                return Err(Failure::refused(
                    "--compression zstd: an image assembled from `image.files` is compressed with gzip; omit the \
                     option, or use `image.build`",
                ));
            }
            None | Some(Compression::Gzip) => Codec::Gzip,
            Some(Compression::Zstd) => Codec::Zstd,
        };
        let attachments = config.map(|config| {
            let attach = &config.image.attach;
            let sbom: Option<PathBuf> =
                attach.sbom.as_ref().map(|path| config.directory.join(path));
            Attachments::read(sbom.as_deref(), attach.provenance, variable)
        });
        Ok(PushOptions {
            codec,
            annotations: build::annotations(variable)?,
            cache: LayerCache::of_user(variable),
            attachments: attachments.transpose()?.unwrap_or_default(),
        })
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
