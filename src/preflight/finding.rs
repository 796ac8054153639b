//! One thing that is wrong, or may be.

use crate::model::Event;

/// Whether a rollout may begin all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It may not.
    Error,
    /// It may; somebody should know.
    Warning,
}

impl Severity {
    /// The word used in events.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What it is about, in one or two words.
    pub topic: &'static str,
    /// What is so, and what it means.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The AWS CLI line that does it, or shows it.
    pub cli: Option<String>,
}

impl Finding {
    /// Stops a rollout.
    pub(super) fn error(
        topic: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (message, remedy) = (message.into(), remedy.into());
        Finding { severity: Severity::Error, topic, message, remedy, cli: None }
    }

    /// Is told.
    pub(super) fn warning(
        topic: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(topic, message, remedy) }
    }

    /// With a line for the AWS CLI.
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
