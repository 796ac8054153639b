//! Findings of preflight.

use cutover_rollout::model::Event;

/// Whether a finding blocks a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The finding blocks a rollout.
    Error,
    /// The finding does not block a rollout.
    Warning,
}

impl Severity {
    /// Returns the word used in events.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A problem, or a possible one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it blocks a rollout.
    pub severity: Severity,
    /// The topic, in one or two words.
    pub topic: &'static str,
    /// What is wrong, and what it means.
    pub message: String,
    /// How to fix it.
    pub remedy: String,
    /// The AWS CLI command that fixes or shows it.
    pub cli: Option<String>,
}

impl Finding {
    /// Makes a finding that blocks a rollout.
    pub(super) fn error(
        topic: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (message, remedy) = (message.into(), remedy.into());
        Finding { severity: Severity::Error, topic, message, remedy, cli: None }
    }

    /// Makes a finding that does not block a rollout.
    pub(super) fn warning(
        topic: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(topic, message, remedy) }
    }

    /// Sets the AWS CLI command.
    pub(super) fn cli(mut self, line: impl Into<String>) -> Finding {
        self.cli = Some(line.into());
        self
    }
}

impl From<Finding> for Event {
    fn from(finding: Finding) -> Event {
        Event::Finding {
            severity: finding.severity.name(),
            message: finding.message,
            remedy: finding.remedy,
            cli: finding.cli,
        }
    }
}
