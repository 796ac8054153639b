//! Attaches an SBOM and provenance to an image.

use std::path::Path;

use serde_json::Value;

use super::{Destination, Provenance, PushedImage};
use cutover_oci::registry::{Blob, RegistryError};
use cutover_rollout::model::{Failure, ImageReference};

/// What is attached to a pushed image. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Attachments {
    sbom: Option<Blob>,
    provenance: Option<Provenance>,
}

impl Attachments {
    /// Reads what `image.attach` names, before an image is built: the SBOM from a file, and the provenance from the
    /// environment of a GitHub Actions run.
    ///
    /// # Errors
    /// Refuses a file that cannot be read or is not an SBOM, and an environment that lacks what provenance states.
    pub fn read(
        sbom: Option<&Path>,
        provenance: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Attachments, Failure> {
        let sbom = sbom.map(|path| {
            let refused = |why: String| {
                Failure::refused(format!("image.attach.sbom: {}: {why}", path.display()))
            };
            let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
            self::sbom(bytes).map_err(|error| refused(error.to_string()))
        });
        let provenance = provenance.then(|| {
            Provenance::of_run(variable).map_err(|missing| {
                Failure::refused(format!(
                    "image.attach.provenance: only a GitHub Actions run can state where an image comes from, and \
                     {missing} is not set"
                ))
            })
        });
        Ok(Attachments { sbom: sbom.transpose()?, provenance: provenance.transpose()? })
    }

    /// Checks that nothing is attached that would be wrong for an image built elsewhere.
    ///
    /// # Errors
    /// Refuses provenance.
    pub fn check_existing_image(&self) -> Result<(), Failure> {
        match self.provenance {
            Some(_) => Err(Failure::refused(
                "image.attach.provenance: it would state that this run built the image, but `--from` names an image \
                 that already exists; set it to false, or let cutover build the image",
            )),
            None => Ok(()),
        }
    }

    /// Attaches the artifacts to each platform's manifest and to the index, so that they are found by either digest.
    pub(super) async fn attach(
        &self,
        to: &Destination,
        image: &PushedImage,
    ) -> Result<(), RegistryError> {
        let Destination { repository, registry } = to;
        for digest in image.manifests() {
            let image = ImageReference { repository: repository.clone(), digest: digest.clone() };
            let artifacts = self.of(&image);
            if artifacts.is_empty() {
                continue;
            }
            let subject = registry.pushed_manifest(repository, digest).await?;
            for artifact in artifacts {
                registry.attach(repository, &subject, &artifact).await?;
            }
        }
        Ok(())
    }

    fn of(&self, image: &ImageReference) -> Vec<Blob> {
        let statement =
            |run: &Provenance| Blob::new(Provenance::MEDIA_TYPE, run.of(image).to_string());
        self.sbom.iter().cloned().chain(self.provenance.as_ref().map(statement)).collect()
    }
}

/// The error for a file that is not an SBOM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not an SBOM in SPDX or CycloneDX JSON, as written by `syft -o spdx-json` or \
     `trivy image --format cyclonedx`"
)]
struct NotAnSbom;

/// Returns an SBOM with the media type of its format, which its content tells.
fn sbom(bytes: Vec<u8>) -> Result<Blob, NotAnSbom> {
    let read: Value = serde_json::from_slice(&bytes).map_err(|_| NotAnSbom)?;
    let kind = if read.get("spdxVersion").is_some() {
        "application/spdx+json"
    } else if read["bomFormat"] == "CycloneDX" {
        "application/vnd.cyclonedx+json"
    } else {
        return Err(NotAnSbom);
    };
    Ok(Blob::new(kind, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sbom_says_of_which_kind_it_is() {
        let kind = |text: &str| sbom(text.into()).map(|blob| blob.media_type);
        assert_eq!(kind(r#"{"spdxVersion":"SPDX-2.3"}"#).unwrap(), "application/spdx+json");
        let cyclone = r#"{"bomFormat":"CycloneDX"}"#;
        assert_eq!(kind(cyclone).unwrap(), "application/vnd.cyclonedx+json");
        assert_eq!(kind(r#"{"name":"web"}"#), Err(NotAnSbom));
        assert_eq!(kind("<bom/>"), Err(NotAnSbom));
    }
}
