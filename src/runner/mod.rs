//! The loop: observe, decide, act, record, sleep. It makes no decisions itself: it carries out those of
//! [`cutover_rollout::decide`], and after any error it observes again.

mod act;
mod claim;
mod interrupted;
mod ledger;
mod observe;
mod orphans;
mod prepare;
mod request;
mod run;
mod smoke;
mod stalled_group;
mod stop;

pub(crate) use claim::{effective_unfinished, fresh_record, newest_state, unfinished_rollback};
pub use ledger::{Ledger, LedgerError};
pub(crate) use observe::{ObserveContext, TickState, observe};
pub use request::{Baseline, Desired, RolloutRequest, RolloutSpec, WorkflowRun};
pub use run::{Job, run};
pub use stop::{Stop, Stopper};
