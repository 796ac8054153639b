//! What a configuration means: plain values with every default filled in.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::attach::Attach;
use super::build::Build;
use super::ecr::Ecr;
use super::values::{account_of_role, no_role, role_elsewhere};
use crate::image::Assembly;
use crate::judge::Limits;
use crate::model::{Colour, Digest, PerColour, Repository, RuleId, Strategy};
use crate::rollout::{Deadlines, Step};

/// A checked configuration. Only [`super::parse`] makes one, so what it holds fits together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Config {
    /// The folder of the file: what its relative paths start from.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The service's name, `[a-z0-9-]{1,40}`.
    pub service: String,
    /// The Region.
    pub region: String,
    /// The only account that is accepted: as configured, or else the role's.
    pub account: Option<String>,
    /// The ARN of the role to assume.
    pub role: Option<String>,
    /// What is shipped.
    pub image: Image,
    /// The launch template.
    pub template: Template,
    /// The groups; a [`Fleet::Pair`] unless the strategy is rolling.
    pub fleet: Fleet,
    /// What moves. Nothing of it is set with one group.
    pub traffic: Traffic,
    /// How.
    pub strategy: Strategy,
    /// Empty if the strategy is rolling.
    pub(super) steps: Vec<Step>,
    /// How instances are replaced if the strategy is rolling.
    pub rolling: Rolling,
    /// Requests that the new version must answer first, over the test rule. Empty with one group.
    pub smoke: Vec<Smoke>,
    /// What stops a rollout: nothing but health, unless configured. A limit on errors is by default
    /// a share of 0.01 once there are 100 requests; with one group the requests are those of old
    /// and new instances together, and alarms are at most 10 (API model).
    pub judge: Limits,
    /// For how long the old group stays warm; by default 30 minutes.
    pub rollback_window: Duration,
    /// How the old group goes back to its idle size; by default scheduled.
    pub retire: Retire,
    /// How long to wait for what; by default 20 minutes for a refresh, 10 for health, 30 for
    /// evidence.
    pub deadlines: Deadlines,
}

impl Config {
    /// The steps that traffic takes, ascending, the last at 100 percent; none if the strategy is
    /// rolling.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What to put together, and what instances pull it from: the first of [`Image::push`].
    ///
    /// # Errors
    /// Where the file doesn't say, so that only an image that is pushed already can be deployed.
    pub fn assembly(&self) -> Result<(&Repository, &Assembly), ConfigError> {
        match (self.image.push.first(), &self.image.assembly) {
            (Some(push), Some(assembly)) => Ok((push, assembly)),
            _ => Err(ConfigError::unfit(
                "nothing says what the image is to be made of",
                "add `image.push`, and `image.files` or `image.build: {}`, or deploy an image that is \
                 in the registry already with `--image repository@sha256:…`",
            )),
        }
    }

    /// The same configuration with another role to assume.
    ///
    /// # Errors
    /// Where `role` is not the ARN of a role, or is in another account than the configuration names.
    pub fn assuming(self, role: &str) -> Result<Config, String> {
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

    /// The names of the groups: one, or blue's and green's.
    pub fn groups(&self) -> Vec<&str> {
        match &self.fleet {
            Fleet::Single(sole) => vec![&sole.group],
            Fleet::Pair(pair) => Colour::BOTH.map(|c| pair[c].group.as_str()).to_vec(),
        }
    }
}

/// A text that changes whenever `config` means something else, and only then: the intent of a
/// deploy by hand. Comments, order and defaults written out don't change it, nor the folder.
pub fn hash(config: &Config) -> String {
    // Structs serialise in the order of their fields and the maps are sorted: always the same
    // bytes. Serialising plain values into memory cannot fail.
    let canonical = serde_json::to_vec(config).unwrap_or_default();
    Digest::of(&canonical).as_str().trim_start_matches("sha256:").to_owned()
}

fn is_default(ecr: &Ecr) -> bool {
    *ecr == Ecr::default()
}

/// What is shipped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    /// Where it is pushed to, no two the same; instances pull from the first, which is in the
    /// configured Region if it is in ECR and anything is made. Empty only if nothing is made.
    pub push: Vec<Repository>,
    /// What ECR is to do with it.
    #[serde(skip_serializing_if = "is_default")]
    pub ecr: Ecr,
    /// Tags to push besides; `{commit}` and `{run}` stand for what they say.
    pub tags: Vec<String>,
    /// What it is made of; at least one file, relative to [`Config::directory`].
    pub assembly: Option<Assembly>,
    /// What is put beside it.
    #[serde(skip_serializing_if = "Attach::is_nothing")]
    pub attach: Attach,
    /// What an engine builds instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

impl Image {
    /// Whether the file says what an image is made of, so that it is pushed.
    pub fn is_made(&self) -> bool {
        self.assembly.is_some() || self.build.is_some()
    }
}

/// The launch template.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Template {
    /// Its name; `None` stands for the one that the live group launches from.
    pub name: Option<String>,
    /// Where the new version's user data comes from; by default rewritten.
    pub user_data: UserData,
}

/// Where the new version's user data comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum UserData {
    /// The live version's, the repository's reference replaced.
    #[default]
    Rewrite,
    /// A file with `{{ image }}` in it, relative to [`Config::directory`], or absolute.
    File(PathBuf),
}

/// The groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Fleet {
    /// Two that take turns.
    Pair(PerColour<Member>),
    /// One whose instances are replaced.
    Single(SoleGroup),
}

/// One of two groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The Auto Scaling group's name.
    pub group: String,
    /// The target group's name.
    pub target_group: String,
}

/// A group without another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SoleGroup {
    /// The Auto Scaling group's name.
    pub group: String,
    /// The target group's name; `None` stands for whatever is attached.
    pub target_group: Option<String>,
}

/// Which rules move.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Traffic {
    /// The rules and default actions to change. `None`: every one that names one of the two target
    /// groups, except the test rule. Never empty.
    pub rules: Option<Vec<RuleId>>,
    /// The way to the idle group.
    pub test: Option<TestRoute>,
}

/// The rule that reaches the idle group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestRoute {
    /// The header's name and value.
    pub header: (String, String),
    /// Where smoke requests go, without a trailing slash. `None`: the load balancer's DNS name and
    /// the listener's port.
    pub url: Option<String>,
}

/// How an instance refresh of a group in service replaces instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rolling {
    /// MinHealthyPercentage, 0–100; by default 100.
    pub min_healthy: u8,
    /// MaxHealthyPercentage, 100–200, at most 100 above the minimum; by default 150, or as much.
    pub max_healthy: u8,
    /// CheckpointPercentages, ascending, the last 100; none by default.
    pub checkpoints: Vec<u8>,
    /// CheckpointDelay and BakeTime, at most 48 h (API model); by default 5 minutes.
    pub bake: Duration,
}

/// A request that must be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smoke {
    /// Its path, with `/` in front.
    pub path: String,
    /// The expected status; by default 200.
    pub status: u16,
}

/// How the old group goes back to its idle size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Retire {
    /// By a scheduled action, after the rollback window.
    #[default]
    Scheduled,
    /// By a person.
    Manual,
}
