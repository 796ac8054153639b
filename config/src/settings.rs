//! The validated configuration: plain values with all defaults filled in.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::attach::Attach;
use super::build::Build;
use super::ecr::Ecr;
use super::values::{account_of_role, no_role, role_elsewhere};
use cutover_oci::image::Assembly;
use cutover_rollout::judge::Limits;
use cutover_rollout::model::{Color, Digest, PerColor, Repository, RuleId, Strategy};
use cutover_rollout::{Deadlines, Step};

/// A validated configuration. Only [`super::parse`] creates one, so its values are consistent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Config {
    /// The directory of the file, which relative paths start from.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The service's name, `[a-z0-9-]{1,40}`.
    pub service: String,
    /// The Region.
    pub region: String,
    /// The only accepted account: as configured, otherwise the account of the role.
    pub account: Option<String>,
    /// The ARN of the role to assume.
    pub role: Option<String>,
    /// The image to deploy.
    pub image: Image,
    /// The launch template of the groups.
    pub template: Template,
    /// The groups; a [`Fleet::Pair`] unless the strategy is rolling.
    pub fleet: Fleet,
    /// The rules that shift traffic. Default with one group.
    pub traffic: Traffic,
    /// How the new version replaces the old one.
    pub strategy: Strategy,
    /// Empty if the strategy is rolling.
    pub(super) steps: Vec<Step>,
    /// How instances are replaced if the strategy is rolling.
    pub rolling: Rolling,
    /// Requests through the test rule that the new version must answer first. Empty with one group.
    pub smoke: Vec<Smoke>,
    /// When a rollout is rolled back, besides unhealthy targets; nothing by default. The default error limit
    /// is a share of 0.01 once there are 100 requests; with one group, requests to old and new instances
    /// count together, and there are at most 10 alarms (API model).
    pub judge: Limits,
    /// How long the old group keeps its instances after a rollout; by default 30 minutes.
    pub rollback_window: Duration,
    /// How the old group returns to its idle size; by default scheduled.
    pub scale_in: ScaleIn,
    /// Time limits; by default 20 minutes for a refresh, 10 for health, 30 for evidence.
    pub deadlines: Deadlines,
}

impl Config {
    /// Returns the steps of the traffic, ascending, the last at 100%; none if the strategy is rolling.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the image to assemble and the repository that instances pull it from: the first of
    /// [`Image::push`].
    ///
    /// # Errors
    /// If the file doesn't define them, so that only an image that is already pushed can be deployed.
    pub fn assembly(&self) -> Result<(&Repository, &Assembly), ConfigError> {
        match (self.image.push.first(), &self.image.assembly) {
            (Some(push), Some(assembly)) => Ok((push, assembly)),
            _ => Err(ConfigError::incomplete(
                "the configuration does not define an image",
                "add `image.push`, and `image.files` or `image.build: {}`, or deploy an image that is \
                already in the registry with `--image repository@sha256:…`",
            )),
        }
    }

    /// Returns the configuration with another role to assume.
    ///
    /// # Errors
    /// If `role` is not the ARN of a role, or is not in the configured account.
    pub fn with_role(self, role: &str) -> Result<Config, String> {
        let account = account_of_role(role).ok_or_else(|| no_role(role))?;
        match &self.account {
            Some(own) if own != account => Err(role_elsewhere(account, own)),
            _ => Ok(Config {
                account: Some(account.to_owned()),
                role: Some(role.to_owned()),
                ..self
            }),
        }
    }

    /// Returns the names of the groups: one, or blue's and green's.
    pub fn groups(&self) -> Vec<&str> {
        match &self.fleet {
            Fleet::Single(sole) => vec![&sole.group],
            Fleet::Pair(pair) => Color::BOTH.map(|c| pair[c].group.as_str()).to_vec(),
        }
    }
}

/// Returns a hash that changes exactly when the meaning of `config` changes: the intent of a manual
/// deploy. Comments, order, explicit defaults and the directory don't change it.
pub fn hash(config: &Config) -> String {
    // Structs serialize in field order and the maps are sorted, so the bytes are always the same.
    // Serializing plain values into memory cannot fail.
    let canonical = serde_json::to_vec(config).unwrap_or_default();
    Digest::of(&canonical).as_str().trim_start_matches("sha256:").to_owned()
}

fn is_default(ecr: &Ecr) -> bool {
    *ecr == Ecr::default()
}

/// The image to deploy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    /// The repositories to push to, without duplicates. Instances pull from the first, which is in the
    /// configured Region if it is in ECR and the image has a source. Empty only if the image has none.
    pub push: Vec<Repository>,
    /// How ECR repositories are created and images scanned.
    #[serde(skip_serializing_if = "is_default")]
    pub ecr: Ecr,
    /// Tags to push, with the placeholders `{commit}` and `{run}`.
    pub tags: Vec<String>,
    /// The files to assemble, at least one, relative to [`Config::directory`].
    pub assembly: Option<Assembly>,
    /// The referrers to attach.
    #[serde(skip_serializing_if = "Attach::is_nothing")]
    pub attach: Attach,
    /// What an engine builds instead of `assembly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

impl Image {
    /// Returns true if the image is built or assembled, and therefore pushed.
    pub fn has_source(&self) -> bool {
        self.assembly.is_some() || self.build.is_some()
    }
}

/// The launch template of the groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Template {
    /// Its name; `None` means the one that the live group launches from.
    pub name: Option<String>,
    /// The source of the new version's user data; by default the live version's, rewritten.
    pub user_data: UserData,
}

/// The source of the new version's user data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum UserData {
    /// The live version's user data, with the image reference replaced.
    #[default]
    Rewrite,
    /// A file that contains `{{ image }}`: relative to [`Config::directory`], or absolute.
    File(PathBuf),
}

/// The Auto Scaling groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Fleet {
    /// Two groups that alternate between live and idle.
    Pair(PerColor<SideConfig>),
    /// One group whose instances are replaced.
    Single(SingleGroup),
}

/// One of two groups, with its target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideConfig {
    /// The Auto Scaling group's name.
    pub group: String,
    /// The target group's name.
    pub target_group: String,
}

/// The group of a service with one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SingleGroup {
    /// The Auto Scaling group's name.
    pub group: String,
    /// The target group's name; `None` means the attached one.
    pub target_group: Option<String>,
}

/// The rules that shift traffic.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Traffic {
    /// The rules and default actions to change; never empty. `None` means every one that forwards to one of
    /// the two target groups, except the test rule.
    pub rules: Option<Vec<RuleId>>,
    /// The test rule.
    pub test: Option<TestRule>,
}

/// The listener rule that forwards smoke tests to the idle group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestRule {
    /// The header's name and value.
    pub header: (String, String),
    /// The base URL of smoke tests, without a trailing slash. `None` means the load balancer's DNS name and
    /// the listener's port.
    pub url: Option<String>,
}

/// How an instance refresh replaces instances of a live group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rolling {
    /// MinHealthyPercentage, 0–100; by default 100.
    pub min_healthy: u8,
    /// MaxHealthyPercentage, 100–200, at most 100 above the minimum; by default 150, or less if the minimum
    /// requires it.
    pub max_healthy: u8,
    /// CheckpointPercentages, ascending, ending with 100; none by default.
    pub checkpoints: Vec<u8>,
    /// CheckpointDelay and BakeTime, at most 48 h (API model); by default 5 minutes.
    pub bake: Duration,
}

/// A smoke test: a request that the new version must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smoke {
    /// The request path, beginning with `/`.
    pub path: String,
    /// The expected HTTP status; by default 200.
    pub status: u16,
}

/// How the old group returns to its idle size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ScaleIn {
    /// By a scheduled action, after the rollback window.
    #[default]
    Scheduled,
    /// Manually.
    Manual,
}
