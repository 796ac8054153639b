//! Validation of parameter names.

use super::errors::invalid;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

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

/// The most parameters in a page, or in a call that names them (API model).
pub(super) const PAGE_LIMIT: i64 = 10;

/// Extracts the name from a name or an ARN; a name that isn't a path has no leading slash.
pub(super) fn parameter_name<'n>(world: &World, text: &'n str) -> &'n str {
    let Some((_, name)) = text.split_once(":parameter").filter(|_| text.starts_with("arn:")) else {
        return text;
    };
    let plain = name.trim_start_matches('/');
    let bare = plain.split(':').next().unwrap_or_default();
    if !plain.contains('/') && world.ssm.parameters.contains_key(bare) { plain } else { name }
}

pub(super) fn names(input: &Value) -> ApiResult<Vec<String>> {
    let names = input.strings("Names");
    if names.is_empty() || names.len() as i64 > PAGE_LIMIT {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must \
             have length less than or equal to {PAGE_LIMIT}, Member must have length greater than or equal to 1.",
            names.join(", ")
        )));
    }
    Ok(names)
}
