//! Converts a run's events to statuses of the GitHub deployment.

use cutover_rollout::model::{Event, Outcome, Status};

/// The maximum length of a description, in characters (REST API, "Create a deployment status").
const DESCRIPTION: usize = 140;

/// The state of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The rollout is in progress.
    InProgress,
    /// The rollout reached its goal.
    Success,
    /// The rollout did not reach its goal.
    Failure,
    /// The rollout is stuck: a person must decide.
    Error,
}

impl State {
    /// Returns GitHub's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            State::InProgress => "in_progress",
            State::Success => "success",
            State::Failure => "failure",
            State::Error => "error",
        }
    }
}

/// A status to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The state.
    pub state: State,
    /// The description, at most 140 characters.
    pub description: String,
    /// Whether a rollout has begun: before that, no deployment is created.
    pub begun: bool,
}

impl Update {
    /// Converts an event; `None` if it does not change the deployment. `goal` is the outcome that counts as
    /// success. GitHub sets the final state by the job's exit code, which agrees with the state of the outcome.
    pub fn of(event: &Event, goal: Status) -> Option<Update> {
        let (state, text) = match event {
            Event::Started { strategy, claim, .. } => {
                (State::InProgress, format!("{strategy}, rollout {claim}"))
            }
            Event::Traffic { shares: weights, verified: true } => {
                (State::InProgress, format!("blue {}%, green {}%", weights.blue, weights.green))
            }
            Event::RollingBack { reason } => (State::InProgress, format!("rolling back: {reason}")),
            Event::Outcome(outcome) => return Some(Update::end(outcome, goal)),
            _ => return None,
        };
        Some(Update { state, description: cut(&text), begun: true })
    }

    fn end(outcome: &Outcome, goal: Status) -> Update {
        let state = match outcome.outcome {
            ending if ending == goal => State::Success,
            Status::Stuck => State::Error,
            _ => State::Failure,
        };
        let name = outcome.outcome.name().replace('_', " ");
        Update {
            state,
            description: cut(&format!("{name}: {}", outcome.message)),
            begun: outcome.rollout.is_some(),
        }
    }
}

/// Returns the first line, truncated if it is too long.
fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.chars().count() > DESCRIPTION {
        true => line.chars().take(DESCRIPTION - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_a_state_and_a_description_that_fits() {
        let end = |ending, goal| {
            let outcome = Outcome::new(ending, "ü".repeat(300));
            Update::of(&Event::Outcome(Box::new(outcome)), goal).unwrap()
        };
        let update = end(Status::RolledBack, Status::Succeeded);
        assert_eq!((update.state, update.begun), (State::Failure, false));
        assert_eq!(update.description.chars().count(), 140);
        assert_eq!(end(Status::RolledBack, Status::RolledBack).state, State::Success);
        assert_eq!(end(Status::Stuck, Status::Succeeded).state, State::Error);
    }
}
