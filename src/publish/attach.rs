//! Attaches an SBOM and provenance to an image.

use serde_json::Value;

use super::Destination;
use cutover_oci::registry::{Blob, RegistryError};
use cutover_rollout::model::Digest;

/// The error for a file that is not an SBOM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not an SBOM in SPDX or CycloneDX JSON, as written by `syft -o spdx-json` or \
     `trivy image --format cyclonedx`"
)]
pub struct NotAnSbom;

/// Returns an SBOM with the media type of its format, which its content tells.
///
/// # Errors
/// Fails if it is in neither format.
pub fn sbom(bytes: Vec<u8>) -> Result<Blob, NotAnSbom> {
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

/// Attaches `artifacts` to the image with this digest.
///
/// # Errors
/// Fails if the image does not exist, or the registry rejects an artifact.
pub async fn attach(
    to: &Destination,
    digest: &Digest,
    artifacts: &[Blob],
) -> Result<(), RegistryError> {
    let Destination { repository, registry } = to;
    let subject = registry.pushed_manifest(repository, digest).await?;
    for artifact in artifacts {
        registry.attach(repository, &subject, artifact).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_says_of_which_kind_it_is() {
        let kind = |text: &str| sbom(text.into()).map(|blob| blob.media_type);
        assert_eq!(kind(r#"{"spdxVersion":"SPDX-2.3"}"#).unwrap(), "application/spdx+json");
        let cyclone = r#"{"bomFormat":"CycloneDX"}"#;
        assert_eq!(kind(cyclone).unwrap(), "application/vnd.cyclonedx+json");
        assert_eq!(kind(r#"{"name":"web"}"#), Err(NotAnSbom));
        assert_eq!(kind("<bom/>"), Err(NotAnSbom));
    }
}
