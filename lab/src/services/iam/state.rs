//! IAM's state.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// A customer managed policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name, unique in the account.
    pub name: String,
    /// The unique ID, `ANPA…`.
    pub id: String,
    /// The path, usually `/`.
    pub path: String,
    /// The description, if one was given.
    pub description: Option<String>,
    /// When it was created, and when it was last changed.
    pub times: (Timestamp, Timestamp),
    /// The number of the default version.
    pub default: u32,
    /// The documents by version number, each with its creation time.
    pub versions: BTreeMap<u32, (String, Timestamp)>,
    /// The next version's number: those of deleted versions are not reused.
    pub next: u32,
    /// The tags by key.
    pub tags: Tags,
}

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

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;
