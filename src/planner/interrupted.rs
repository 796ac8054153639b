//! The outcome of a command that was asked to stop before its claim: nothing can be left behind.

use cutover_rollout::model::{Outcome, Status};

/// Returns the outcome of a run that was stopped while it made or published its image.
pub(super) fn while_publishing() -> Outcome {
    let message = "stopped before the rollout began: no tag was set";
    Outcome::new(Status::Interrupted, message)
        .hint("the next run reuses what was uploaded; run the same command again at any time")
}

/// Returns the outcome of a run that was stopped before its claim.
pub(super) fn before_the_claim() -> Outcome {
    Outcome::new(Status::Interrupted, "stopped before anything was changed")
        .hint("run the same command again at any time")
}
