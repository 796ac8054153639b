//! Launch templates: named lists of immutable numbered versions.

use std::collections::BTreeMap;

use super::client_token::CallResult;
use super::errors::{LAUNCH_TEMPLATE, required_str};
use super::launch_template::{LaunchTemplate, TemplateVersion};
use super::listing::Filters;
use super::state::State;
use super::template_request::{description, of_request, page_size, resolve};
use super::{idempotency, launch_data, tags};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// The most launch templates in a Region (quota).
const QUOTA: usize = 5_000;

impl LaunchTemplate {
    pub(super) fn to_value(&self, state: &State) -> Value {
        map([
            ("launchTemplateId", self.id.as_str().into()),
            ("launchTemplateName", self.name.as_str().into()),
            ("createTime", self.created.into()),
            ("createdBy", self.created_by.as_str().into()),
            ("defaultVersionNumber", (self.default as i64).into()),
            ("latestVersionNumber", (self.newest() as i64).into()),
            ("tagSet", tags::write(state, &self.id)),
        ])
    }
}

/// `CreateLaunchTemplate`.
pub(super) fn create(world: &mut World, call: &Call) -> ApiResult<Value> {
    let name = required_str(&call.input, "LaunchTemplateName")?.to_owned();
    check_name(&name)?;
    if let Some(CallResult::Version(id, _)) = idempotency::earlier_result(&world.ec2, call)? {
        let template = resolve(&world.ec2, Some(id), None)?;
        return Ok(map([("launchTemplate", template.to_value(&world.ec2))]));
    }
    if world.ec2.templates.values().any(|template| template.name == name) {
        return Err(ApiError::sender(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            "Launch template name already in use.",
        ));
    }
    if world.ec2.templates.len() >= QUOTA {
        // The code is a guess: the list of error codes has none for this quota.
        return Err(ApiError::sender(
            "LaunchTemplateLimitExceeded",
            format!("You have reached the limit of {QUOTA} launch templates."),
        ));
    }
    let description = description(&call.input)?;
    let data = launch_data::from_request(&call.input)?;
    let given = tags::read_specifications(&call.input, LAUNCH_TEMPLATE)?;
    let version = TemplateVersion {
        description,
        created: world.now,
        created_by: call.caller.arn.clone(),
        data,
    };
    let id = world.ids.ec2("lt");
    let template = LaunchTemplate {
        id: id.clone(),
        name,
        created: world.now,
        created_by: call.caller.arn.clone(),
        default: 1,
        last_number: 1,
        versions: BTreeMap::from([(1, version)]),
    };
    tags::put(&mut world.ec2, &id, given);
    let answer = map([("launchTemplate", template.to_value(&world.ec2))]);
    idempotency::store_result(&mut world.ec2, call, CallResult::Version(id.clone(), 1));
    world.ec2.templates.insert(id, template);
    Ok(answer)
}

/// Checks a name: 3 to 128 letters, digits and `().-/_` (API model).
fn check_name(name: &str) -> ApiResult<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
    if (3..=128).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(ApiError::sender(
        "InvalidLaunchTemplateName.MalformedException",
        "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.",
    ))
}

/// `ModifyLaunchTemplate`: sets the default version, nothing else.
pub(super) fn modify(world: &mut World, call: &Call) -> ApiResult<Value> {
    let template = of_request(&world.ec2, &call.input)?;
    let (id, wanted) = (template.id.clone(), call.input.str("SetDefaultVersion"));
    // Only detects a token that was used with different parameters; repeating the call is harmless.
    idempotency::earlier_result(&world.ec2, call)?;
    let default = template.resolve_version(wanted)?;
    if let Some(template) = world.ec2.templates.get_mut(&id) {
        template.default = default;
    }
    idempotency::store_result(&mut world.ec2, call, CallResult::Version(id.clone(), default));
    let template = resolve(&world.ec2, Some(&id), None)?;
    Ok(map([("launchTemplate", template.to_value(&world.ec2))]))
}

/// `DescribeLaunchTemplates`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (ids, names) = (input.strings("LaunchTemplateId"), input.strings("LaunchTemplateName"));
    for id in &ids {
        resolve(&world.ec2, Some(id), None)?;
    }
    // The message of this operation differs from that of the others.
    let known = |name: &String| world.ec2.templates.values().any(|t| t.name == *name);
    if !names.iter().all(known) {
        return Err(ApiError::sender(
            "InvalidLaunchTemplateName.NotFoundException",
            "At least one of the launch templates specified in the request does not exist.",
        ));
    }
    let filters = Filters::read(input, &["launch-template-name", "create-time"])?;
    let found = world
        .ec2
        .templates
        .values()
        .filter(|t| {
            (ids.is_empty() && names.is_empty()) || ids.contains(&t.id) || names.contains(&t.name)
        })
        .filter(|t| {
            let field = |name: &str| {
                vec![if name == "create-time" { t.created.to_string() } else { t.name.clone() }]
            };
            filters.matches(&world.ec2, &t.id, field)
        })
        .map(|template| template.to_value(&world.ec2))
        .collect();
    let size = page_size(input)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("launchTemplates", items.into()), ("nextToken", next.into())]))
}

/// `DeleteLaunchTemplate`, with all its versions, even if an Auto Scaling group launches from it.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let template = of_request(&world.ec2, input)?;
    let (id, written) = (template.id.clone(), template.to_value(&world.ec2));
    world.ec2.templates.remove(&id);
    world.ec2.remove_orphaned_tags();
    Ok(map([("launchTemplate", written)]))
}
