//! `image.attach`: the SBOM's path.

use std::path::PathBuf;

use super::checker::Checker;
use crate::attach::{Attach, AttachSection};

/// Checks the section and fills in its defaults.
pub(super) fn resolve(section: &AttachSection, check: &mut Checker<'_>) -> Attach {
    if let Some(sbom) = &section.sbom {
        check.filled(sbom, "a file path");
    }
    Attach {
        sbom: section.sbom.as_ref().map(|at| PathBuf::from(&at.value)),
        provenance: section.provenance.unwrap_or_default(),
    }
}
