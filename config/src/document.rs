//! The format of `cutover.yaml`.
//!
//! The doc comments become the descriptions in `cutover.schema.json`, so they address whoever writes
//! the file. Don't use `untagged`, `flatten` or internally tagged types here: serde buffers them, and
//! positions are lost. Keys that this release doesn't support are included to be refused by name; the
//! JSON Schema omits them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::at::Located;
use super::attach::AttachSection;
use super::build::BuildSection;
use super::ecr::EcrSection;
use super::settings::ScaleIn;
use cutover_oci::image::Platform;
use cutover_rollout::model::Strategy;

/// How cutover deploys one service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "cutover.yaml")]
pub(super) struct Document {
    /// The version of the file format: 1.
    #[schemars(extend("const" = 1))]
    pub version: Located<i64>,
    /// The name of the service. It becomes part of names in AWS, such as those of its records.
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,40}$"))]
    pub service: Located<String>,
    /// The AWS Region, for example `ap-northeast-2`.
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub region: Located<String>,
    /// The AWS account id: twelve digits in quotes. cutover refuses to run in any other account.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub account: Option<Located<String>>,
    /// The ARN of the IAM role to assume (default: the credentials that the AWS SDK's default chain finds).
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"))]
    pub role: Option<Located<String>>,
    /// The image to deploy. Omit it to deploy images that are already pushed, with `--image`.
    pub image: Option<Located<ImageSection>>,
    /// The launch template of the groups.
    pub template: Option<TemplateSection>,
    /// The Auto Scaling groups.
    pub fleet: Located<FleetSection>,
    /// The load balancer rules that cutover changes to shift traffic.
    pub traffic: Option<Located<TrafficSection>>,
    /// How the new version replaces the old one.
    pub strategy: Located<StrategyName>,
    /// Settings of `strategy: blue-green`.
    #[serde(rename = "blue_green")]
    pub blue_green: Option<BlueGreenSection>,
    /// Settings of `strategy: canary`.
    pub canary: Option<CanarySection>,
    /// Settings of `strategy: linear`.
    pub linear: Option<LinearSection>,
    /// Settings of `strategy: rolling`.
    pub rolling: Option<RollingSection>,
    /// Smoke tests: requests through the test rule that the new version must answer before it receives
    /// traffic.
    pub smoke: Option<Located<Vec<SmokeSection>>>,
    /// The conditions under which a rollout is rolled back.
    pub judge: Option<JudgeSection>,
    #[schemars(skip)]
    pub proof: Option<Located<IgnoredAny>>,
    /// How long the old group keeps its instances after a rollout, so that a rollback is fast (default 30m).
    pub rollback_window: Option<Located<String>>,
    /// How the old group returns to its idle size: by a scheduled action (default) or manually.
    pub scale_in: Option<Located<ScaleIn>>,
    /// Time limits. When one expires, cutover rolls back.
    pub deadlines: Option<DeadlineSection>,
    #[schemars(skip)]
    pub environments: Option<Located<IgnoredAny>>,
}

/// The rollout strategies.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum StrategyName {
    /// Two groups; all traffic shifts in one step.
    BlueGreen,
    /// Two groups; traffic shifts in the steps of `canary`.
    Canary,
    /// Two groups; traffic shifts in equal steps.
    Linear,
    /// One group; its instances are replaced in batches.
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

/// The image to deploy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageSection {
    /// The repositories to push to. Instances pull from the first one, which should be an ECR repository in
    /// the service's Region.
    #[serde(default)]
    pub push: Vec<Located<String>>,
    /// How ECR repositories are created and images scanned.
    pub ecr: Option<Located<EcrSection>>,
    /// Tags for the pushed image. `{commit}` and `{run}` are replaced with the Git commit and the workflow
    /// run.
    #[serde(default)]
    pub tags: Vec<Located<String>>,
    /// The files of an image that cutover assembles itself, without a container engine.
    pub files: Option<Located<Vec<FileSection>>>,
    /// The base image, by digest: `registry/path@sha256:…` (default: none, an image of `files` only).
    #[schemars(regex(pattern = r"@sha256:[0-9a-f]{64}$"))]
    pub base: Option<Located<String>>,
    /// The entrypoint of the image.
    pub entrypoint: Option<Located<Vec<String>>>,
    /// The default command of the image.
    pub cmd: Option<Located<Vec<String>>>,
    /// Environment variables of the image.
    pub env: Option<Located<BTreeMap<String, String>>>,
    /// Labels of the image.
    pub labels: Option<Located<BTreeMap<String, String>>>,
    /// The user that the container runs as.
    pub user: Option<Located<String>>,
    /// The working directory of the container.
    pub workdir: Option<Located<String>>,
    /// The ports that the container listens on, for example `"8080"` or `"8080/tcp"`.
    pub expose: Option<Located<Vec<Located<String>>>>,
    /// The platform of the instances (default: the first of `platforms`, otherwise linux/amd64).
    pub platform: Option<Located<PlatformName>>,
    /// The platforms to assemble images for, in one image index. Tags name the index; instances run the
    /// image for `platform`.
    pub platforms: Option<Located<Vec<Located<PlatformName>>>>,
    /// Referrers to attach to the image in each registry.
    pub attach: Option<Located<AttachSection>>,
    /// Builds the image from a Dockerfile with a container engine (Docker or Podman).
    pub build: Option<Located<BuildSection>>,
}

/// The platforms of EC2 instances.
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

/// A file or directory and its path in the image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSection {
    /// The file or directory, relative to the directory of `cutover.yaml`.
    pub from: Located<String>,
    /// Its absolute path in the image.
    pub to: Located<String>,
    /// The numeric owner, `uid` or `uid:gid`, of it and everything in it (default 0:0).
    #[schemars(regex(pattern = "^[0-9]+(:[0-9]+)?$"))]
    pub owner: Option<Located<String>>,
    /// The mode in octal digits, for example `"0640"`, of the file or of all files in the directory
    /// (default: 0644, or 0755 for executables). Directories are searchable by whoever may read them.
    #[schemars(regex(pattern = "^[0-7]{3,4}$"))]
    pub mode: Option<Located<String>>,
    /// The one platform of `platforms` whose image contains it (default: all).
    pub platform: Option<Located<PlatformName>>,
}

/// The launch template of the groups.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateSection {
    /// The name of the launch template (default: the one that the groups use).
    pub base: Option<Located<String>>,
    /// The launch template in which new versions are created. It must be the same as `base`.
    pub own: Option<Located<String>>,
    /// How to make the new version's user data. `rewrite` (default): replace the image reference in the live
    /// version's user data with the new digest. `file`: read a file that contains `{{ image }}`.
    pub user_data: Option<UserDataSection>,
}

/// The source of the new version's user data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum UserDataSection {
    /// The live version's user data, with the image reference replaced.
    Rewrite,
    /// A file that contains `{{ image }}`, relative to the directory of `cutover.yaml`.
    File(Located<String>),
}

/// The Auto Scaling groups: either `group`, or `blue` and `green`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FleetSection {
    /// The Auto Scaling group, for `strategy: rolling`.
    pub group: Option<Located<String>>,
    /// The target group of that Auto Scaling group (default: the attached one).
    pub target_group: Option<Located<String>>,
    /// The first of two groups that alternate between live and idle.
    pub blue: Option<Located<MemberSection>>,
    /// The second of two groups that alternate between live and idle.
    pub green: Option<Located<MemberSection>>,
    /// The size of the idle group before it receives traffic: `match`, the size of the live group.
    pub size: Option<Located<SizeSection>>,
}

/// One of two groups, with its target group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSection {
    /// The name of the Auto Scaling group.
    pub group: Located<String>,
    /// The name of the target group.
    pub target_group: Option<Located<String>>,
}

/// The size of the idle group before it receives traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum SizeSection {
    /// The size of the live group.
    Match,
    #[schemars(skip)]
    Proportional,
}

/// The load balancer rules that cutover changes to shift traffic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficSection {
    /// ARNs of listener rules, or of listeners for their default actions (default: every rule that forwards
    /// to one of the target groups, except the test rule).
    pub rules: Option<Located<Vec<Located<String>>>>,
    /// The test rule: the listener rule that forwards smoke tests to the idle group.
    pub test: Option<Located<TestSection>>,
}

/// The listener rule that forwards smoke tests to the idle group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSection {
    /// The header condition of the rule: one header name and its value.
    #[schemars(length(equal = 1))]
    pub header: Located<BTreeMap<String, String>>,
    /// The base URL of smoke tests (default: the load balancer's DNS name and the listener's port).
    #[schemars(regex(pattern = r"^https?://"))]
    pub url: Option<Located<String>>,
}

/// Settings of `strategy: blue-green`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlueGreenSection {
    /// How long to bake after all traffic has shifted (default 5m).
    pub bake: Option<Located<String>>,
}

/// Settings of `strategy: canary`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CanarySection {
    /// The new version's share of the traffic in each step, in percent: ascending, ending with 100
    /// (default 5, 25, 50, 100).
    #[schemars(inner(range(min = 1, max = 100)))]
    pub steps: Option<Located<Vec<Located<i64>>>>,
    /// How long to bake after each step (default 5m).
    pub bake: Option<Located<String>>,
    #[schemars(skip)]
    pub hold_at: Option<Located<IgnoredAny>>,
}

/// Settings of `strategy: linear`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinearSection {
    /// The share of traffic that each step shifts, in percent (default 10).
    #[schemars(range(min = 1, max = 100))]
    pub step: Option<Located<i64>>,
    /// How long to bake after each step (default 2m).
    pub every: Option<Located<String>>,
}

/// Settings of `strategy: rolling`: how the instance refresh replaces instances.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollingSection {
    /// MinHealthyPercentage of the instance refresh, 0 to 100 (default 100).
    #[schemars(range(min = 0, max = 100))]
    pub min_healthy: Option<Located<i64>>,
    /// MaxHealthyPercentage of the instance refresh, 100 to 200 and at most 100 above `min_healthy`
    /// (default: 150, or less if `min_healthy` requires it).
    #[schemars(range(min = 100, max = 200))]
    pub max_healthy: Option<Located<i64>>,
    /// The percentages of replaced instances at which the refresh pauses to bake: ascending, ending with 100
    /// (default: none).
    #[schemars(inner(range(min = 1, max = 100)))]
    pub checkpoints: Option<Located<Vec<Located<i64>>>>,
    /// How long to bake at each checkpoint and at the end (default 5m).
    pub bake: Option<Located<String>>,
}

/// A smoke test: a request that the new version must answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SmokeSection {
    /// The request path, beginning with `/`.
    #[schemars(regex(pattern = "^/"))]
    pub path: Located<String>,
    /// The expected HTTP status (default 200).
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<Located<i64>>,
}

/// The conditions under which a rollout is rolled back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JudgeSection {
    /// The limit on the share of 5xx responses from the new target group; with one group, from all of its
    /// instances.
    pub errors_5xx: Option<Located<ErrorSection>>,
    /// CloudWatch alarms: cutover rolls back when one of them is in ALARM.
    pub alarms: Option<Located<Vec<Located<String>>>>,
}

/// The limit on 5xx responses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorSection {
    /// The largest share of 5xx responses that passes (default `1%`).
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?%$"))]
    pub max: Option<Located<String>>,
    /// The number of requests needed for a verdict (default 100).
    #[schemars(range(min = 1))]
    pub min_requests: Option<Located<i64>>,
}

/// Time limits. When one expires, cutover rolls back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadlineSection {
    /// How long an instance refresh may take (default 20m).
    pub refresh: Option<Located<String>>,
    /// How long targets may take to become healthy (default 10m).
    pub healthy: Option<Located<String>>,
    /// How long to wait for enough requests to judge the new version (default 30m).
    pub evidence: Option<Located<String>>,
}
