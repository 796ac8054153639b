//! Validation of parameter names.

use super::invalid;
use crate::wire::{ApiError, ApiResult};

/// Checks a name against the rules (user guide, "Requirements and constraints for parameter names").
pub(super) fn check(name: &str) -> ApiResult<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || name.len() > 1011 || !name.chars().all(plain) {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it \
             can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of \
             letters, numbers and the following 3 symbols .-_",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(ApiError::sender(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    if name.matches('/').count() > 15 {
        return Err(ApiError::sender(
            "HierarchyLevelLimitExceededException",
            "A parameter name hierarchy can have at most 15 levels.",
        ));
    }
    Ok(())
}
