//! OpenID Connect providers.

use super::create::{create_oidc_provider, provider_arn};
use super::errors::{
    add_tags, already_exists, invalid_input, no_such_entity, quota, tags, validation,
};
use super::listing::{page, write_tags};
use super::state::OidcProvider;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most providers in an account (quota).
const QUOTA: usize = 100;
/// The most audiences of a provider (quota).
const AUDIENCES: usize = 100;
/// The most thumbprints of a provider (quota).
const THUMBPRINTS: usize = 5;

/// `CreateOpenIDConnectProvider`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let url = input.need_str("Url")?;
    let host = url.strip_prefix("https://").map(|host| host.trim_end_matches('/'));
    let Some(host) = host.filter(|host| !host.is_empty() && !host.contains(['?', ' '])) else {
        return Err(validation("Invalid Open ID Connect Provider URL"));
    };
    let arn = provider_arn(world, host);
    if world.iam.providers.contains_key(&arn) {
        return Err(already_exists(format!("Provider with url {url} already exists.")));
    }
    if world.iam.providers.len() >= QUOTA {
        return Err(quota("OpenIdConnectProvidersPerAccount", QUOTA));
    }
    let (audiences, thumbprints) = (input.strings("ClientIDList"), thumbprints(input)?);
    if audiences.len() > AUDIENCES {
        return Err(quota("ClientIdsPerOpenIdConnectProvider", AUDIENCES));
    }
    let given = tags(input)?;
    let names: Vec<&str> = audiences.iter().map(String::as_str).collect();
    let arn = create_oidc_provider(world, url, &names);
    let written = write_tags(&given);
    if let Some(provider) = world.iam.providers.get_mut(&arn) {
        (provider.thumbprints, provider.tags) = (thumbprints, given);
    }
    Ok(map([("OpenIDConnectProviderArn", arn.into()), ("Tags", written)]))
}

fn thumbprints(input: &Value) -> ApiResult<Vec<String>> {
    let all = input.strings("ThumbprintList");
    if all.len() > THUMBPRINTS {
        return Err(invalid_input("Thumbprint list must contain fewer than 5 entries."));
    }
    let good = |print: &String| print.len() == 40 && print.bytes().all(|b| b.is_ascii_hexdigit());
    match all.iter().find(|print| !good(print)) {
        Some(bad) if bad.len() != 40 => Err(validation(format!(
            "1 validation error detected: Value '[{bad}]' at 'thumbprintList' failed to satisfy constraint: Member must have length equal to 40"
        ))),
        Some(_) => Err(invalid_input("Thumbprint must be hexadecimal.")),
        None => Ok(all),
    }
}

/// `GetOpenIDConnectProvider`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let provider = find(world, input)?;
    let texts = |items: &[String]| Value::List(items.iter().map(Value::from).collect());
    Ok(map([
        ("Url", provider.url.as_str().into()),
        ("ClientIDList", texts(&provider.audiences)),
        ("ThumbprintList", texts(&provider.thumbprints)),
        ("CreateDate", provider.created.into()),
        ("Tags", write_tags(&provider.tags)),
    ]))
}

/// `ListOpenIDConnectProviders`: not paginated.
pub(super) fn list(world: &World) -> Value {
    let arns = world.iam.providers.keys().map(|arn| map([("Arn", arn.into())]));
    map([("OpenIDConnectProviderList", Value::List(arns.collect()))])
}

/// `DeleteOpenIDConnectProvider`: succeeds if the provider doesn't exist (API reference). Roles that trust it
/// stay, but can't be assumed through it anymore.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    world.iam.providers.remove(input.need_str("OpenIDConnectProviderArn")?);
    Ok(Value::Null)
}

/// `UpdateOpenIDConnectProviderThumbprint`: replaces the whole list.
pub(super) fn update_thumbprints(world: &mut World, input: &Value) -> ApiResult<Value> {
    let thumbprints = thumbprints(input)?;
    find_mut(world, input)?.thumbprints = thumbprints;
    Ok(Value::Null)
}

/// `AddClientIDToOpenIDConnectProvider`: succeeds if the audience is already there.
pub(super) fn add_audience(world: &mut World, input: &Value) -> ApiResult<Value> {
    let audience = input.need_str("ClientID")?.to_owned();
    let provider = find_mut(world, input)?;
    if !provider.audiences.contains(&audience) {
        if provider.audiences.len() >= AUDIENCES {
            return Err(quota("ClientIdsPerOpenIdConnectProvider", AUDIENCES));
        }
        provider.audiences.push(audience);
    }
    Ok(Value::Null)
}

/// `RemoveClientIDFromOpenIDConnectProvider`: succeeds if the audience isn't there.
pub(super) fn remove_audience(world: &mut World, input: &Value) -> ApiResult<Value> {
    let audience = input.need_str("ClientID")?.to_owned();
    find_mut(world, input)?.audiences.retain(|known| *known != audience);
    Ok(Value::Null)
}

/// `TagOpenIDConnectProvider`.
pub(super) fn tag(world: &mut World, input: &Value) -> ApiResult<Value> {
    add_tags(&mut find_mut(world, input)?.tags, input)?;
    Ok(Value::Null)
}

/// `UntagOpenIDConnectProvider`.
pub(super) fn untag(world: &mut World, input: &Value) -> ApiResult<Value> {
    let keys = input.strings("TagKeys");
    find_mut(world, input)?.tags.retain(|key, _| !keys.contains(key));
    Ok(Value::Null)
}

/// `ListOpenIDConnectProviderTags`.
pub(super) fn list_tags(world: &World, input: &Value) -> ApiResult<Value> {
    let tags = write_tags(&find(world, input)?.tags);
    page("Tags", tags_of(tags), input)
}

fn tags_of(tags: Value) -> Vec<Value> {
    match tags {
        Value::List(tags) => tags,
        _ => Vec::new(),
    }
}

fn find<'w>(world: &'w World, input: &Value) -> ApiResult<&'w OidcProvider> {
    let arn = input.need_str("OpenIDConnectProviderArn")?;
    let found = world.iam.providers.get(arn);
    found.ok_or_else(|| no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
}

fn find_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut OidcProvider> {
    let arn = input.need_str("OpenIDConnectProviderArn")?;
    let found = world.iam.providers.get_mut(arn);
    found.ok_or_else(|| no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
}
