//! Launch templates: named lists of immutable, numbered versions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{State, launch_data, versions};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// One launch template.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// Its name, unique in the account.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// The ARN of who created it.
    pub created_by: String,
    /// The version that `$Default` means.
    pub default: u64,
    /// The highest number ever given; numbers of deleted versions don't come again.
    pub latest: u64,
    /// Its versions by number.
    pub versions: BTreeMap<u64, TemplateVersion>,
}

/// One version of a launch template.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateVersion {
    /// Up to 255 characters.
    pub description: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// The ARN of who created it.
    pub created_by: String,
    /// `ResponseLaunchTemplateData`, in the names of an answer.
    pub data: Value,
}

/// What a client token was used for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Used {
    parameters: String,
    template: String,
    version: u64,
}

impl LaunchTemplate {
    /// The number that a version in a request means: digits, `$Latest` or `$Default`; none means the
    /// default (API model).
    pub fn number(&self, version: Option<&str>) -> ApiResult<u64> {
        match version {
            None | Some("" | "$Default") => Ok(self.default),
            Some("$Latest") => Ok(self.versions.keys().next_back().copied().unwrap_or(self.latest)),
            Some(text) => {
                let number = text.parse::<u64>().map_err(|_| {
                    ApiError::sender(
                        "InvalidLaunchTemplateId.VersionMalformed",
                        format!("Launch template version {text} is not a number."),
                    )
                })?;
                if self.versions.contains_key(&number) {
                    return Ok(number);
                }
                Err(ApiError::sender(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    format!(
                        "Could not find the specified version {number} for the launch template with ID {}.",
                        self.id
                    ),
                ))
            }
        }
    }

    fn to_value(&self) -> Value {
        map([
            ("launchTemplateId", self.id.as_str().into()),
            ("launchTemplateName", self.name.as_str().into()),
            ("createTime", self.created.into()),
            ("createdBy", self.created_by.as_str().into()),
            ("defaultVersionNumber", (self.default as i64).into()),
            ("latestVersionNumber", (self.latest as i64).into()),
        ])
    }
}

/// The template with this id, or else this name.
pub fn resolve<'a>(
    state: &'a State,
    id: Option<&str>,
    name: Option<&str>,
) -> ApiResult<&'a LaunchTemplate> {
    match (id, name) {
        (Some(id), _) => state.templates.get(id).ok_or_else(|| {
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

/// The same, by the members of a request.
pub(super) fn of_request<'a>(state: &'a State, input: &Value) -> ApiResult<&'a LaunchTemplate> {
    resolve(state, input.str("LaunchTemplateId"), input.str("LaunchTemplateName"))
}

/// `CreateLaunchTemplate`.
pub(super) fn create(world: &mut World, call: &Call) -> ApiResult<Value> {
    let name = call.input.need_str("LaunchTemplateName")?.to_owned();
    if let Some((id, _)) = used(&world.ec2, call)? {
        let template = resolve(&world.ec2, Some(&id), None)?;
        return Ok(map([("launchTemplate", template.to_value())]));
    }
    if world.ec2.templates.values().any(|template| template.name == name) {
        return Err(ApiError::sender(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            "Launch template name already in use.",
        ));
    }
    let data = launch_data::from_request(&call.input)?;
    let version = TemplateVersion {
        description: call.input.str("VersionDescription").map(str::to_owned),
        created: world.now,
        created_by: call.caller.arn.clone(),
        data,
    };
    let template = LaunchTemplate {
        id: world.ids.ec2("lt"),
        name,
        created: world.now,
        created_by: call.caller.arn.clone(),
        default: 1,
        latest: 1,
        versions: BTreeMap::from([(1, version)]),
    };
    let answer = map([("launchTemplate", template.to_value())]);
    remember(&mut world.ec2, call, &template.id, 1);
    world.ec2.templates.insert(template.id.clone(), template);
    Ok(answer)
}

/// `ModifyLaunchTemplate`: sets the default version, nothing else.
pub(super) fn modify(world: &mut World, input: &Value) -> ApiResult<Value> {
    let template = of_request(&world.ec2, input)?;
    let (id, default) = (template.id.clone(), template.number(input.str("SetDefaultVersion"))?);
    let Some(template) = world.ec2.templates.get_mut(&id) else {
        return resolve(&world.ec2, Some(&id), None).map(LaunchTemplate::to_value);
    };
    template.default = default;
    Ok(map([("launchTemplate", template.to_value())]))
}

/// `DescribeLaunchTemplates`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (ids, names) = (input.strings("LaunchTemplateId"), input.strings("LaunchTemplateName"));
    for id in &ids {
        resolve(&world.ec2, Some(id), None)?;
    }
    for name in &names {
        resolve(&world.ec2, None, Some(name))?;
    }
    let found = world
        .ec2
        .templates
        .values()
        .filter(|t| {
            (ids.is_empty() && names.is_empty()) || ids.contains(&t.id) || names.contains(&t.name)
        })
        .filter(|t| {
            super::passes(input, |field| match field {
                "launch-template-name" => vec![t.name.clone()],
                _ => Vec::new(),
            })
        })
        .map(LaunchTemplate::to_value)
        .collect();
    let size = versions::page_size(input)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("launchTemplates", items.into()), ("nextToken", next.into())]))
}

/// What an earlier call with the same client token made: the template and the version. A token used
/// with other parameters is refused (API model: IdempotentParameterMismatch).
pub(super) fn used(state: &State, call: &Call) -> ApiResult<Option<(String, u64)>> {
    let Some(used) = call.input.str("ClientToken").and_then(|token| state.tokens.get(token)) else {
        return Ok(None);
    };
    if used.parameters != fingerprint(call) {
        return Err(ApiError::sender(
            "IdempotentParameterMismatch",
            "The client token was already used with other parameters.",
        ));
    }
    Ok(Some((used.template.clone(), used.version)))
}

/// Remembers what a client token made.
pub(super) fn remember(state: &mut State, call: &Call, template: &str, version: u64) {
    if let Some(token) = call.input.str("ClientToken") {
        let used = Used { parameters: fingerprint(call), template: template.to_owned(), version };
        state.tokens.insert(token.to_owned(), used);
    }
}

fn fingerprint(call: &Call) -> String {
    let hash = Sha256::digest(format!("{} {:?}", call.operation, call.input).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
