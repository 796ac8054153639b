//! Versions of launch templates: create, describe, and delete.

use super::client_token::CallResult;
use super::errors::invalid_value;
use super::launch_template::{LaunchTemplate, TemplateVersion};
use super::listing::Filters;
use super::template_request::{description, of_request, page_size, resolve};
use super::{idempotency, images, launch_data};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// The most versions of a launch template (user guide).
const LIMIT: usize = 10_000;

/// `CreateLaunchTemplateVersion`.
pub(super) fn create(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    if let Some(CallResult::Version(id, number)) = idempotency::earlier_result(&world.ec2, call)? {
        let template = resolve(&world.ec2, Some(id), None)?;
        return Ok(map([("launchTemplateVersion", to_value(template, *number))]));
    }
    let template = of_request(&world.ec2, input)?;
    let mut data = launch_data::from_request(input)?;
    if let Some(source) = input.str("SourceVersion") {
        let source = template.resolve_version(Some(source))?;
        if let Some(source) = template.versions.get(&source) {
            data = launch_data::merged(&source.data, data);
        }
    }
    let description = description(input)?;
    if template.versions.len() >= LIMIT {
        return Err(ApiError::sender(
            "VersionLimitExceeded",
            format!("You have reached the limit of {LIMIT} versions of this launch template."),
        ));
    }
    let (id, number) = (template.id.clone(), template.last_number + 1);
    let version = TemplateVersion {
        description,
        created: world.now,
        created_by: call.caller.arn.clone(),
        data,
    };
    if let Some(template) = world.ec2.templates.get_mut(&id) {
        template.last_number = number;
        template.versions.insert(number, version);
    }
    idempotency::store_result(&mut world.ec2, call, CallResult::Version(id.clone(), number));
    let template = resolve(&world.ec2, Some(&id), None)?;
    Ok(map([("launchTemplateVersion", to_value(template, number))]))
}

/// The filters of `DescribeLaunchTemplateVersions`, except those on tags.
const FILTERS: &[&str] = &[
    "create-time",
    "ebs-optimized",
    "http-tokens",
    "http-endpoint",
    "iam-instance-profile",
    "image-id",
    "instance-type",
    "is-default-version",
    "kernel-id",
    "ram-disk-id",
];

fn field(version: &Value, name: &str) -> Vec<String> {
    let data = version.get("launchTemplateData");
    let text = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
    let options = data.get("metadataOptions");
    let profile = data.get("iamInstanceProfile");
    match name {
        "create-time" => version.time("createTime").map(|at| at.to_string()).into_iter().collect(),
        "ebs-optimized" => vec![data.bool("ebsOptimized").unwrap_or(false).to_string()],
        "http-tokens" => text(options.str("httpTokens")),
        "http-endpoint" => text(options.str("httpEndpoint")),
        "iam-instance-profile" => text(profile.str("arn").or(profile.str("name"))),
        "image-id" => text(data.str("imageId")),
        "instance-type" => text(data.str("instanceType")),
        "is-default-version" => {
            vec![version.bool("defaultVersion").unwrap_or(false).to_string()]
        }
        "kernel-id" => text(data.str("kernelId")),
        _ => text(data.str("ramDiskId")),
    }
}

/// `DescribeLaunchTemplateVersions`: of one launch template, or `$Latest` and `$Default` of all.
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
                "Only $Latest and $Default can be described without a launch template.",
            ));
        }
        for template in world.ec2.templates.values() {
            for number in numbers(template, &wanted, input)? {
                found.push(to_value(template, number));
            }
        }
    }
    let filters = Filters::read(input, FILTERS)?;
    found.retain(|version| {
        let id = version.str("launchTemplateId").unwrap_or_default();
        filters.matches(&world.ec2, id, |name| field(version, name))
    });
    if input.bool("ResolveAlias") == Some(true) {
        found.iter_mut().for_each(|version| resolve_alias(world, version));
    }
    let size = page_size(input)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("launchTemplateVersionSet", items.into()), ("nextToken", next.into())]))
}

/// Replaces a parameter in `imageId` with the AMI id that it resolves to.
fn resolve_alias(world: &World, version: &mut Value) {
    let Value::Map(members) = version else { return };
    let Some((_, data)) = members.iter_mut().find(|(key, _)| key == "launchTemplateData") else {
        return;
    };
    let image = data.str("imageId").map(|image| images::resolve_image(world, image));
    *data = launch_data::merged(data, map([("imageId", image.into())]));
}

/// `DeleteLaunchTemplateVersions`: returns a result for each version. The default version can't be deleted.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = of_request(&world.ec2, input)?.id.clone();
    let wanted = input.strings("LaunchTemplateVersion");
    if wanted.is_empty() || wanted.len() > 200 {
        return Err(invalid_value(
            "Between 1 and 200 launch template versions can be deleted in one call.",
        ));
    }
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    if let Some(template) = world.ec2.templates.get_mut(&id) {
        for text in wanted {
            let item = map([
                ("launchTemplateId", template.id.as_str().into()),
                ("launchTemplateName", template.name.as_str().into()),
                ("versionNumber", text.parse::<i64>().ok().into()),
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

/// Returns the version numbers that a request selects; if it names none, newest first.
fn numbers(template: &LaunchTemplate, wanted: &[String], input: &Value) -> ApiResult<Vec<u64>> {
    if !wanted.is_empty() {
        return wanted.iter().map(|text| template.resolve_version(Some(text))).collect();
    }
    let bound = |key: &str, default: u64| {
        input.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(default)
    };
    let (low, high) = (bound("MinVersion", 0), bound("MaxVersion", u64::MAX));
    Ok(template.versions.keys().rev().copied().filter(|n| (low..=high).contains(n)).collect())
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
