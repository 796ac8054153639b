//! `ParameterFilters`: filters of listings.

use super::errors::invalid;
use super::state::{Parameter, Version};
use crate::wire::{ApiError, ApiResult, Value};

/// The filters of a call: all must match, each by any of its values.
pub(super) struct Filters(Vec<Filter>);

struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

/// The filter keys of DescribeParameters.
pub(super) const OF_DESCRIBE: &[&str] = &["Path", "Name", "Type", "KeyId", "Tier", "DataType"];
/// The filter keys of GetParametersByPath.
pub(super) const OF_PATH: &[&str] = &["Type", "KeyId", "Label"];

impl Filters {
    /// Reads `ParameterFilters`, or the older `Filters`. Errors: InvalidFilterKey, InvalidFilterOption,
    /// InvalidFilterValue, ValidationException.
    pub(super) fn read(input: &Value, known: &[&str]) -> ApiResult<Filters> {
        let (new, old) = (input.list("ParameterFilters"), input.list("Filters"));
        if !new.is_empty() && !old.is_empty() {
            return Err(invalid(
                "You can use either Filters or ParameterFilters in a single request.",
            ));
        }
        let mut filters: Vec<Filter> = Vec::new();
        for (place, filter) in new.iter().chain(old).enumerate() {
            let key = filter.str("Key").unwrap_or_default().to_owned();
            let is_tag = key.starts_with("tag:") && key.len() > 4;
            let word = ["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"]
                .contains(&key.as_str());
            if !is_tag && !word {
                return Err(invalid(format!(
                    "1 validation error detected: Value '{key}' at 'parameterFilters.{}.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType",
                    place + 1
                )));
            }
            if !is_tag && !known.contains(&key.as_str()) {
                return Err(ApiError::sender(
                    "InvalidFilterKey",
                    format!(
                        "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                        known.join(", ")
                    ),
                ));
            }
            if filters.iter().any(|earlier| earlier.key == key) {
                return Err(ApiError::sender(
                    "InvalidFilterKey",
                    format!(
                        "The following filter is duplicated in the request: {key}. A request can contain only one occurrence of a specific filter."
                    ),
                ));
            }
            let values = filter.strings("Values");
            if values.is_empty() && !is_tag {
                return Err(ApiError::sender(
                    "InvalidFilterValue",
                    format!("The following filter values are missing : null for filter key {key}."),
                ));
            }
            let default = match (key.as_str(), old.is_empty()) {
                ("Path", _) => "OneLevel",
                // The older form matches names by prefix.
                ("Name", false) => "BeginsWith",
                _ => "Equals",
            };
            let option = filter.str("Option").unwrap_or(default).to_owned();
            check(&key, &option, &values)?;
            filters.push(Filter { key, option, values });
        }
        Ok(Filters(filters))
    }

    /// Returns whether a version of a parameter passes.
    pub(super) fn pass(&self, name: &str, parameter: &Parameter, version: &Version) -> bool {
        self.0.iter().all(|filter| filter.passes(name, parameter, version))
    }
}

fn check(key: &str, option: &str, values: &[String]) -> ApiResult<()> {
    let options: &[&str] = match key {
        "Path" => &["Recursive", "OneLevel"],
        "Name" => &["BeginsWith", "Equals", "Contains"],
        _ => &["BeginsWith", "Equals"],
    };
    if !options.contains(&option) {
        return Err(ApiError::sender(
            "InvalidFilterOption",
            format!(
                "The following filter option is not valid: {option}. Valid options include: [{}].",
                options.join(", ")
            ),
        ));
    }
    let good: &[&str] = match key {
        "Type" => &["String", "StringList", "SecureString"],
        "Tier" => &["Standard", "Advanced", "Intelligent-Tiering"],
        _ => return Ok(()),
    };
    match values.iter().find(|value| !good.contains(&value.as_str())) {
        None => Ok(()),
        Some(value) => Err(ApiError::sender(
            "InvalidFilterOption",
            format!(
                "The following filter value is not valid: {value}. Valid values include: [{}].",
                good.join(", ")
            ),
        )),
    }
}

impl Filter {
    fn passes(&self, name: &str, parameter: &Parameter, version: &Version) -> bool {
        let is = |text: &str| {
            self.values.iter().any(|value| match self.option.as_str() {
                "BeginsWith" => text.starts_with(value.as_str()),
                "Contains" => text.contains(value.as_str()),
                _ => text == value,
            })
        };
        match self.key.as_str() {
            // Names match with or without a leading slash.
            "Name" => is(name) || name.strip_prefix('/').is_some_and(&is),
            "Type" => is(&parameter.kind),
            "Tier" => is(&parameter.tier),
            "DataType" => is(&parameter.data_type),
            "KeyId" => parameter.key.as_deref().is_some_and(is),
            "Label" => version.labels.iter().any(|label| is(label)),
            "Path" => {
                self.values.iter().any(|path| is_below(name, path, self.option == "Recursive"))
            }
            tag => {
                let value = tag.strip_prefix("tag:").and_then(|key| parameter.tags.get(key));
                value.is_some_and(|value| self.values.is_empty() || is(value))
            }
        }
    }
}

/// Returns whether a name is below a path: directly or, with `recursive`, at any depth.
pub(super) fn is_below(name: &str, path: &str, recursive: bool) -> bool {
    let prefix = format!("{}/", path.trim_end_matches('/'));
    match name.strip_prefix(&prefix) {
        Some(rest) => recursive || !rest.contains('/'),
        // Names without a slash are at the root.
        None => prefix == "/" && !name.contains('/'),
    }
}
