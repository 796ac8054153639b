//! IAM's operations.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Profile, Role};
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "CreateOpenIDConnectProvider" => create_provider(world, input),
        "GetOpenIDConnectProvider" => get_provider(world, input),
        "ListOpenIDConnectProviders" => Ok(list_providers(world)),
        "CreateRole" => create_role(world, input),
        "GetRole" => {
            let role = find_role(world, input)?;
            Ok(map([("Role", describe_role(role))]))
        }
        "ListRoles" => Ok(list_roles(world)),
        "UpdateAssumeRolePolicy" => update_trust(world, input),
        "PutRolePolicy" => put_role_policy(world, input),
        "GetRolePolicy" => get_role_policy(world, input),
        "CreateInstanceProfile" => create_instance_profile(world, input),
        "AddRoleToInstanceProfile" => add_role_to_instance_profile(world, input),
        "GetInstanceProfile" => {
            let profile = find_profile(world, input)?;
            Ok(map([("InstanceProfile", describe_profile(world, profile))]))
        }
        _ => Err(ApiError::unknown_operation(call)),
    }
}

fn create_provider(world: &mut World, input: &Value) -> ApiResult<Value> {
    let url = input.need_str("Url")?;
    if !url.starts_with("https://") {
        return Err(ApiError::sender(
            "ValidationError",
            "Invalid Open ID Connect Provider URL: it must begin with https://",
        ));
    }
    let arn = super::provider_arn(world, url.trim_start_matches("https://").trim_end_matches('/'));
    if world.iam.providers.contains_key(&arn) {
        return Err(already(format!("Provider with url {url} already exists.")));
    }
    let audiences = input.strings("ClientIDList");
    let audiences: Vec<&str> = audiences.iter().map(String::as_str).collect();
    let arn = super::create_provider(world, url, &audiences);
    if let Some(provider) = world.iam.providers.get_mut(&arn) {
        provider.thumbprints = input.strings("ThumbprintList");
    }
    Ok(map([("OpenIDConnectProviderArn", arn.into())]))
}

fn get_provider(world: &World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("OpenIDConnectProviderArn")?;
    let provider = world
        .iam
        .providers
        .get(arn)
        .ok_or_else(|| no_such(format!("OpenIDConnect Provider not found for arn {arn}")))?;
    let texts = |items: &[String]| Value::List(items.iter().map(Value::from).collect());
    Ok(map([
        ("Url", provider.url.as_str().into()),
        ("ClientIDList", texts(&provider.audiences)),
        ("ThumbprintList", texts(&provider.thumbprints)),
        ("CreateDate", provider.created.into()),
    ]))
}

fn list_providers(world: &World) -> Value {
    let arns = world.iam.providers.keys().map(|arn| map([("Arn", arn.into())]));
    map([("OpenIDConnectProviderList", Value::List(arns.collect()))])
}

fn create_role(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("RoleName")?;
    let trust = input.need_str("AssumeRolePolicyDocument")?;
    check_document(trust)?;
    if world.iam.roles.contains_key(name) {
        return Err(already(format!("Role with name {name} already exists.")));
    }
    let max_session = input.int("MaxSessionDuration").unwrap_or(3600);
    if !(3600..=43200).contains(&max_session) {
        return Err(ApiError::sender(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{max_session}' at 'maxSessionDuration' failed to \
                 satisfy constraint: Member must have value between 3600 and 43200"
            ),
        ));
    }
    super::create_role(world, name, trust, max_session);
    Ok(map([("Role", describe_role(find_role(world, input)?))]))
}

fn list_roles(world: &World) -> Value {
    let roles = world.iam.roles.values().map(describe_role).collect();
    map([("Roles", Value::List(roles)), ("IsTruncated", false.into())])
}

fn update_trust(world: &mut World, input: &Value) -> ApiResult<Value> {
    let document = input.need_str("PolicyDocument")?;
    check_document(document)?;
    role_mut(world, input)?.trust = document.to_owned();
    Ok(Value::Null)
}

fn put_role_policy(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, document) = (input.need_str("PolicyName")?, input.need_str("PolicyDocument")?);
    check_document(document)?;
    role_mut(world, input)?.policies.insert(name.to_owned(), document.to_owned());
    Ok(Value::Null)
}

fn get_role_policy(world: &World, input: &Value) -> ApiResult<Value> {
    let (role, name) = (find_role(world, input)?, input.need_str("PolicyName")?);
    let document = role
        .policies
        .get(name)
        .ok_or_else(|| no_such(format!("The role policy with name {name} cannot be found.")))?;
    Ok(map([
        ("RoleName", role.name.as_str().into()),
        ("PolicyName", name.into()),
        ("PolicyDocument", encoded(document).into()),
    ]))
}

fn create_instance_profile(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("InstanceProfileName")?;
    if world.iam.profiles.contains_key(name) {
        return Err(already(format!("Instance Profile {name} already exists.")));
    }
    super::create_instance_profile(world, name, None);
    let profile = find_profile(world, input)?;
    Ok(map([("InstanceProfile", describe_profile(world, profile))]))
}

fn add_role_to_instance_profile(world: &mut World, input: &Value) -> ApiResult<Value> {
    let role = find_role(world, input)?.name.clone();
    let name = find_profile(world, input)?.name.clone();
    match world.iam.profiles.get_mut(&name) {
        Some(profile) if profile.role.is_some() => Err(ApiError::sender(
            "LimitExceeded",
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
        )
        .status(409)),
        Some(profile) => {
            profile.role = Some(role);
            Ok(Value::Null)
        }
        None => Ok(Value::Null),
    }
}

fn find_role<'w>(world: &'w World, input: &Value) -> ApiResult<&'w Role> {
    let name = input.need_str("RoleName")?;
    world.iam.roles.get(name).ok_or_else(|| no_such_role(name))
}

fn role_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Role> {
    let name = input.need_str("RoleName")?;
    world.iam.roles.get_mut(name).ok_or_else(|| no_such_role(name))
}

fn find_profile<'w>(world: &'w World, input: &Value) -> ApiResult<&'w Profile> {
    let name = input.need_str("InstanceProfileName")?;
    world
        .iam
        .profiles
        .get(name)
        .ok_or_else(|| no_such(format!("Instance Profile {name} cannot be found.")))
}

fn describe_role(role: &Role) -> Value {
    map([
        ("Path", "/".into()),
        ("RoleName", role.name.as_str().into()),
        ("RoleId", role.id.as_str().into()),
        ("Arn", role.arn.as_str().into()),
        ("CreateDate", role.created.into()),
        ("AssumeRolePolicyDocument", encoded(&role.trust).into()),
        ("MaxSessionDuration", role.max_session.into()),
    ])
}

fn describe_profile(world: &World, profile: &Profile) -> Value {
    let roles = profile.role.iter().filter_map(|name| world.iam.roles.get(name));
    map([
        ("Path", "/".into()),
        ("InstanceProfileName", profile.name.as_str().into()),
        ("InstanceProfileId", profile.id.as_str().into()),
        ("Arn", profile.arn.as_str().into()),
        ("CreateDate", profile.created.into()),
        ("Roles", Value::List(roles.map(describe_role).collect())),
    ])
}

/// Policies come back percent-encoded (API reference, GetRole).
fn encoded(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}

fn check_document(document: &str) -> ApiResult<()> {
    match serde_json::from_str::<serde_json::Value>(document) {
        Ok(json) if json.get("Statement").is_some() => Ok(()),
        Ok(_) => Err(malformed("Missing required field Statement")),
        Err(_) => Err(malformed("This policy contains invalid Json")),
    }
}

fn malformed(message: &str) -> ApiError {
    ApiError::sender("MalformedPolicyDocument", message)
}

fn already(message: String) -> ApiError {
    ApiError::sender("EntityAlreadyExists", message).status(409)
}

fn no_such(message: String) -> ApiError {
    ApiError::sender("NoSuchEntity", message).status(404)
}

fn no_such_role(name: &str) -> ApiError {
    no_such(format!("The role with name {name} cannot be found."))
}
