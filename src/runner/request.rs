//! What a run is to do: what the planner decides, and the runner carries out.

use cutover_rollout::Plan;
use cutover_rollout::model::{FleetFacts, Goal, ImageReference, PerColor, Strategy};
use cutover_rollout::template::UserDataSource;

/// What a run is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutRequest {
    /// What to roll out, or to roll back.
    pub wanted: Desired,
    /// Whether the run deploys or rolls back.
    pub goal: Goal,
    /// The strategy.
    pub strategy: Strategy,
    /// Equal for two runs that are to do the same: made of the Actions run without its attempt, or else a hash of the
    /// configuration, and of the image.
    pub intent: String,
    /// Identifies this process; unique.
    pub holder: String,
    /// What the new version's description says besides the image: the commit and the run.
    pub origin: String,
    /// The Actions run, if it is one.
    pub workflow: Option<WorkflowRun>,
    /// The commit that the run is for, if it is known.
    pub commit: Option<String>,
    /// Whether this run built or assembled the image.
    pub made_by_this_run: bool,
}

/// What to roll out, or to roll back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// A new launch template version, pinned to this image.
    Image(ImageReference),
    /// An existing launch template version.
    Version {
        /// Its number.
        version: u64,
        /// The image that it names, if the ledger knows it.
        image: Option<ImageReference>,
    },
    /// The unfinished rollout is rolled back.
    Back {
        /// The only rollout to roll back; `None` for any.
        of: Option<u64>,
    },
}

/// What a fresh record says about the state before the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The service.
    pub service: String,
    /// The launch template's ID.
    pub template: String,
    /// The live version.
    pub previous: u64,
    /// The commit of the live version, if the ledger knows it.
    pub previous_commit: Option<String>,
    /// The state of the groups and rules before anything is changed.
    pub fleet: FleetFacts,
    /// The newest record's number when this was read, and whether that rollout had ended.
    pub newest_state: Option<(u64, bool)>,
}

/// A run of a GitHub Actions workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// The workflow: its file, for example `acme/web/.github/workflows/deploy.yml`, or its name if the runner
    /// provides no more.
    pub workflow: String,
    /// The run's ID, the same for every attempt.
    pub id: String,
    /// The run's number, which grows with every run of this workflow.
    pub number: u64,
}

/// A plan, and what else is needed to carry it out.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutSpec {
    /// The plan.
    pub plan: Plan,
    /// What a fresh record begins with.
    pub origin: Baseline,
    /// The groups, each with its target group's ARN.
    pub groups: Vec<(String, Option<String>)>,
    /// The ARNs of the load balancer and the target group whose counts are read.
    pub metrics: Vec<(String, String)>,
    /// The launch template's name.
    pub template_name: String,
    /// Where new user data comes from.
    pub user_data: UserDataSource,
    /// Tags to push besides the digest.
    pub tags: Vec<String>,
    /// The current shares, with two groups.
    pub shares: Option<PerColor<u8>>,
}
