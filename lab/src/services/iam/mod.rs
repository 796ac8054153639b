//! IAM: who may become a role, and what a role may do. Trust policies are always judged; what a role may
//! do afterwards only where a world says so ([`State::enforced`]), for most are about other things.

mod calls;
mod conditions;
mod documents;
mod errors;
mod listing;
mod needs;
mod permits;
mod policies;
mod profiles;
mod providers;
mod role_policies;
mod roles;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use calls::call;
pub(crate) use listing::Tags;
pub(crate) use permits::{may, permits};
pub use policies::Policy;
pub(crate) use trust::{Applicant, allows};

use crate::world::World;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The OIDC providers by ARN.
    pub providers: BTreeMap<String, Provider>,
    /// The roles by name.
    pub roles: BTreeMap<String, Role>,
    /// The instance profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// The account's own managed policies by ARN.
    pub policies: BTreeMap<String, Policy>,
    /// Whether roles may do only what their policies allow. Otherwise every call of a known caller is
    /// granted.
    pub enforced: bool,
    /// What roles' policies were asked while they were enforced.
    pub judged: Judged,
}

/// The actions that roles' policies were asked for, `ssm:PutParameter`, by the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Allowed at least once.
    pub allowed: BTreeSet<String>,
    /// Denied at least once.
    pub denied: BTreeSet<String>,
}

/// An OIDC provider that the account trusts to name callers.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Without its scheme, as IAM keeps it: `token.actions.githubusercontent.com`.
    pub url: String,
    /// The audiences that tokens may be for.
    pub audiences: Vec<String>,
    /// The certificates it was created with; IAM no longer uses them for well-known issuers.
    pub thumbprints: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Timestamp,
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `AROA…`
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The trust policy, as JSON.
    pub trust: String,
    /// The longest session, in seconds: 3600 to 43200.
    pub max_session: i64,
    /// When it was created.
    pub created: Timestamp,
    /// Inline policies by name, as JSON.
    pub policies: BTreeMap<String, String>,
    /// The ARNs of managed policies attached to it.
    pub attached: BTreeSet<String>,
    /// Its path, `/` as a rule.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// The ARN of the policy that bounds it; kept, without effect.
    pub boundary: Option<String>,
    /// When a session of it began last, and in which Region.
    pub last_used: Option<(Timestamp, String)>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An instance profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// `AIPA…`
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    pub created: Timestamp,
    /// The name of its role, if it has one.
    pub role: Option<String>,
    /// Its path, `/` as a rule.
    pub path: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Adds an OIDC provider and gives its ARN. An earlier one of the same URL is replaced.
pub fn create_provider(world: &mut World, url: &str, audiences: &[&str]) -> String {
    let url = url.trim_start_matches("https://").trim_end_matches('/');
    let arn = provider_arn(world, url);
    let provider = Provider {
        url: url.to_owned(),
        audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
        thumbprints: Vec::new(),
        tags: BTreeMap::new(),
        created: world.now,
    };
    world.iam.providers.insert(arn.clone(), provider);
    arn
}

/// Adds a role with the given trust policy (JSON) and gives its ARN. An earlier one of the same name is
/// replaced.
pub fn create_role(world: &mut World, name: &str, trust: &str, max_session: i64) -> String {
    let id = unique_id(world, "AROA");
    put_role(world, name, id, trust, max_session)
}

/// Adds a role that EC2 may give to instances. Its id comes from its name, so that no other id changes by it.
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

/// Gives a role the policy (JSON) as its own, in place of one that it was given so before.
pub fn permit(world: &mut World, role: &str, policy: &str) {
    if let Some(role) = world.iam.roles.get_mut(role) {
        role.policies.insert("given".to_owned(), policy.to_owned());
    }
}

/// Adds an instance profile and gives its ARN. An earlier one of the same name is replaced.
pub fn create_instance_profile(world: &mut World, name: &str, role: Option<&str>) -> String {
    let arn = format!("arn:aws:iam::{}:instance-profile/{name}", world.account);
    let profile = Profile {
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

/// The trust policy that GitHub's guide gives: workflows whose `sub` is like `subject` (with `*` and
/// `?`), with tokens for AWS.
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

/// The role of an ARN.
pub(crate) fn role<'w>(world: &'w World, arn: &str) -> Option<&'w Role> {
    world.iam.roles.values().find(|role| role.arn == arn)
}

/// The instance profile of an ARN or else a name.
pub(crate) fn profile<'w>(
    world: &'w World,
    arn: Option<&str>,
    name: Option<&str>,
) -> Option<&'w Profile> {
    match (arn, name) {
        (Some(arn), _) => world.iam.profiles.values().find(|profile| profile.arn == arn),
        (None, Some(name)) => world.iam.profiles.get(name),
        (None, None) => None,
    }
}

/// The ARNs of all that IAM holds.
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

/// An identifier of IAM's form: a prefix for the kind and 17 capitals and digits.
fn unique_id(world: &mut World, prefix: &str) -> String {
    format!("{prefix}{:016X}L", world.ids.bits())
}
