//! Managed policies, each with up to five versions.

use std::collections::BTreeMap;

use super::create::unique_id;
use super::documents::{self, PolicyKind, percent_encode};
use super::errors::{
    add_tags, already_exists, conflict, limit, new_name, no_such_entity, path, quota, tags,
};
use super::listing::{page, write_tags};
use super::state::Policy;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most versions of a policy (quota).
const VERSIONS: usize = 5;
/// The most characters of a policy, not counting white space (quota).
const SIZE: usize = 6144;
/// The most policies in an account (quota).
const QUOTA: usize = 1500;

/// The AWS managed policies that the lab knows, with the actions that each allows.
const AWS_MANAGED: &[(&str, &[&str])] = &[
    ("AdministratorAccess", &["*"]),
    ("PowerUserAccess", &["*"]),
    ("ReadOnlyAccess", &["*:Describe*", "*:Get*", "*:List*", "*:BatchGet*"]),
    ("AmazonSSMManagedInstanceCore", &["ssm:*", "ssmmessages:*", "ec2messages:*"]),
    (
        "AmazonEC2ContainerRegistryReadOnly",
        &["ecr:Get*", "ecr:Batch*", "ecr:Describe*", "ecr:List*"],
    ),
    ("AmazonEC2ContainerRegistryPullOnly", &["ecr:Get*", "ecr:Batch*"]),
    ("AmazonEC2ContainerRegistryPowerUser", &["ecr:*"]),
    ("CloudWatchAgentServerPolicy", &["cloudwatch:PutMetricData", "logs:*"]),
    ("AmazonEC2ReadOnlyAccess", &["ec2:Describe*", "elasticloadbalancing:Describe*"]),
    ("AutoScalingFullAccess", &["autoscaling:*"]),
    ("ElasticLoadBalancingFullAccess", &["elasticloadbalancing:*"]),
];

/// Returns whether there is a policy with this ARN, customer managed or AWS managed.
pub(super) fn exists(world: &World, arn: &str) -> bool {
    world.iam.policies.contains_key(arn) || aws_managed(arn).is_some()
}

/// Returns the document of a policy's default version, including the AWS managed policies that the lab knows.
pub(super) fn document(world: &World, arn: &str) -> Option<String> {
    if let Some(actions) = aws_managed(arn) {
        let statement =
            serde_json::json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] });
        return Some(policy.to_string());
    }
    let policy = world.iam.policies.get(arn)?;
    policy.versions.get(&policy.default).map(|(document, _)| document.clone())
}

fn aws_managed(arn: &str) -> Option<&'static [&'static str]> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    let name = name.trim_start_matches("service-role/");
    AWS_MANAGED.iter().find(|(known, _)| *known == name).map(|(_, actions)| *actions)
}

/// `CreatePolicy`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = new_name(input, "PolicyName", 128)?;
    let (path, given, document) = (path(input)?, tags(input)?, read(input)?);
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", world.account);
    if world.iam.policies.values().any(|policy| policy.name == name) {
        return Err(already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    if world.iam.policies.len() >= QUOTA {
        return Err(quota("PoliciesPerAccount", QUOTA));
    }
    let policy = Policy {
        name: name.to_owned(),
        id: unique_id(world, "ANPA"),
        path,
        description: input.str("Description").map(str::to_owned),
        times: (world.now, world.now),
        default: 1,
        versions: BTreeMap::from([(1, (document, world.now))]),
        next: 2,
        tags: given,
    };
    world.iam.policies.insert(arn.clone(), policy);
    Ok(map([("Policy", describe(world, &arn))]))
}

/// `GetPolicy`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?;
    if !exists(world, arn) {
        return Err(missing(arn));
    }
    Ok(map([("Policy", describe(world, arn))]))
}

/// `ListPolicies`: customer managed and AWS managed.
pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let (scope, prefix) = (input.str("Scope").unwrap_or("All"), input.str("PathPrefix"));
    let own = world.iam.policies.iter().filter(|_| scope != "AWS");
    let own = own.filter(|(_, p)| prefix.is_none_or(|prefix| p.path.starts_with(prefix)));
    let of_aws = AWS_MANAGED.iter().filter(|_| scope != "Local");
    let of_aws = of_aws.map(|(name, _)| format!("arn:aws:iam::aws:policy/{name}"));
    let attached = input.bool("OnlyAttached").unwrap_or(false);
    let all = own.map(|(arn, _)| arn.clone()).chain(of_aws);
    let wanted = all.filter(|arn| !attached || attachments(world, arn) > 0);
    page("Policies", wanted.map(|arn| describe(world, &arn)).collect(), input)
}

/// `DeletePolicy`: fails if the policy is attached or has versions other than the default.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?;
    let versions = find(world, arn)?.versions.len();
    if attachments(world, arn) > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if versions > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    world.iam.policies.remove(arn);
    Ok(Value::Null)
}

/// `CreatePolicyVersion`.
pub(super) fn create_version(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (arn, document) = (input.need_str("PolicyArn")?, read(input)?);
    let (now, default) = (world.now, input.bool("SetAsDefault").unwrap_or(false));
    let policy = find_mut(world, arn)?;
    if policy.versions.len() >= VERSIONS {
        return Err(limit(
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
        ));
    }
    let number = policy.next;
    policy.next += 1;
    policy.versions.insert(number, (document, now));
    policy.times.1 = now;
    if default {
        policy.default = number;
    }
    Ok(map([("PolicyVersion", describe_version(policy, number, false))]))
}

/// `GetPolicyVersion`.
pub(super) fn get_version(world: &World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?;
    if let (Some(_), Some(document)) = (aws_managed(arn), document(world, arn)) {
        return Ok(map([(
            "PolicyVersion",
            map([
                ("Document", percent_encode(&document).into()),
                ("VersionId", "v1".into()),
                ("IsDefaultVersion", true.into()),
            ]),
        )]));
    }
    let policy = find(world, arn)?;
    let number = version(policy, input)?;
    Ok(map([("PolicyVersion", describe_version(policy, number, true))]))
}

/// `ListPolicyVersions`: newest first.
pub(super) fn list_versions(world: &World, input: &Value) -> ApiResult<Value> {
    let policy = find(world, input.need_str("PolicyArn")?)?;
    let versions = policy.versions.keys().rev().map(|n| describe_version(policy, *n, false));
    page("Versions", versions.collect(), input)
}

/// `SetDefaultPolicyVersion`.
pub(super) fn set_default(world: &mut World, input: &Value) -> ApiResult<Value> {
    let now = world.now;
    let policy = find_mut(world, input.need_str("PolicyArn")?)?;
    policy.default = version(policy, input)?;
    policy.times.1 = now;
    Ok(Value::Null)
}

/// `DeletePolicyVersion`.
pub(super) fn delete_version(world: &mut World, input: &Value) -> ApiResult<Value> {
    let policy = find_mut(world, input.need_str("PolicyArn")?)?;
    let number = version(policy, input)?;
    if number == policy.default {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number);
    Ok(Value::Null)
}

/// `ListEntitiesForPolicy`: only roles, since the lab has no users and groups.
pub(super) fn entities(world: &World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?;
    if !exists(world, arn) {
        return Err(missing(arn));
    }
    let roles = world.iam.roles.values().filter(|role| role.attached.contains(arn));
    let roles = roles.map(|role| {
        map([("RoleName", role.name.as_str().into()), ("RoleId", role.id.as_str().into())])
    });
    let answer = page("PolicyRoles", roles.collect(), input)?;
    let nothing = || Value::List(Vec::new());
    Ok(answer.with("PolicyGroups", nothing()).with("PolicyUsers", nothing()))
}

/// `TagPolicy`, or `UntagPolicy` if `off` is set.
pub(super) fn tag(world: &mut World, input: &Value, off: bool) -> ApiResult<Value> {
    let policy = find_mut(world, input.need_str("PolicyArn")?)?;
    if off {
        let keys = input.strings("TagKeys");
        policy.tags.retain(|key, _| !keys.contains(key));
    } else {
        add_tags(&mut policy.tags, input)?;
    }
    Ok(Value::Null)
}

/// `ListPolicyTags`.
pub(super) fn list_tags(world: &World, input: &Value) -> ApiResult<Value> {
    let tags = write_tags(&find(world, input.need_str("PolicyArn")?)?.tags);
    let tags = if let Value::List(tags) = tags { tags } else { Vec::new() };
    page("Tags", tags, input)
}

fn read(input: &Value) -> ApiResult<String> {
    let document = input.need_str("PolicyDocument")?;
    documents::check(document, PolicyKind::Identity)?;
    if document.chars().filter(|c| !c.is_whitespace()).count() > SIZE {
        return Err(quota("PolicySize", SIZE));
    }
    Ok(document.to_owned())
}

fn version(policy: &Policy, input: &Value) -> ApiResult<u32> {
    let id = input.need_str("VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.filter(|number| policy.versions.contains_key(number)).ok_or_else(|| {
        no_such_entity(format!(
            "Policy {} version {id} does not exist or is not attachable.",
            policy.name
        ))
    })
}

fn find<'w>(world: &'w World, arn: &str) -> ApiResult<&'w Policy> {
    world.iam.policies.get(arn).ok_or_else(|| missing(arn))
}

fn find_mut<'w>(world: &'w mut World, arn: &str) -> ApiResult<&'w mut Policy> {
    world.iam.policies.get_mut(arn).ok_or_else(|| missing(arn))
}

fn missing(arn: &str) -> crate::wire::ApiError {
    no_such_entity(format!("Policy {arn} was not found."))
}

fn attachments(world: &World, arn: &str) -> i64 {
    let number = world.iam.roles.values().filter(|role| role.attached.contains(arn)).count();
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn describe(world: &World, arn: &str) -> Value {
    let attached = attachments(world, arn);
    let common = map([
        ("Arn", arn.into()),
        ("AttachmentCount", attached.into()),
        ("PermissionsBoundaryUsageCount", 0_i64.into()),
        ("IsAttachable", true.into()),
    ]);
    let Some(policy) = world.iam.policies.get(arn) else {
        let name = arn.rsplit('/').next().unwrap_or_default();
        return common
            .with("PolicyName", name)
            .with("PolicyId", format!("ANPAAWS{:0>14}", name.len()))
            .with("Path", "/")
            .with("DefaultVersionId", "v1");
    };
    common
        .with("PolicyName", policy.name.as_str())
        .with("PolicyId", policy.id.as_str())
        .with("Path", policy.path.as_str())
        .with("DefaultVersionId", format!("v{}", policy.default))
        .with("Description", policy.description.clone())
        .with("CreateDate", policy.times.0)
        .with("UpdateDate", policy.times.1)
        .with("Tags", write_tags(&policy.tags))
}

fn describe_version(policy: &Policy, number: u32, whole: bool) -> Value {
    let Some((document, created)) = policy.versions.get(&number) else { return Value::Null };
    map([
        ("Document", whole.then(|| percent_encode(document)).into()),
        ("VersionId", format!("v{number}").into()),
        ("IsDefaultVersion", (number == policy.default).into()),
        ("CreateDate", (*created).into()),
    ])
}
