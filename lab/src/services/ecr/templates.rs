//! Creation templates: the settings of repositories that a push creates (user guide, "Templates to control
//! repositories created during a pull through cache, create on push, or replication action").

use super::creation_template::CreationTemplate;
use super::errors::{invalid_parameter, need, validation};
use super::repositories::add;
use super::repository_settings::{Encryption, RepositorySettings};
use super::settings::{check_policy, read_tag_mutability, with_mutability};
use super::{lifecycle, request, tags};
use crate::services::registry::is_name;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The prefix of the template for names that no other template matches.
const ROOT: &str = "ROOT";

pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let prefix = prefix(input)?;
    if world.ecr.templates.contains_key(prefix) {
        return Err(ApiError::sender(
            "TemplateAlreadyExistsException",
            format!(
                "The repository creation template with prefix '{prefix}' already exists in the registry \
                 with id '{}'",
                world.account
            ),
        ));
    }
    let template = read(world, input, None)?;
    put(world, prefix, template)
}

pub(super) fn update(world: &mut World, input: &Value) -> ApiResult<Value> {
    let prefix = prefix(input)?;
    let before = world.ecr.templates.get(prefix).cloned();
    let before = before.ok_or_else(|| unknown(world, prefix))?;
    let template = read(world, input, Some(&before))?;
    put(world, prefix, template)
}

pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let prefix = prefix(input)?;
    let gone = world.ecr.templates.remove(prefix).ok_or_else(|| unknown(world, prefix))?;
    Ok(answer(world, prefix, &gone))
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("prefixes");
    let all = world.ecr.templates.iter();
    let chosen = all.filter(|(prefix, _)| wanted.is_empty() || wanted.contains(prefix));
    let (page, next) = request::page(input, chosen)?;
    let described = page.into_iter().map(|(prefix, template)| described(prefix, template));
    Ok(map([
        ("registryId", world.account.as_str().into()),
        ("repositoryCreationTemplates", Value::List(described.collect())),
        ("nextToken", next.into()),
    ]))
}

/// Creates a repository from the CREATE_ON_PUSH template with the longest matching prefix, if there is one.
pub(super) fn create_on_push(world: &mut World, name: &str) {
    let is_for = |prefix: &str| {
        let rest = name.strip_prefix(prefix.trim_end_matches('/'));
        prefix == ROOT || rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let templates = world.ecr.templates.iter();
    let found = templates
        .filter(|(prefix, template)| {
            is_for(prefix) && template.applied_for.iter().any(|kind| kind == "CREATE_ON_PUSH")
        })
        .max_by_key(|(prefix, _)| if *prefix == ROOT { 0 } else { prefix.len() });
    let Some(template) = found.map(|(_, template)| template.clone()) else { return };
    if !is_name(name) {
        return;
    }
    let settings = RepositorySettings {
        tags: template.tags,
        policy: template.policy,
        encryption: template.encryption,
        ..RepositorySettings::default()
    };
    if add(world, name, template.mutability, settings).is_ok()
        && let Some(text) = template.lifecycle
    {
        lifecycle::set_from_template(world, name, &text);
    }
}

fn prefix(input: &Value) -> ApiResult<&str> {
    let prefix = need(input, "prefix")?;
    if prefix == ROOT || is_name(prefix.strip_suffix('/').unwrap_or(prefix)) {
        return Ok(prefix);
    }
    Err(invalid_parameter("prefix", "must be a prefix of repository names, or ROOT"))
}

/// Reads a template. What an update leaves out stays as it was in `before`.
fn read(
    world: &mut World,
    input: &Value,
    before: Option<&CreationTemplate>,
) -> ApiResult<CreationTemplate> {
    const KINDS: &[&str] = &["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"];
    let applied_for = input.strings("appliedFor");
    if applied_for.iter().any(|kind| !KINDS.contains(&kind.as_str()))
        || (applied_for.is_empty() && before.is_none())
    {
        return Err(validation(format!("appliedFor must be one or more of {}", KINDS.join(", "))));
    }
    let (policy, lifecycle) = (input.str("repositoryPolicy"), input.str("lifecyclePolicy"));
    if let Some(text) = policy.filter(|text| !text.is_empty()) {
        check_policy("repositoryPolicy", text)?;
    }
    if let Some(text) = lifecycle.filter(|text| !text.is_empty()) {
        lifecycle::check(world, text)?;
    }
    let has = |key: &str| !input.get(key).is_null();
    let encryption = match before.filter(|_| !has("encryptionConfiguration")) {
        Some(before) => before.encryption.clone(),
        None => Encryption::of(world, input.get("encryptionConfiguration"))?,
    };
    let text = |key: &str, old: Option<&Option<String>>| match input.str(key) {
        Some(new) => Some(new.to_owned()).filter(|text| !text.is_empty()),
        None => old.cloned().flatten(),
    };
    Ok(CreationTemplate {
        description: text("description", before.map(|b| &b.description)),
        encryption,
        tags: match before.filter(|_| !has("resourceTags")) {
            Some(before) => before.tags.clone(),
            None => tags::read(input, "resourceTags")?,
        },
        mutability: match before.filter(|_| !has("imageTagMutability")) {
            Some(before) => before.mutability.clone(),
            None => read_tag_mutability(input)?,
        },
        policy: text("repositoryPolicy", before.map(|b| &b.policy)),
        lifecycle: text("lifecyclePolicy", before.map(|b| &b.lifecycle)),
        applied_for: match before.filter(|_| applied_for.is_empty()) {
            Some(before) => before.applied_for.clone(),
            None => applied_for,
        },
        role: text("customRoleArn", before.map(|b| &b.role)),
        created: before.map_or(world.now, |before| before.created),
        updated: world.now,
    })
}

fn put(world: &mut World, prefix: &str, template: CreationTemplate) -> ApiResult<Value> {
    let answer = answer(world, prefix, &template);
    world.ecr.templates.insert(prefix.to_owned(), template);
    Ok(answer)
}

fn answer(world: &World, prefix: &str, template: &CreationTemplate) -> Value {
    map([
        ("registryId", world.account.as_str().into()),
        ("repositoryCreationTemplate", described(prefix, template)),
    ])
}

fn described(prefix: &str, template: &CreationTemplate) -> Value {
    let tags = template.tags.iter();
    let tags = tags.map(|(key, value)| map([("Key", key.into()), ("Value", value.into())]));
    let applied = template.applied_for.iter().map(Value::from);
    let described = map([
        ("prefix", prefix.into()),
        ("description", template.description.clone().into()),
        ("encryptionConfiguration", template.encryption.describe()),
        ("resourceTags", Value::List(tags.collect())),
        ("repositoryPolicy", template.policy.clone().into()),
        ("lifecyclePolicy", template.lifecycle.clone().into()),
        ("appliedFor", Value::List(applied.collect())),
        ("customRoleArn", template.role.clone().into()),
        ("createdAt", template.created.into()),
        ("updatedAt", template.updated.into()),
    ]);
    with_mutability(described, &template.mutability)
}

fn unknown(world: &World, prefix: &str) -> ApiError {
    ApiError::sender(
        "TemplateNotFoundException",
        format!(
            "The repository creation template with prefix '{prefix}' does not exist in the registry with \
             id '{}'",
            world.account
        ),
    )
}
