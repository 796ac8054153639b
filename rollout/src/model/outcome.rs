//! The outcome of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ImageReference, PerColor, Repository, Strategy};

/// The status with which a run ends; it determines the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All traffic is on the new version, and that was verified.
    Succeeded,
    /// Traffic is back on the previous version.
    RolledBack,
    /// The request or the configuration was refused before anything was changed.
    Refused,
    /// The run failed and left nothing changed.
    Failed,
    /// Neither forward nor back is safe: a person must decide.
    Stuck,
    /// A newer run has taken over.
    Superseded,
    /// A signal stopped the run: traffic is safe, and the next run resumes.
    Interrupted,
}

impl Status {
    /// Returns the exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Status::Succeeded => 0,
            Status::Failed => 1,
            Status::Refused => 2,
            Status::RolledBack => 3,
            Status::Stuck => 4,
            Status::Superseded => 5,
            Status::Interrupted => 130,
        }
    }

    /// Returns the word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Succeeded => "succeeded",
            Status::RolledBack => "rolled_back",
            Status::Refused => "refused",
            Status::Failed => "failed",
            Status::Stuck => "stuck",
            Status::Superseded => "superseded",
            Status::Interrupted => "interrupted",
        }
    }
}

/// The requests of the lab's simulated users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Requests {
    /// Requests answered without a server error.
    pub served: u64,
    /// Requests answered with a server error, or not at all.
    pub failed: u64,
}

/// The last event of a run. The JSON omits members that do not apply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How the run ended.
    pub outcome: Status,
    /// What is true now, in one line for people.
    pub message: String,
    /// What to do next, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The strategy, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The image to deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// The repositories that have the image, starting with the one that instances pull from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// The tags of the image in these repositories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The number of the rollout in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<u64>,
    /// The commit to deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit that was live before, if the ledger has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// The launch template version to roll out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_template_version: Option<u64>,
    /// The launch template version that was live before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<u64>,
    /// The final shares in percent, with two groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<PerColor<u8>>,
    /// `launched`: the instances were launched from the version whose user data contains the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<&'static str>,
    /// The requests of simulated users; only in the lab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// The same by version; only in the lab.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_by_version: BTreeMap<String, Requests>,
    /// The seconds that passed on the lab's clock; only in the lab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated_seconds: Option<u64>,
}

impl Outcome {
    /// Makes an outcome with only a status and a message.
    pub fn new(outcome: Status, message: impl Into<String>) -> Outcome {
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
            shares: None,
            proof: None,
            requests: None,
            requests_by_version: BTreeMap::new(),
            simulated_seconds: None,
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Outcome {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts and workflows rely on both; docs/events.md lists the codes.
    #[test]
    fn each_status_has_its_exit_code_and_is_named_as_in_json() {
        for (status, code, name) in [
            (Status::Succeeded, 0, "succeeded"),
            (Status::Failed, 1, "failed"),
            (Status::Refused, 2, "refused"),
            (Status::RolledBack, 3, "rolled_back"),
            (Status::Stuck, 4, "stuck"),
            (Status::Superseded, 5, "superseded"),
            (Status::Interrupted, 130, "interrupted"),
        ] {
            assert_eq!((status.exit_code(), status.name()), (code, name));
            assert_eq!(serde_json::to_value(status).unwrap(), name);
        }
    }
}
