//! IAM: who may assume a role, and what a role may do. Trust policies are always evaluated; permissions only
//! in a world that enforces them ([`State::enforced`]), since most worlds are about something else.

mod authorization;
mod calls;
mod conditions;
mod documents;
mod errors;
mod listing;
mod policies;
mod profiles;
mod providers;
mod required_permissions;
mod role_policies;
mod roles;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(crate) use authorization::{authorize_action, authorize_call};
pub use calls::call;
pub(crate) use listing::Tags;
pub use policies::Policy;
pub(crate) use trust::{AssumeRoleRequest, allows};

use crate::world::World;

/// IAM's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The OIDC providers by ARN.
    pub providers: BTreeMap<String, OidcProvider>,
    /// The roles by name.
    pub roles: BTreeMap<String, Role>,
    /// The instance profiles by name.
    pub profiles: BTreeMap<String, InstanceProfile>,
    /// The customer managed policies by ARN.
    pub policies: BTreeMap<String, Policy>,
    /// Whether roles may do only what their policies allow. Otherwise every call of a known caller is
    /// allowed.
    pub enforced: bool,
    /// Which actions were checked while policies were enforced.
    pub checked_actions: CheckedActions,
}

/// The actions, such as `ssm:PutParameter`, that were checked against roles' policies, by the result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedActions {
    /// Allowed at least once.
    pub allowed: BTreeSet<String>,
    /// Denied at least once.
    pub denied: BTreeSet<String>,
}

/// An OIDC identity provider that the account trusts.
#[derive(Debug, Clone)]
pub struct OidcProvider {
    /// The issuer without its scheme, as IAM stores it: `token.actions.githubusercontent.com`.
    pub url: String,
    /// The audiences (`ClientIDList`) that tokens may be issued for.
    pub audiences: Vec<String>,
    /// The thumbprints of its certificates; IAM no longer uses them for well-known issuers.
    pub thumbprints: Vec<String>,
    /// The tags by key.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Timestamp,
}

/// A role with its trust policy and permissions.
#[derive(Debug, Clone)]
pub struct Role {
    /// The name, unique in the account.
    pub name: String,
    /// The unique ID, `AROA…`.
    pub id: String,
    /// The ARN, which includes the path.
    pub arn: String,
    /// The trust policy, as JSON.
    pub trust: String,
    /// The longest session in seconds: 3600 to 43200.
    pub max_session: i64,
    /// When it was created.
    pub created: Timestamp,
    /// The inline policies by name, as JSON.
    pub policies: BTreeMap<String, String>,
    /// The ARNs of the attached managed policies.
    pub attached: BTreeSet<String>,
    /// The path, usually `/`.
    pub path: String,
    /// The description, at most 1000 characters.
    pub description: Option<String>,
    /// The ARN of the permissions boundary, which is stored but has no effect.
    pub boundary: Option<String>,
    /// When its last session began, and in which Region.
    pub last_used: Option<(Timestamp, String)>,
    /// The tags by key.
    pub tags: BTreeMap<String, String>,
}

/// An instance profile, by which EC2 passes a role to instances.
#[derive(Debug, Clone)]
pub struct InstanceProfile {
    /// The name, unique in the account.
    pub name: String,
    /// The unique ID, `AIPA…`.
    pub id: String,
    /// The ARN, which includes the path.
    pub arn: String,
    /// When it was created.
    pub created: Timestamp,
    /// The name of the role, if it has one.
    pub role: Option<String>,
    /// The path, usually `/`.
    pub path: String,
    /// The tags by key.
    pub tags: BTreeMap<String, String>,
}

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

/// Returns the role with this ARN.
pub(crate) fn role<'w>(world: &'w World, arn: &str) -> Option<&'w Role> {
    world.iam.roles.values().find(|role| role.arn == arn)
}

/// Returns the instance profile with this ARN, or by name if no ARN is given.
pub(crate) fn find_instance_profile<'w>(
    world: &'w World,
    arn: Option<&str>,
    name: Option<&str>,
) -> Option<&'w InstanceProfile> {
    match (arn, name) {
        (Some(arn), _) => world.iam.profiles.values().find(|profile| profile.arn == arn),
        (None, Some(name)) => world.iam.profiles.get(name),
        (None, None) => None,
    }
}

/// Returns the ARNs of all roles, instance profiles, OIDC providers and customer managed policies.
pub fn leftovers(world: &World) -> Vec<String> {
    let state = &world.iam;
    let roles = state.roles.values().map(|role| &role.arn);
    let profiles = state.profiles.values().map(|profile| &profile.arn);
    let rest = state.providers.keys().chain(state.policies.keys());
    roles.chain(profiles).chain(rest).cloned().collect()
}

fn provider_arn(world: &World, url: &str) -> String {
    format!("arn:aws:iam::{}:oidc-provider/{url}", world.account)
}

/// Returns an ID in IAM's format: a prefix for the kind, then 17 capital letters and digits.
fn unique_id(world: &mut World, prefix: &str) -> String {
    format!("{prefix}{:016X}L", world.ids.bits())
}
