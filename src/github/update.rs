//! What a deployment's status says of a run's events.

use crate::model::{Ending, Event, Outcome};

/// The longest description that GitHub takes, in characters (REST API, "Create a deployment status").
const DESCRIPTION: usize = 140;

/// A deployment's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The rollout is under way.
    InProgress,
    /// It did what was asked for.
    Success,
    /// It did not.
    Failure,
    /// A person must decide.
    Error,
}

impl State {
    /// GitHub's name for it.
    pub fn name(self) -> &'static str {
        match self {
            State::InProgress => "in_progress",
            State::Success => "success",
            State::Failure => "failure",
            State::Error => "error",
        }
    }
}

/// A status to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The state.
    pub state: State,
    /// What it says, at most 140 characters.
    pub description: String,
    /// Whether a rollout has begun: before that there is no reason to make a deployment.
    pub begun: bool,
}

impl Update {
    /// What an event changes about the deployment; `None` where it changes nothing. `goal` is the outcome
    /// that counts as success. A job's last state is set by GitHub when the job ends, by its
    /// exit code: the state of an outcome agrees with that.
    pub fn of(event: &Event, goal: Ending) -> Option<Update> {
        let (state, text) = match event {
            Event::Started { strategy, claim, .. } => {
                (State::InProgress, format!("{strategy}, rollout {claim}"))
            }
            Event::Weights { weights, verified: true } => {
                (State::InProgress, format!("blue {}%, green {}%", weights.blue, weights.green))
            }
            Event::TakingBack { reason } => (State::InProgress, format!("rolling back: {reason}")),
            Event::Outcome(outcome) => return Some(Update::end(outcome, goal)),
            _ => return None,
        };
        Some(Update { state, description: cut(&text), begun: true })
    }

    fn end(outcome: &Outcome, goal: Ending) -> Update {
        let state = match outcome.outcome {
            ending if ending == goal => State::Success,
            Ending::Stuck => State::Error,
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

/// The first line, as much of it as fits.
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
        let update = end(Ending::RolledBack, Ending::Succeeded);
        assert_eq!((update.state, update.begun), (State::Failure, false));
        assert_eq!(update.description.chars().count(), 140);
        assert_eq!(end(Ending::RolledBack, Ending::RolledBack).state, State::Success);
        assert_eq!(end(Ending::Stuck, Ending::Succeeded).state, State::Error);
    }
}
