//! Creates what a scenario or a test has, without a call.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{InstanceProfile, OidcProvider, Role};
use crate::world::World;

/// Creates an OIDC provider and returns its ARN. Replaces a provider with the same URL.
pub fn create_oidc_provider(world: &mut World, url: &str, audiences: &[&str]) -> String {
    let url = url.trim_start_matches("https://").trim_end_matches('/');
    let arn = provider_arn(world, url);
    let provider = OidcProvider {
        url: url.to_owned(),
        audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
        thumbprints: Vec::new(),
        tags: BTreeMap::new(),
        created: world.now,
    };
    world.iam.providers.insert(arn.clone(), provider);
    arn
}

/// Creates a role with a trust policy (JSON) and returns its ARN. Replaces a role with the same name.
pub fn create_role(world: &mut World, name: &str, trust: &str, max_session: i64) -> String {
    let id = unique_id(world, "AROA");
    put_role(world, name, id, trust, max_session)
}

/// Creates a role that EC2 instances may assume. Its ID is derived from its name, so no other ID changes.
pub fn create_instance_role(world: &mut World, name: &str) -> String {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let letters = name.to_ascii_uppercase();
    let letters: String = letters.chars().filter(char::is_ascii_alphanumeric).take(17).collect();
    put_role(world, name, format!("AROA{letters:0>17}"), trust, 3600)
}

fn put_role(world: &mut World, name: &str, id: String, trust: &str, max_session: i64) -> String {
    let arn = format!("arn:aws:iam::{}:role/{name}", world.account);
    let role = Role {
        name: name.to_owned(),
        id,
        arn: arn.clone(),
        trust: trust.to_owned(),
        max_session,
        created: world.now,
        policies: BTreeMap::new(),
        attached: BTreeSet::new(),
        path: "/".to_owned(),
        description: None,
        boundary: None,
        last_used: None,
        tags: BTreeMap::new(),
    };
    world.iam.roles.insert(name.to_owned(), role);
    arn
}

/// Gives a role this inline policy (JSON), in place of the one from an earlier call.
pub fn put_inline_policy(world: &mut World, role: &str, policy: &str) {
    if let Some(role) = world.iam.roles.get_mut(role) {
        role.policies.insert("given".to_owned(), policy.to_owned());
    }
}

/// Creates an instance profile and returns its ARN. Replaces a profile with the same name.
pub fn create_instance_profile(world: &mut World, name: &str, role: Option<&str>) -> String {
    let arn = format!("arn:aws:iam::{}:instance-profile/{name}", world.account);
    let profile = InstanceProfile {
        name: name.to_owned(),
        id: unique_id(world, "AIPA"),
        arn: arn.clone(),
        created: world.now,
        role: role.map(str::to_owned),
        path: "/".to_owned(),
        tags: BTreeMap::new(),
    };
    world.iam.profiles.insert(name.to_owned(), profile);
    arn
}

/// Returns the trust policy from GitHub's guide. It allows workflows whose `sub` matches `subject` (with `*`
/// and `?`) and whose tokens are issued for AWS.
pub fn github_trust(account: &str, subject: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {
                "Federated": format!(
                    "arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
                )
            },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
                "StringLike": { "token.actions.githubusercontent.com:sub": subject }
            }
        }]
    })
    .to_string()
}

pub(super) fn provider_arn(world: &World, url: &str) -> String {
    format!("arn:aws:iam::{}:oidc-provider/{url}", world.account)
}

/// Returns an ID in IAM's format: a prefix for the kind, then 17 capital letters and digits.
pub(super) fn unique_id(world: &mut World, prefix: &str) -> String {
    format!("{prefix}{:016X}L", world.ids.bits())
}
