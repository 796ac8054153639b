//! The failure of a command, as it is reported.

use super::{Outcome, Status};

/// The result of a command that did not succeed. Errors of AWS, registries and the configuration
/// are converted to it when they are reported, with their hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The status, which determines the exit code.
    pub status: Status,
    /// What is true now, in one line.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}

impl Failure {
    /// Makes a failure with this status and no hint.
    pub fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), hint: None }
    }

    /// Makes a failure that may not recur.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure::new(Status::Failed, message)
    }

    /// Makes a refusal: the request or configuration is wrong or does not match the account, so a retry does not help.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure::new(Status::Refused, message)
    }

    /// Appends a hint, unless it already has it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        let hint = Some(hint.into());
        self.hint = join_hints([self.hint, hint]);
        self
    }

    /// Prepends a hint, usually that nothing was changed.
    #[must_use]
    pub fn hint_first(mut self, hint: impl Into<String>) -> Failure {
        let hint = Some(hint.into());
        self.hint = join_hints([hint, self.hint]);
        self
    }

    /// Returns message and hint as one text, for a place that has no room for a hint of its own.
    pub fn message_and_hint(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(self, status: Status) -> Failure {
        Failure { status, ..self }
    }
}

/// Joins hints into one sentence, without duplicates.
pub fn join_hints<const N: usize>(hints: [Option<String>; N]) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for hint in hints.into_iter().flatten() {
        if !all.contains(&hint) {
            all.push(hint);
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Outcome {
        let Failure { status, message, hint } = failure;
        Outcome { hint, ..Outcome::new(status, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_kept_in_order_and_come_once() {
        let failure = Failure::failed("no").hint("allow it").hint("allow it").hint("or not");
        let failure = failure.hint_first("nothing was changed");
        assert_eq!(failure.hint.as_deref(), Some("nothing was changed; allow it; or not"));
        let outcome = Outcome::from(failure);
        assert_eq!((outcome.outcome, outcome.message.as_str()), (Status::Failed, "no"));
        assert!(outcome.hint.is_some());
    }

    #[test]
    fn a_failure_fits_into_one_text() {
        let failure = Failure::failed("no");
        assert_eq!(failure.message_and_hint(), "no");
        assert_eq!(failure.hint("allow it").message_and_hint(), "no; allow it");
    }

    #[test]
    fn a_status_can_be_replaced_and_nothing_else_changes() {
        let failure = Failure::refused("no").hint("allow it");
        assert_eq!(failure.status, Status::Refused);
        let stuck = failure.clone().with_status(Status::Stuck);
        assert_eq!(stuck, Failure { status: Status::Stuck, ..failure });
    }
}
