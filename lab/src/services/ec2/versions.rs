//! Versions of a launch template: create, describe, delete.

use super::launch_data;
use super::templates::{LaunchTemplate, TemplateVersion, of_request, remember, resolve, used};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// How many versions a template may have (user guide).
const LIMIT: usize = 10_000;

/// `CreateLaunchTemplateVersion`.
pub(super) fn create(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    if let Some((id, number)) = used(&world.ec2, call)? {
        let template = resolve(&world.ec2, Some(&id), None)?;
        return Ok(map([("launchTemplateVersion", to_value(template, number))]));
    }
    let template = of_request(&world.ec2, input)?;
    let mut data = launch_data::from_request(input)?;
    if let Some(source) = input.str("SourceVersion") {
        let source = template.number(Some(source))?;
        if let Some(source) = template.versions.get(&source) {
            data = launch_data::merged(&source.data, data);
        }
    }
    let description = input.str("VersionDescription").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            "VersionDescription has more than 255 characters.",
        ));
    }
    if template.versions.len() >= LIMIT {
        return Err(ApiError::sender(
            "VersionLimitExceeded",
            format!("You have reached the limit of {LIMIT} versions of this launch template."),
        ));
    }
    let (id, number) = (template.id.clone(), template.latest + 1);
    let version = TemplateVersion {
        description,
        created: world.now,
        created_by: call.caller.arn.clone(),
        data,
    };
    if let Some(template) = world.ec2.templates.get_mut(&id) {
        template.latest = number;
        template.versions.insert(number, version);
    }
    remember(&mut world.ec2, call, &id, number);
    let template = resolve(&world.ec2, Some(&id), None)?;
    Ok(map([("launchTemplateVersion", to_value(template, number))]))
}

/// `DescribeLaunchTemplateVersions`: of one template, or with `$Latest` and `$Default` of all.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("LaunchTemplateVersion");
    let named = input.str("LaunchTemplateId").or(input.str("LaunchTemplateName")).is_some();
    let mut found = Vec::new();
    if named {
        let template = of_request(&world.ec2, input)?;
        for number in numbers(template, &wanted, input)? {
            found.push(to_value(template, number));
        }
    } else {
        if wanted.is_empty() || wanted.iter().any(|v| v != "$Latest" && v != "$Default") {
            return Err(ApiError::sender(
                "MissingParameter",
                "Without a launch template, only $Latest and $Default can be described.",
            ));
        }
        for template in world.ec2.templates.values() {
            for number in numbers(template, &wanted, input)? {
                found.push(to_value(template, number));
            }
        }
    }
    let size = page_size(input)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("launchTemplateVersionSet", items.into()), ("nextToken", next.into())]))
}

/// `DeleteLaunchTemplateVersions`: an outcome for each version; never the default one.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = of_request(&world.ec2, input)?.id.clone();
    let wanted = input.strings("LaunchTemplateVersion");
    if wanted.is_empty() || wanted.len() > 200 {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            "Between 1 and 200 launch template versions can be deleted in a call.",
        ));
    }
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    if let Some(template) = world.ec2.templates.get_mut(&id) {
        for text in wanted {
            let item = map([
                ("launchTemplateId", template.id.as_str().into()),
                ("launchTemplateName", template.name.as_str().into()),
                ("versionNumber", text.as_str().into()),
            ]);
            match deletable(template, &text) {
                Ok(number) => {
                    template.versions.remove(&number);
                    deleted.push(item);
                }
                Err((code, message)) => {
                    let error = map([("code", code.into()), ("message", message.into())]);
                    kept.push(item.with("responseError", error));
                }
            }
        }
    }
    Ok(map([
        ("successfullyDeletedLaunchTemplateVersionSet", deleted.into()),
        ("unsuccessfullyDeletedLaunchTemplateVersionSet", kept.into()),
    ]))
}

fn deletable(template: &LaunchTemplate, text: &str) -> Result<u64, (&'static str, &'static str)> {
    match text.parse::<u64>() {
        Err(_) => Err(("unexpectedError", "The version is not a number.")),
        Ok(number) if !template.versions.contains_key(&number) => {
            Err(("launchTemplateVersionDoesNotExist", "The version does not exist."))
        }
        Ok(number) if number == template.default => {
            Err(("unexpectedError", "Cannot delete default version."))
        }
        Ok(number) => Ok(number),
    }
}

/// The numbers that a request wants of a template: newest first where it names none.
fn numbers(template: &LaunchTemplate, wanted: &[String], input: &Value) -> ApiResult<Vec<u64>> {
    if !wanted.is_empty() {
        return wanted.iter().map(|text| template.number(Some(text))).collect();
    }
    let bound = |key: &str, default: u64| {
        input.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(default)
    };
    let (low, high) = (bound("MinVersion", 0), bound("MaxVersion", u64::MAX));
    Ok(template.versions.keys().rev().copied().filter(|n| (low..=high).contains(n)).collect())
}

/// The `MaxResults` of a launch template listing: 1 to 200 (API model).
pub(super) fn page_size(input: &Value) -> ApiResult<usize> {
    match input.int("MaxResults") {
        None => Ok(200),
        Some(n @ 1..=200) => Ok(n as usize),
        Some(_) => {
            Err(ApiError::sender("InvalidParameterValue", "MaxResults must be between 1 and 200."))
        }
    }
}

fn to_value(template: &LaunchTemplate, number: u64) -> Value {
    let Some(version) = template.versions.get(&number) else { return Value::Null };
    map([
        ("launchTemplateId", template.id.as_str().into()),
        ("launchTemplateName", template.name.as_str().into()),
        ("versionNumber", (number as i64).into()),
        ("versionDescription", version.description.clone().into()),
        ("createTime", version.created.into()),
        ("createdBy", version.created_by.as_str().into()),
        ("defaultVersion", (number == template.default).into()),
        ("launchTemplateData", version.data.clone()),
    ])
}
