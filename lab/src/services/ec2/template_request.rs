//! What the calls on launch templates have in common: the template that they name, a description, the size of a
//! page.

use super::errors::{LAUNCH_TEMPLATE, invalid_value};
use super::launch_template::LaunchTemplate;
use super::state::State;
use crate::wire::{ApiError, ApiResult, Value};

/// Returns the launch template with this id, or without an id the one with this name.
pub fn resolve<'a>(
    state: &'a State,
    id: Option<&str>,
    name: Option<&str>,
) -> ApiResult<&'a LaunchTemplate> {
    match (id, name) {
        (Some(id), _) => state.templates.get(id).ok_or_else(|| {
            if !id.starts_with("lt-") {
                return LAUNCH_TEMPLATE.not_found(id);
            }
            ApiError::sender(
                "InvalidLaunchTemplateId.NotFound",
                format!("The specified launch template, with template ID {id}, does not exist."),
            )
        }),
        (None, Some(name)) => {
            state.templates.values().find(|template| template.name == name).ok_or_else(|| {
                ApiError::sender(
                    "InvalidLaunchTemplateName.NotFoundException",
                    format!(
                        "The specified launch template, with template name {name}, does not exist."
                    ),
                )
            })
        }
        (None, None) => Err(ApiError::sender(
            "MissingParameter",
            "Either LaunchTemplateId or LaunchTemplateName must be specified.",
        )),
    }
}

/// Returns the launch template that a request names by id or by name, but not by both (API model).
pub(super) fn of_request<'a>(state: &'a State, input: &Value) -> ApiResult<&'a LaunchTemplate> {
    let (id, name) = (input.str("LaunchTemplateId"), input.str("LaunchTemplateName"));
    if id.is_some() && name.is_some() {
        return Err(ApiError::sender(
            "InvalidParameterCombination",
            "Only one of LaunchTemplateId and LaunchTemplateName may be specified.",
        ));
    }
    resolve(state, id, name)
}

/// Reads the description of a new version.
pub(super) fn description(input: &Value) -> ApiResult<Option<String>> {
    let description = input.str("VersionDescription").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(invalid_value("VersionDescription must have at most 255 characters."));
    }
    Ok(description)
}

/// Reads the `MaxResults` of a launch template listing: 1 to 200 (API model).
pub(super) fn page_size(input: &Value) -> ApiResult<usize> {
    match input.int("MaxResults") {
        None => Ok(200),
        Some(n @ 1..=200) => Ok(n as usize),
        Some(_) => Err(invalid_value("MaxResults must be between 1 and 200.")),
    }
}
