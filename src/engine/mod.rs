//! The loop: observe, decide, act, record, sleep. It makes no decisions itself: it carries out those of
//! [`cutover_rollout::decide`], and after any error it observes again.

mod act;
mod check;
mod claim;
mod deploy;
mod interrupted;
mod ledger;
mod live;
mod may_roll_out;
mod observe;
mod orphans;
mod prepare;
mod registries;
mod rollback;
mod run;
mod session;
mod smoke;
mod stalled_group;
mod stop;
mod tags;
mod target;
mod verify;

pub use check::{CheckedAccount, check};
pub use claim::{Baseline, Desired, RolloutRequest};
pub use ledger::{Ledger, LedgerError};
pub use run::{Job, run};
pub use session::{Caller, Session, WorkflowRun};
pub use stop::{Stop, Stopper};
pub use tags::expand as expand_tags;
pub use target::{PlanError, RolloutSpec, resolve};
