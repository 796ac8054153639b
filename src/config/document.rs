//! The shape of `cutover.yaml`, as it is written.
//!
//! The doc comments are the descriptions in `cutover.schema.json`, so they speak to whoever writes
//! the file. No `untagged`, `flatten` or internally tagged types here: serde buffers them, and the
//! places are lost. Keys that this release knows but doesn't serve are here, too, to be refused by
//! name; the JSON Schema leaves them out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::at::At;
use super::attach::AttachSection;
use super::build::BuildSection;
use super::ecr::EcrSection;
use super::settings::Retire;
use crate::image::Platform;
use crate::model::Strategy;

/// How cutover ships one service to one fleet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "cutover.yaml")]
pub(super) struct Document {
    /// The version of this file's format: 1.
    #[schemars(extend("const" = 1))]
    pub version: At<i64>,
    /// The service's name: what its records and log lines are filed under.
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,40}$"))]
    pub service: At<String>,
    /// The Region, as in `ap-northeast-2`.
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub region: At<String>,
    /// The account's twelve digits, in quotes. Any other account is refused.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub account: Option<At<String>>,
    /// The role to assume; without it, what the SDK's default chain finds.
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"))]
    pub role: Option<At<String>>,
    /// What is shipped. Leave it out to deploy images that are pushed already (`--image`).
    pub image: Option<At<ImageSection>>,
    /// The launch template that instances start from.
    pub template: Option<TemplateSection>,
    /// The Auto Scaling groups.
    pub fleet: At<FleetSection>,
    /// Which rules of the load balancer move.
    pub traffic: Option<At<TrafficSection>>,
    /// How the fleet is brought to the new version.
    pub strategy: At<StrategyName>,
    /// How blue-green moves traffic.
    #[serde(rename = "blue_green")]
    pub blue_green: Option<BlueGreenSection>,
    /// How canary moves traffic.
    pub canary: Option<CanarySection>,
    /// How linear moves traffic.
    pub linear: Option<LinearSection>,
    /// How rolling replaces instances.
    pub rolling: Option<RollingSection>,
    /// Requests that the new version must answer, over the test rule, before it gets traffic.
    pub smoke: Option<At<Vec<SmokeSection>>>,
    /// What stops a rollout while it gets traffic.
    pub judge: Option<JudgeSection>,
    #[schemars(skip)]
    pub proof: Option<At<IgnoredAny>>,
    /// For how long the old group stays warm after a promotion (default 30m).
    pub rollback_window: Option<At<String>>,
    /// Whether the old group goes back to its idle size by a scheduled action (default) or by hand.
    pub retire: Option<At<Retire>>,
    /// How long to wait for what; running out means taking back.
    pub deadlines: Option<DeadlineSection>,
    #[schemars(skip)]
    pub environments: Option<At<IgnoredAny>>,
}

/// The strategies, as they are written.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum StrategyName {
    /// Two groups, all traffic in one step.
    BlueGreen,
    /// Two groups, traffic in the steps of `canary`.
    Canary,
    /// Two groups, traffic in equal steps.
    Linear,
    /// One group, its instances replaced in batches.
    Rolling,
}

impl From<StrategyName> for Strategy {
    fn from(name: StrategyName) -> Strategy {
        match name {
            StrategyName::BlueGreen => Strategy::BlueGreen,
            StrategyName::Canary => Strategy::Canary,
            StrategyName::Linear => Strategy::Linear,
            StrategyName::Rolling => Strategy::Rolling,
        }
    }
}

/// What is shipped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageSection {
    /// The repositories to push to. The instances pull from the first: best an ECR repository of this
    /// Region.
    #[serde(default)]
    pub push: Vec<At<String>>,
    /// What ECR is to do with what is pushed to it.
    pub ecr: Option<At<EcrSection>>,
    /// Tags to push besides the digest; `{commit}` and `{run}` are replaced.
    #[serde(default)]
    pub tags: Vec<At<String>>,
    /// What the image consists of, put together without a container engine.
    pub files: Option<At<Vec<FileSection>>>,
    /// The image that `files` are put onto, by digest: `registry/path@sha256:…` (default: nothing).
    #[schemars(regex(pattern = r"@sha256:[0-9a-f]{64}$"))]
    pub base: Option<At<String>>,
    /// The image's entrypoint.
    pub entrypoint: Option<At<Vec<String>>>,
    /// The image's command.
    pub cmd: Option<At<Vec<String>>>,
    /// The image's environment.
    pub env: Option<At<BTreeMap<String, String>>>,
    /// The image's labels.
    pub labels: Option<At<BTreeMap<String, String>>>,
    /// The user that the image runs as.
    pub user: Option<At<String>>,
    /// The directory that the image starts in.
    pub workdir: Option<At<String>>,
    /// The ports that the image listens on, as in `"8080"` or `"8080/tcp"`.
    pub expose: Option<At<Vec<At<String>>>>,
    /// The platform that the fleet runs (default: the first of `platforms`, or else linux/amd64).
    pub platform: Option<At<PlatformName>>,
    /// The platforms to make an image for, under one index. The tags name the index; instances
    /// launch the image for `platform`.
    pub platforms: Option<At<Vec<At<PlatformName>>>>,
    /// What is put beside the image in its registries.
    pub attach: Option<At<AttachSection>>,
    /// A Dockerfile to build by a container engine.
    pub build: Option<At<BuildSection>>,
}

/// The platforms that EC2 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) enum PlatformName {
    /// x86-64.
    #[serde(rename = "linux/amd64")]
    Amd64,
    /// Graviton.
    #[serde(rename = "linux/arm64")]
    Arm64,
}

impl From<PlatformName> for Platform {
    fn from(name: PlatformName) -> Platform {
        let architecture = match name {
            PlatformName::Amd64 => "amd64",
            PlatformName::Arm64 => "arm64",
        };
        Platform { architecture: architecture.to_owned(), ..Platform::default() }
    }
}

/// A file or folder and its place in the image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSection {
    /// The file or folder, from the folder of `cutover.yaml`.
    pub from: At<String>,
    /// Its absolute path in the image.
    pub to: At<String>,
    /// Whose it is, with all below it: `uid` or `uid:gid`, in numbers (default 0:0).
    #[schemars(regex(pattern = "^[0-9]+(:[0-9]+)?$"))]
    pub owner: Option<At<String>>,
    /// The file's mode, or that of all files below, in octal digits, as in `"0640"` (default: 0644,
    /// or 0755 for a program). Folders can be searched by whoever may read them.
    #[schemars(regex(pattern = "^[0-7]{3,4}$"))]
    pub mode: Option<At<String>>,
    /// The only one of `platforms` whose image has it (default: all).
    pub platform: Option<At<PlatformName>>,
}

/// The launch template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateSection {
    /// The template's name (default: the one that the groups launch from).
    pub base: Option<At<String>>,
    /// The template that new versions are written to: the same as `base`.
    pub own: Option<At<String>>,
    /// `rewrite` (default): the repository's reference in the live version's user data is replaced
    /// by the new digest. `file`: the user data comes from a file with `{{ image }}` in it.
    pub user_data: Option<UserDataSection>,
}

/// Where the new version's user data comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum UserDataSection {
    /// The live version's, with the reference replaced.
    Rewrite,
    /// A file with `{{ image }}` in it, from the folder of `cutover.yaml`.
    File(At<String>),
}

/// The groups: either `group` alone, or `blue` and `green`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FleetSection {
    /// One Auto Scaling group, for `strategy: rolling`.
    pub group: Option<At<String>>,
    /// The target group of that group (default: the one attached to it).
    pub target_group: Option<At<String>>,
    /// The first of two groups that take turns.
    pub blue: Option<At<MemberSection>>,
    /// The second of two groups that take turns.
    pub green: Option<At<MemberSection>>,
    /// How large the idle group is made before it gets traffic: as large as the live one.
    pub size: Option<At<SizeSection>>,
}

/// One of two groups.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSection {
    /// The Auto Scaling group's name.
    pub group: At<String>,
    /// The target group's name.
    pub target_group: Option<At<String>>,
}

/// How large the idle group is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum SizeSection {
    /// As large as the live one.
    Match,
    #[schemars(skip)]
    Proportional,
}

/// Which rules of the load balancer move.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficSection {
    /// ARNs of rules, or of listeners for their default actions. Default: every one that names one
    /// of the target groups, except the test rule.
    pub rules: Option<At<Vec<At<String>>>>,
    /// The rule that reaches the idle group.
    pub test: Option<At<TestSection>>,
}

/// The rule that reaches the idle group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSection {
    /// One header and the value that the rule asks for.
    #[schemars(length(equal = 1))]
    pub header: At<BTreeMap<String, String>>,
    /// Where smoke requests go (default: the load balancer's DNS name and the listener's port).
    #[schemars(regex(pattern = r"^https?://"))]
    pub url: Option<At<String>>,
}

/// How blue-green moves traffic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlueGreenSection {
    /// How long to watch after all traffic has moved (default 5m).
    pub bake: Option<At<String>>,
}

/// How canary moves traffic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CanarySection {
    /// Percentages of the traffic, ascending, the last 100 (default 5, 25, 50, 100).
    #[schemars(inner(range(min = 1, max = 100)))]
    pub steps: Option<At<Vec<At<i64>>>>,
    /// How long to watch after each step (default 5m).
    pub bake: Option<At<String>>,
    #[schemars(skip)]
    pub hold_at: Option<At<IgnoredAny>>,
}

/// How linear moves traffic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinearSection {
    /// How much traffic a step moves, in percent (default 10).
    #[schemars(range(min = 1, max = 100))]
    pub step: Option<At<i64>>,
    /// How long to watch after each step (default 2m).
    pub every: Option<At<String>>,
}

/// How rolling replaces instances.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollingSection {
    /// MinHealthyPercentage, 0 to 100 (default 100).
    #[schemars(range(min = 0, max = 100))]
    pub min_healthy: Option<At<i64>>,
    /// MaxHealthyPercentage, 100 to 200, at most 100 above `min_healthy` (default 150, or as much
    /// as that allows).
    #[schemars(range(min = 100, max = 200))]
    pub max_healthy: Option<At<i64>>,
    /// Percentages of replaced instances at which to wait for `bake`, ascending, the last 100
    /// (default: none).
    #[schemars(inner(range(min = 1, max = 100)))]
    pub checkpoints: Option<At<Vec<At<i64>>>>,
    /// How long to watch at each checkpoint and at the end (default 5m).
    pub bake: Option<At<String>>,
}

/// A request that the new version must answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SmokeSection {
    /// The path, beginning with `/`.
    #[schemars(regex(pattern = "^/"))]
    pub path: At<String>,
    /// The status that is expected (default 200).
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<At<i64>>,
}

/// What stops a rollout.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JudgeSection {
    /// The share of 5xx answers of the new target group (with one group: of all its instances).
    pub errors_5xx: Option<At<ErrorSection>>,
    /// CloudWatch alarms that take traffic back when they fire.
    pub alarms: Option<At<Vec<At<String>>>>,
}

/// The limit of 5xx answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorSection {
    /// The largest share that passes, as in `1%` (the default).
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?%$"))]
    pub max: Option<At<String>>,
    /// How many requests make evidence (default 100).
    #[schemars(range(min = 1))]
    pub min_requests: Option<At<i64>>,
}

/// How long to wait for what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadlineSection {
    /// For an instance refresh (default 20m).
    pub refresh: Option<At<String>>,
    /// For targets to be healthy (default 10m).
    pub healthy: Option<At<String>>,
    /// For enough requests to judge by (default 30m).
    pub evidence: Option<At<String>>,
}
