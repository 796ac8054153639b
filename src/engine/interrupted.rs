//! How a run ends that was asked to stop: what holds now, and how to go on.

use crate::model::{Colour, Ending, FleetFacts, Goal, Outcome, PerColour, Phase, Record};
use crate::rollout::End;

/// The end of a run that holds a claim. `weights` are the shares that were read last.
pub(super) fn end(record: &Record, weights: Option<PerColour<u8>>) -> End {
    let phase = record.phase;
    let standing = || standing(record, weights);
    // A run that continues another one stands where that one left the fleet.
    let continues = record.continues.is_some();
    let message = match phase {
        Phase::TakeOver if continues => {
            format!("stopped before it went on with what the previous run left: {}", standing())
        }
        Phase::TakeOver => "stopped before it changed anything".to_owned(),
        Phase::Prepare if continues => {
            format!("stopped while the image and its version were made: {}", standing())
        }
        Phase::Prepare => {
            "stopped while the image and its version were made: the fleet was not touched"
                .to_owned()
        }
        _ => format!("stopped in phase `{}`: {}", phase.name(), standing()),
    };
    let goes_back = matches!(phase, Phase::TakeBack | Phase::Undo)
        || (phase == Phase::TakeOver && record.resume >= Some(Phase::TakeBack));
    let hint = match record.goal {
        Goal::Deploy if !goes_back => {
            "`cutover deploy` goes on from here, `cutover rollback` takes it back"
        }
        Goal::Deploy => "`cutover rollback` goes on taking it back",
        Goal::Rollback | Goal::Undo => "`cutover rollback` goes on from here",
    };
    End { ending: Ending::Interrupted, message, hint: Some(hint.to_owned()) }
}

/// What traffic meets from now on.
fn standing(record: &Record, weights: Option<PerColour<u8>>) -> String {
    let going_back = matches!(record.phase, Phase::TakeBack | Phase::Undo);
    match (&record.fleet, weights) {
        (FleetFacts::OneGroup(_), _) => {
            "AWS goes on by itself with an instance refresh that is active".to_owned()
        }
        (FleetFacts::TwoGroups(_), None) => {
            "traffic stays where it is until the next run".to_owned()
        }
        (FleetFacts::TwoGroups(_), Some(weights)) => {
            match Colour::BOTH.into_iter().find(|colour| weights[*colour] == 100) {
                Some(colour) if going_back => {
                    format!("all traffic was on {colour} when it looked last")
                }
                Some(colour) => format!("all traffic stays on {colour}"),
                None => format!(
                    "blue keeps {} % of the traffic and green {} %, and nobody watches them until the next run",
                    weights.blue, weights.green
                ),
            }
        }
    }
}

/// The end of a run that was watching a newer one.
pub(super) fn superseded(newer: u64) -> End {
    End {
        ending: Ending::Interrupted,
        message: format!("stopped watching: run {newer} holds the claim"),
        hint: Some("`cutover status` shows what that one does".to_owned()),
    }
}

/// The outcome of a run that was stopped before its claim.
pub(super) fn before_the_claim() -> Outcome {
    Outcome::new(Ending::Interrupted, "stopped before anything was changed")
        .hint("run the same command again whenever you like")
}

/// The outcome of a run that was stopped while its claim was on its way.
pub(super) fn while_claiming() -> Outcome {
    let message = "stopped while it asked for the claim: nothing else was changed";
    Outcome::new(Ending::Interrupted, message).hint("run the same command again to go on")
}
