//! The settings of a repository.

use super::errors::{invalid_parameter, need, not_found, one_of};
use super::repository_settings::Encryption;
use super::request::{repository, repository_mut, response_for, settings_mut};
use crate::services::registry::TagMutability;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

impl Encryption {
    /// Reads an `encryptionConfiguration`. If KMS is chosen without a key, AWS uses a managed one.
    pub(super) fn of(world: &mut World, input: &Value) -> ApiResult<Encryption> {
        let kind = one_of(input, "encryptionType", &["AES256", "KMS", "KMS_DSSE"], "AES256")?;
        let key = match (kind, input.str("kmsKey")) {
            ("AES256", Some(_)) => {
                return Err(invalid_parameter(
                    "kmsKey",
                    "must be null when the encryption type is AES256",
                ));
            }
            ("AES256", None) => None,
            (_, Some(key)) => Some(key.to_owned()),
            (_, None) => {
                let id = world.ids.uuid();
                Some(format!("arn:aws:kms:{}:{}:key/{id}", world.region, world.account))
            }
        };
        Ok(Encryption { kind: kind.to_owned(), key })
    }

    pub(super) fn describe(&self) -> Value {
        map([("encryptionType", self.kind.as_str().into()), ("kmsKey", self.key.clone().into())])
    }
}

/// Reads the tag mutability with its exclusion filters.
pub(super) fn read_tag_mutability(input: &Value) -> ApiResult<TagMutability> {
    const KINDS: &[&str] =
        &["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];
    let kind = one_of(input, "imageTagMutability", KINDS, "MUTABLE")?;
    let filters = input.list("imageTagMutabilityExclusionFilters").iter();
    let filters = filters.map(read_exclusion_filter).collect::<ApiResult<Vec<String>>>()?;
    // 1 to 5 filters (API model); that _WITH_EXCLUSION and filters require each other is inferred.
    let key = "imageTagMutabilityExclusionFilters";
    match (kind.ends_with("_WITH_EXCLUSION"), filters.len()) {
        (true, 1..=5) | (false, 0) => {}
        (true, _) => {
            return Err(invalid_parameter(key, "must have 1 to 5 filters with _WITH_EXCLUSION"));
        }
        (false, _) => {
            return Err(invalid_parameter(key, "must be given only with _WITH_EXCLUSION"));
        }
    }
    Ok(match kind {
        "IMMUTABLE" => TagMutability::Immutable,
        "IMMUTABLE_WITH_EXCLUSION" => TagMutability::ImmutableExcept(filters),
        "MUTABLE_WITH_EXCLUSION" => TagMutability::MutableExcept(filters),
        _ => TagMutability::Mutable,
    })
}

/// Reads one exclusion filter: 1 to 128 characters, which are those of tags and at most two `*` (user guide,
/// "Preventing image tags from being overwritten").
fn read_exclusion_filter(filter: &Value) -> ApiResult<String> {
    let kind = one_of(filter, "filterType", &["WILDCARD"], "")?;
    let text = need(filter, "filter")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
    let fits = (1..=128).contains(&text.len()) && text.chars().all(allowed);
    if kind.is_empty() || !fits || text.matches('*').count() > 2 {
        return Err(invalid_parameter(
            "imageTagMutabilityExclusionFilters",
            "must be of type WILDCARD and satisfy regular expression '^[0-9a-zA-Z._*-]{1,128}$' with at \
             most two wildcards",
        ));
    }
    Ok(text.to_owned())
}

/// Adds the tag mutability to a description.
pub(super) fn with_mutability(described: Value, mutability: &TagMutability) -> Value {
    let filters: Vec<Value> = mutability
        .filters()
        .iter()
        .map(|filter| map([("filterType", "WILDCARD".into()), ("filter", filter.into())]))
        .collect();
    let filters = if filters.is_empty() { Value::Null } else { Value::List(filters) };
    described
        .with("imageTagMutability", mutability.name())
        .with("imageTagMutabilityExclusionFilters", filters)
}

pub(super) fn put_mutability(world: &mut World, input: &Value) -> ApiResult<Value> {
    need(input, "imageTagMutability")?;
    let mutability = read_tag_mutability(input)?;
    repository_mut(world, input)?.mutability = mutability.clone();
    let (name, _) = repository(world, input)?;
    Ok(with_mutability(response_for(world, name), &mutability))
}

pub(super) fn put_scanning(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, settings) = settings_mut(world, input)?;
    let wanted = input.get("imageScanningConfiguration").bool("scanOnPush").unwrap_or(false);
    settings.scan_on_push = wanted;
    let configuration = map([("scanOnPush", wanted.into())]);
    Ok(response_for(world, name).with("imageScanningConfiguration", configuration))
}

pub(super) fn set_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let text = need(input, "policyText")?;
    check_policy("PolicyText", text)?;
    let (name, settings) = settings_mut(world, input)?;
    settings.policy = Some(text.to_owned());
    Ok(response_for(world, name).with("policyText", text))
}

/// Fails if a text is not a policy. Doesn't check what the policy allows.
pub(super) fn check_policy(key: &str, text: &str) -> ApiResult<()> {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if json["Statement"].is_null() || text.len() > 10_240 {
        return Err(invalid_parameter(key, "Invalid repository policy provided"));
    }
    Ok(())
}

pub(super) fn get_policy(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, _) = repository(world, input)?;
    let text = world.ecr.settings.get(name).and_then(|settings| settings.policy.as_deref());
    let text = text.ok_or_else(|| no_policy(world, name))?;
    Ok(response_for(world, name).with("policyText", text))
}

pub(super) fn delete_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, settings) = settings_mut(world, input)?;
    let text = settings.policy.take().ok_or_else(|| no_policy(world, name))?;
    Ok(response_for(world, name).with("policyText", text))
}

fn no_policy(world: &World, name: &str) -> crate::wire::ApiError {
    not_found("RepositoryPolicyNotFoundException", "Repository policy", world, name)
}
