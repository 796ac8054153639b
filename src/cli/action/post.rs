//! The post step: what to do about a rollout that the main step left unfinished. Traffic does not depend on it: a
//! runner that is shut down runs no post step (actions/runner, `StepsRunner.cs`).

use super::inputs::{Inputs, ROLLOUT_COMMANDS};
use crate::cli::environment::{holder_prefix, variable};
use crate::cli::rollback::Rollback;
use crate::cli::session::{self, AccountContext};
use crate::cli::signals::{self, Hangup};
use crate::cli::step_settings::OnCancel;
use crate::cli::{CommonArgs, Format, output};
use crate::runner::Ledger;
use cutover_rollout::model::{Failure, Outcome, Record, Status};

/// What this run left behind.
enum Leftover {
    /// No unfinished rollout, or one that belongs to another run.
    Nothing,
    /// An unfinished rollout that is to stay as it is.
    Keep(Box<Record>),
    /// An unfinished rollout with this number that is to be rolled back.
    RollBack(u64),
}

pub(super) fn run(inputs: &Inputs) -> u8 {
    if !ROLLOUT_COMMANDS.contains(&inputs.command) {
        return 0;
    }
    let common = inputs.common();
    let on_cancel = inputs.settings.on_cancel;
    let mut to_roll_back = None;
    let code = signals::block_on(Format::Actions, Hangup::Stops, |stop| {
        let to_roll_back = &mut to_roll_back;
        async move {
            let looked = stop.unless_stopped(Box::pin(find_leftover(&common, on_cancel)));
            match looked.await.unwrap_or_else(session::stopped) {
                Ok(Leftover::Nothing) => 0,
                Ok(Leftover::RollBack(number)) => {
                    *to_roll_back = Some(number);
                    0
                }
                Ok(Leftover::Keep(record)) => {
                    output::report_outcome(Format::Actions, kept_outcome(&record));
                    0
                }
                Err(failure) => output::report_error(Format::Actions, failure),
            }
        }
    });
    match to_roll_back {
        Some(number) => Rollback::after_cancellation(inputs.common(), number),
        None => code,
    }
}

/// Returns whether this run's rollout is unfinished and was not taken over by another run.
async fn find_leftover(common: &CommonArgs, on_cancel: OnCancel) -> Result<Leftover, Failure> {
    let AccountContext { config, cloud, .. } = session::open(common).await?;
    let records = Ledger::new(&cloud, &config.service).records().await?;
    let Some(record) =
        records.last().filter(|record| !record.is_finished() && is_of_this_run(record))
    else {
        return Ok(Leftover::Nothing);
    };
    Ok(match on_cancel {
        OnCancel::Leave => Leftover::Keep(Box::new(record.clone())),
        OnCancel::RollBack => Leftover::RollBack(record.number),
    })
}

/// Returns whether a record belongs to this workflow run, in any attempt.
fn is_of_this_run(record: &Record) -> bool {
    let run = variable("GITHUB_RUN_ID");
    run.is_some_and(|run| record.holder.starts_with(&holder_prefix(&run)))
}

fn kept_outcome(record: &Record) -> Outcome {
    let message = format!(
        "rollout {} of `{}` is unfinished, in phase `{}`: traffic stays as it is",
        record.number,
        record.service,
        record.phase.name()
    );
    Outcome::new(Status::Interrupted, message).hint(
        "re-run the job to resume it, or roll back with `command: rollback`; `on-cancel: roll-back` does \
         that for canceled jobs",
    )
}
