//! The end of a run that was asked to stop: what is true now, and how to resume.

use cutover_rollout::Exit;
use cutover_rollout::model::{Color, FleetFacts, Goal, Outcome, PerColor, Phase, Record, Status};

/// Returns the end of a run that holds a claim. `shares` are those that were read last.
pub(super) fn end(record: &Record, shares: Option<PerColor<u8>>) -> Exit {
    let phase = record.phase;
    let standing = || standing(record, shares);
    // Until a run that continues another one changes something, the fleet is as that one left it.
    let continues = record.continues.is_some();
    let message = match phase {
        Phase::TakeOver if continues => {
            format!("stopped before it resumed what the previous run left: {}", standing())
        }
        Phase::TakeOver => "stopped before it changed anything".to_owned(),
        Phase::Prepare if continues => {
            format!("stopped while preparing the image and the launch template version: {}", standing())
        }
        Phase::Prepare => {
            "stopped while preparing the image and the launch template version: no group or rule was changed"
                .to_owned()
        }
        _ => format!("stopped in phase `{}`: {}", phase.name(), standing()),
    };
    let goes_back = matches!(phase, Phase::RestoreTraffic | Phase::Undo)
        || (phase == Phase::TakeOver && record.resume >= Some(Phase::RestoreTraffic));
    let hint = match record.goal {
        Goal::Deploy if !goes_back => {
            "run `cutover deploy` to resume, or `cutover rollback` to roll back"
        }
        Goal::Deploy => "run `cutover rollback` to resume the rollback",
        Goal::Rollback | Goal::Undo => "run `cutover rollback` to resume the rollback",
    };
    Exit { status: Status::Interrupted, message, hint: Some(hint.to_owned()) }
}

/// Says what happens to traffic from now on.
fn standing(record: &Record, shares: Option<PerColor<u8>>) -> String {
    let going_back = matches!(record.phase, Phase::RestoreTraffic | Phase::Undo);
    match (&record.fleet, shares) {
        (FleetFacts::OneGroup(_), _) => "an active instance refresh continues by itself".to_owned(),
        (FleetFacts::TwoGroups(_), None) => {
            "traffic stays where it is until the next run".to_owned()
        }
        (FleetFacts::TwoGroups(_), Some(shares)) => {
            match Color::BOTH.into_iter().find(|color| shares[*color] == 100) {
                Some(color) if going_back => {
                    format!("all traffic was on {color} at the last observation")
                }
                Some(color) => format!("all traffic stays on {color}"),
                None => format!(
                    "blue keeps {}% of the traffic and green {}%, and nothing watches them until the next run",
                    shares.blue, shares.green
                ),
            }
        }
    }
}

/// Returns the end of a run that was watching a newer one.
pub(super) fn superseded(newer: u64) -> Exit {
    Exit {
        status: Status::Interrupted,
        message: format!("stopped watching: rollout {newer} holds the claim"),
        hint: Some("run `cutover status` to see what that rollout is doing".to_owned()),
    }
}

/// Returns the outcome of a run that was stopped during its claim.
pub(super) fn while_claiming() -> Outcome {
    let message = "stopped during the claim: nothing else was changed";
    Outcome::new(Status::Interrupted, message).hint("run the same command again to resume")
}
