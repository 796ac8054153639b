//! What is put beside an image when it is asked for: a bill of materials, and where it came from.

use serde_json::Value;

use super::Destination;
use crate::model::Digest;
use crate::registry::{Blob, RegistryError};

/// Why a file is no bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no bill of materials: it takes SPDX or CycloneDX as JSON, as `syft -o spdx-json` or \
     `trivy image --format cyclonedx` write it"
)]
pub struct NoBill;

/// A bill of materials, its kind told by what it says of itself.
///
/// # Errors
/// Where it is of neither kind.
pub fn bill(bytes: Vec<u8>) -> Result<Blob, NoBill> {
    let read: Value = serde_json::from_slice(&bytes).map_err(|_| NoBill)?;
    let kind = if read.get("spdxVersion").is_some() {
        "application/spdx+json"
    } else if read["bomFormat"] == "CycloneDX" {
        "application/vnd.cyclonedx+json"
    } else {
        return Err(NoBill);
    };
    Ok(Blob::new(kind, bytes))
}

/// Puts `artifacts` beside the image with this digest.
///
/// # Errors
/// Where the image is not there, or the registry takes none.
pub async fn attach(
    to: &Destination,
    digest: &Digest,
    artifacts: &[Blob],
) -> Result<(), RegistryError> {
    let Destination { repository, registry } = to;
    let subject = registry.pushed(repository, digest).await?;
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
        let kind = |text: &str| bill(text.into()).map(|blob| blob.media_type);
        assert_eq!(kind(r#"{"spdxVersion":"SPDX-2.3"}"#).unwrap(), "application/spdx+json");
        let cyclone = r#"{"bomFormat":"CycloneDX"}"#;
        assert_eq!(kind(cyclone).unwrap(), "application/vnd.cyclonedx+json");
        assert_eq!(kind(r#"{"name":"web"}"#), Err(NoBill));
        assert_eq!(kind("<bom/>"), Err(NoBill));
    }
}
