//! What is set on one repository.

use std::collections::BTreeMap;

use super::errors::{broken, lacking, need, one_of};
use super::lifecycle::Lifecycle;
use super::scans::Scan;
use super::{about, repository, repository_mut, settings_mut};
use crate::services::registry::Mutability;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The settings of a repository, and what came of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The repository's own tags, which have nothing to do with its images'.
    pub(super) tags: BTreeMap<String, String>,
    /// The policy, as text.
    pub(super) policy: Option<String>,
    /// Whether images are scanned when they are pushed.
    pub(super) scan_on_push: bool,
    pub(super) encryption: Encryption,
    pub(super) lifecycle: Lifecycle,
    /// The last scan of each image by its digest.
    pub(super) scans: BTreeMap<String, Scan>,
}

/// How the images are encrypted: data, nothing here is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encryption {
    kind: String,
    key: Option<String>,
}

impl Default for Encryption {
    fn default() -> Encryption {
        Encryption { kind: "AES256".to_owned(), key: None }
    }
}

impl Encryption {
    /// Reads an `encryptionConfiguration`. Without a key, KMS has one of AWS's own.
    pub(super) fn of(world: &mut World, input: &Value) -> ApiResult<Encryption> {
        let kind = one_of(input, "encryptionType", &["AES256", "KMS", "KMS_DSSE"], "AES256")?;
        let key = match (kind, input.str("kmsKey")) {
            ("AES256", Some(_)) => {
                return Err(broken("kmsKey", "must be null when the encryption type is AES256"));
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

/// Reads the mutability of tags and its exceptions.
pub(super) fn mutability(input: &Value) -> ApiResult<Mutability> {
    const KINDS: &[&str] =
        &["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];
    let kind = one_of(input, "imageTagMutability", KINDS, "MUTABLE")?;
    let filters = input.list("imageTagMutabilityExclusionFilters").iter();
    let filters = filters.map(exclusion).collect::<ApiResult<Vec<String>>>()?;
    // The rules about filters: API model, 1 to 5; that they go together is inferred.
    let key = "imageTagMutabilityExclusionFilters";
    match (kind.ends_with("_WITH_EXCLUSION"), filters.len()) {
        (true, 1..=5) | (false, 0) => {}
        (true, _) => return Err(broken(key, "1 to 5 filters must be given with _WITH_EXCLUSION")),
        (false, _) => return Err(broken(key, "must be given with _WITH_EXCLUSION only")),
    }
    Ok(match kind {
        "IMMUTABLE" => Mutability::Immutable,
        "IMMUTABLE_WITH_EXCLUSION" => Mutability::ImmutableExcept(filters),
        "MUTABLE_WITH_EXCLUSION" => Mutability::MutableExcept(filters),
        _ => Mutability::Mutable,
    })
}

/// One exclusion filter: 1 to 128 characters of a tag, and `*`, at most twice (user guide, "Preventing
/// image tags from being overwritten").
fn exclusion(filter: &Value) -> ApiResult<String> {
    let kind = one_of(filter, "filterType", &["WILDCARD"], "")?;
    let text = need(filter, "filter")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
    let fits = (1..=128).contains(&text.len()) && text.chars().all(allowed);
    if kind.is_empty() || !fits || text.matches('*').count() > 2 {
        return Err(broken(
            "imageTagMutabilityExclusionFilters",
            "must be of type WILDCARD and satisfy regular expression '^[0-9a-zA-Z._*-]{1,128}$' with at \
             most two wildcards",
        ));
    }
    Ok(text.to_owned())
}

/// The mutability's part of a description.
pub(super) fn with_mutability(described: Value, mutability: &Mutability) -> Value {
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
    let mutability = mutability(input)?;
    repository_mut(world, input)?.mutability = mutability.clone();
    let (name, _) = repository(world, input)?;
    Ok(with_mutability(about(world, name), &mutability))
}

pub(super) fn put_scanning(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, settings) = settings_mut(world, input)?;
    let wanted = input.get("imageScanningConfiguration").bool("scanOnPush").unwrap_or(false);
    settings.scan_on_push = wanted;
    let configuration = map([("scanOnPush", wanted.into())]);
    Ok(about(world, name).with("imageScanningConfiguration", configuration))
}

pub(super) fn set_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let text = need(input, "policyText")?;
    check_policy("PolicyText", text)?;
    let (name, settings) = settings_mut(world, input)?;
    settings.policy = Some(text.to_owned());
    Ok(about(world, name).with("policyText", text))
}

/// Refuses what is no policy. What it allows is not looked at.
pub(super) fn check_policy(key: &str, text: &str) -> ApiResult<()> {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if json["Statement"].is_null() || text.len() > 10_240 {
        return Err(broken(key, "Invalid repository policy provided"));
    }
    Ok(())
}

pub(super) fn get_policy(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, _) = repository(world, input)?;
    let text = world.ecr.settings.get(name).and_then(|settings| settings.policy.as_deref());
    let text = text.ok_or_else(|| no_policy(world, name))?;
    Ok(about(world, name).with("policyText", text))
}

pub(super) fn delete_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, settings) = settings_mut(world, input)?;
    let text = settings.policy.take().ok_or_else(|| no_policy(world, name))?;
    Ok(about(world, name).with("policyText", text))
}

fn no_policy(world: &World, name: &str) -> crate::wire::ApiError {
    lacking("RepositoryPolicyNotFoundException", "Repository policy", world, name)
}
