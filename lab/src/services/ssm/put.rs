//! `PutParameter`.

use std::collections::{BTreeSet, VecDeque};

use regex_lite::Regex;

use super::errors::{invalid, need, one_of};
use super::state::{Parameter, Version};
use super::{name, tags};
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::{World, elapsed};

/// The longest value of a standard parameter, in bytes (user guide, "Managing parameter tiers").
const STANDARD_LIMIT: usize = 4096;
/// The longest value of an advanced parameter, in bytes.
const ADVANCED_LIMIT: usize = 8192;
/// How many versions of each parameter are kept (user guide, "Working with parameter versions").
const VERSIONS_KEPT: usize = 100;
/// The most standard parameters of an account in a Region (quota).
const QUOTA: usize = 10_000;
/// The KMS key of SecureString values if none is named.
const DEFAULT_KEY: &str = "alias/aws/ssm";

/// Creates a parameter, or with `Overwrite` adds a version.
pub(super) fn put(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    let name = need(input, "Name")?;
    name::check(name)?;
    let value = need(input, "Value")?;
    if value.is_empty() {
        return Err(invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.",
        ));
    }
    let overwrite = input.bool("Overwrite").unwrap_or(false);
    let known = world.ssm.parameters.get(name);
    if known.is_some() && !overwrite {
        return Err(ApiError::sender(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the \
             request to true.",
        ));
    }
    let kind = kind(input, known)?;
    let tier = tier(input, known, value)?;
    let description = description(input)?;
    let pattern = pattern(input, value)?;
    let data_type = data_type(input)?;
    let given = tags::read(input)?;
    if overwrite && !given.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    let key = input.str("KeyId").map(str::to_owned);
    if key.is_some() && kind != "SecureString" {
        return Err(invalid("KeyId is only supported for parameters of type SecureString."));
    }
    if let Some(latest) = known.and_then(|known| known.versions.back())
        && elapsed(latest.modified, world.now) < world.params.parameter_update_interval
    {
        return Err(ApiError::sender(
            "TooManyUpdates",
            "There are concurrent updates for a resource that was just updated. Wait a moment and try again.",
        ));
    }
    if known.is_none() && world.ssm.parameters.len() >= QUOTA {
        return Err(ApiError::sender(
            "ParameterLimitExceeded",
            format!("You have exceeded the number of parameters for this AWS account: {QUOTA}."),
        ));
    }
    let version = Version {
        number: 1,
        value: value.to_owned(),
        modified: world.now,
        by: call.caller.arn.clone(),
        description,
        pattern,
        policies: input.str("Policies").filter(|text| !text.is_empty()).map(str::to_owned),
        labels: BTreeSet::new(),
    };
    let number = match world.ssm.parameters.get_mut(name) {
        Some(parameter) => {
            add(parameter, version, name)?;
            parameter.tier.clone_from(&tier);
            parameter.key = key.or(parameter.key.take());
            parameter.versions.back().map_or(1, |latest| latest.number)
        }
        None => {
            let key = (kind == "SecureString").then(|| key.unwrap_or(DEFAULT_KEY.to_owned()));
            let versions = VecDeque::from([version]);
            let tier = tier.clone();
            let parameter = Parameter { kind, tier, key, data_type, versions, tags: given };
            world.ssm.parameters.insert(name.to_owned(), parameter);
            1
        }
    };
    Ok(map([("Version", number.into()), ("Tier", tier.into())]))
}

/// Adds a version, which inherits an omitted description or pattern from the previous one. If there are too
/// many, the oldest version is deleted, unless it has a label.
fn add(parameter: &mut Parameter, version: Version, name: &str) -> ApiResult<()> {
    let full = parameter.versions.len() >= VERSIONS_KEPT;
    if let Some(oldest) = parameter.versions.front().filter(|_| full) {
        if !oldest.labels.is_empty() {
            return Err(ApiError::sender(
                "ParameterMaxVersionLimitExceeded",
                format!(
                    "You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. Version {}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
                    oldest.number
                ),
            ));
        }
        parameter.versions.pop_front();
    }
    let latest = parameter.versions.back();
    let number = latest.map_or(1, |latest| latest.number + 1);
    let kept = |own: Option<String>, of: fn(&Version) -> &Option<String>| {
        own.or_else(|| latest.and_then(|latest| of(latest).clone()))
    };
    let description = kept(version.description, |version| &version.description);
    let pattern = kept(version.pattern, |version| &version.pattern);
    parameter.versions.push_back(Version { number, description, pattern, ..version });
    Ok(())
}

fn kind(input: &Value, known: Option<&Parameter>) -> ApiResult<String> {
    let given = input.str("Type");
    if let Some(kind) = given {
        one_of("type", kind, &["SecureString", "StringList", "String"])?;
    }
    match (given, known) {
        (Some(kind), Some(known)) if known.kind != kind => Err(ApiError::sender(
            "HierarchyTypeMismatchException",
            "Parameter Store does not support changing a parameter type in a hierarchy.",
        )),
        (_, Some(known)) => Ok(known.kind.clone()),
        (Some(kind), None) => Ok(kind.to_owned()),
        (None, None) => Err(invalid("A parameter type is required when you create a parameter.")),
    }
}

/// Returns the tier of the new version. A version that requires the advanced tier must request it, or use
/// Intelligent-Tiering.
fn tier(input: &Value, known: Option<&Parameter>, value: &str) -> ApiResult<String> {
    let before = known.map(|known| known.tier.as_str());
    let wanted = input.str("Tier").or(before).unwrap_or("Standard");
    one_of("tier", wanted, &["Standard", "Advanced", "Intelligent-Tiering"])?;
    let large = value.len() > STANDARD_LIMIT;
    let policies = input.str("Policies").is_some_and(|text| !text.is_empty() && text != "[]");
    if value.len() > ADVANCED_LIMIT {
        return Err(invalid(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_LIMIT} characters."
        )));
    }
    match wanted {
        "Standard" if before == Some("Advanced") => Err(invalid(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.",
        )),
        "Standard" if large => Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_LIMIT} characters. \
             To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. \
             For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        ))),
        "Standard" if policies => {
            Err(invalid("Parameter policies are only supported by the advanced-parameter tier."))
        }
        "Intelligent-Tiering" if !large && !policies && before != Some("Advanced") => {
            Ok("Standard".to_owned())
        }
        "Standard" => Ok("Standard".to_owned()),
        _ => Ok("Advanced".to_owned()),
    }
}

fn description(input: &Value) -> ApiResult<Option<String>> {
    let description = input.str("Description").filter(|text| !text.is_empty());
    if description.is_some_and(|text| text.chars().count() > 1024) {
        return Err(invalid(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1024.",
        ));
    }
    Ok(description.map(str::to_owned))
}

/// Returns the allowed pattern, which must match the whole value.
fn pattern(input: &Value, value: &str) -> ApiResult<Option<String>> {
    let Some(pattern) = input.str("AllowedPattern").filter(|pattern| !pattern.is_empty()) else {
        return Ok(None);
    };
    let unreadable = || {
        ApiError::sender(
            "InvalidAllowedPatternException",
            format!("The regular expression {pattern} is not valid."),
        )
    };
    let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| unreadable())?;
    if whole.is_match(value) {
        return Ok(Some(pattern.to_owned()));
    }
    Err(ApiError::sender(
        "ParameterPatternMismatchException",
        format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
    ))
}

fn data_type(input: &Value) -> ApiResult<String> {
    let data_type = input.str("DataType").unwrap_or("text");
    if matches!(data_type, "text" | "aws:ec2:image" | "aws:ssm:integration") {
        return Ok(data_type.to_owned());
    }
    Err(invalid(format!(
        "The following data type is not supported: {data_type} (Data type names are all lowercase.)"
    )))
}
