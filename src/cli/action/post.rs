//! After the job: what an interrupted step has left. Traffic does not depend on this: a runner that is
//! shut down runs no `post` at all (actions/runner, `StepsRunner.cs`).

use super::inputs::{Inputs, ROLLOUTS};
use crate::cli::environment::{holder_of_run, variable};
use crate::cli::rollback::Rollback;
use crate::cli::session::{self, Session};
use crate::cli::settings::OnCancel;
use crate::cli::signals::{self, Hangup};
use crate::cli::{Common, Format, output};
use crate::engine::Ledger;
use crate::model::{Ending, Outcome, Record};

/// What there is to say about an unfinished rollout.
enum Left {
    /// Nothing: it has ended, or another run has it.
    Nothing,
    /// It is this run's, and as the configuration says it stays as it is.
    AsItIs(Box<Record>),
    /// It is this run's, has this number, and is to be rolled back.
    ToRollBack(u64),
}

pub(super) fn run(inputs: &Inputs) -> u8 {
    if !ROLLOUTS.contains(&inputs.command) {
        return 0;
    }
    let common = inputs.common();
    let on_cancel = inputs.settings.on_cancel;
    let mut to_roll_back = None;
    let code = signals::block_on(Format::Actions, Hangup::Stops, |stop| {
        let to_roll_back = &mut to_roll_back;
        async move {
            let looked = stop.unless_asked(Box::pin(look(&common, on_cancel)));
            match looked.await.unwrap_or_else(session::stopped) {
                Ok(Left::Nothing) => 0,
                Ok(Left::ToRollBack(number)) => {
                    *to_roll_back = Some(number);
                    0
                }
                Ok(Left::AsItIs(record)) => {
                    output::end(Format::Actions, left_as_it_is(&record));
                    0
                }
                Err((ending, message)) => output::refuse(Format::Actions, ending, &message),
            }
        }
    });
    match to_roll_back {
        Some(number) => Rollback::after_cancellation(inputs.common(), number),
        None => code,
    }
}

/// Whether this run's rollout is unfinished, and nobody else has taken it over.
async fn look(common: &Common, on_cancel: OnCancel) -> Result<Left, session::Failure> {
    let Session { config, cloud, .. } = session::open(common).await?;
    let records = Ledger::new(&cloud, &config.service).records().await;
    let records = records.map_err(|error| (Ending::Failed, error.to_string()))?;
    let Some(record) = records.last().filter(|record| !record.is_finished() && is_ours(record))
    else {
        return Ok(Left::Nothing);
    };
    Ok(match on_cancel {
        OnCancel::Leave => Left::AsItIs(Box::new(record.clone())),
        OnCancel::RollBack => Left::ToRollBack(record.number),
    })
}

/// Whether a record is of this workflow run, whatever attempt.
fn is_ours(record: &Record) -> bool {
    let run = variable("GITHUB_RUN_ID");
    run.is_some_and(|run| record.holder.starts_with(&holder_of_run(&run)))
}

fn left_as_it_is(record: &Record) -> Outcome {
    let message = format!(
        "rollout {} of `{}` is unfinished, in phase `{}`: traffic stays as it is",
        record.number,
        record.service,
        record.phase.name()
    );
    Outcome::new(Ending::Interrupted, message).hint(
        "re-run the job to resume it, or roll back with `command: rollback`; `on-cancel: roll-back` does \
         that for canceled jobs",
    )
}
