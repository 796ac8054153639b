//! How a run ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ImageReference, PerColour, Repository, Strategy};

/// The ends that a run can come to, and its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All traffic is on the new version, proven.
    Succeeded,
    /// Traffic is back on the previous version.
    RolledBack,
    /// The request or the configuration was refused before anything changed.
    Refused,
    /// It failed, and nothing is left changed.
    Failed,
    /// Neither forward nor back is safe: a person must decide.
    Stuck,
    /// A newer run has taken over.
    Superseded,
    /// Stopped by a signal: traffic is safe, the next run goes on.
    Interrupted,
}

impl Ending {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Ending::Succeeded => 0,
            Ending::Failed => 1,
            Ending::Refused => 2,
            Ending::RolledBack => 3,
            Ending::Stuck => 4,
            Ending::Superseded => 5,
            Ending::Interrupted => 130,
        }
    }

    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Succeeded => "succeeded",
            Ending::RolledBack => "rolled_back",
            Ending::Refused => "refused",
            Ending::Failed => "failed",
            Ending::Stuck => "stuck",
            Ending::Superseded => "superseded",
            Ending::Interrupted => "interrupted",
        }
    }
}

/// What the lab's simulated users saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Requests {
    /// Answered without a server error.
    pub served: u64,
    /// Answered with one, or not at all.
    pub failed: u64,
}

/// The last event: what was achieved. Members that do not apply are left out of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The end.
    pub outcome: Ending,
    /// One line for people: what holds now.
    pub message: String,
    /// What to do next, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The strategy, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The image that was to be shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// The repositories that have the image, the one that instances pull from first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// The tags that name it there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The number of the rollout in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<u64>,
    /// The commit that was to be shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit that was live before, where the ledger knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// The version that was to be shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_template_version: Option<u64>,
    /// The version that was live before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<u64>,
    /// Shares in percent at the end, with two groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PerColour<u8>>,
    /// `launched`: instances were seen launched from the version whose user data holds the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<&'static str>,
    /// What simulated users saw; only in the lab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// The same by version; only in the lab.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_by_version: BTreeMap<String, Requests>,
    /// Seconds that passed in the lab; only in the lab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_seconds: Option<u64>,
}

impl Outcome {
    /// An outcome of which nothing but the end is known yet.
    pub fn new(outcome: Ending, message: impl Into<String>) -> Outcome {
        Outcome {
            outcome,
            message: message.into(),
            hint: None,
            strategy: None,
            image: None,
            repositories: Vec::new(),
            tags: Vec::new(),
            rollout: None,
            commit: None,
            previous_commit: None,
            launch_template_version: None,
            previous_version: None,
            weights: None,
            proof: None,
            requests: None,
            requests_by_version: BTreeMap::new(),
            virtual_seconds: None,
        }
    }

    /// The message, and the advice on a line of its own.
    pub fn advised(&self) -> String {
        let lines = [Some(&self.message), self.hint.as_ref()];
        lines.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Outcome {
        self.hint = Some(hint.into());
        self
    }
}
