//! The loop: observe, decide, act, record, sleep. It never decides anything itself; everything it
//! does is read off [`crate::rollout::decide`], and every error leads back to looking again.

mod act;
mod advice;
mod check;
mod claim;
mod deploy;
mod interrupted;
mod ledger;
mod live;
mod observe;
mod orphans;
mod prepare;
mod push;
mod refusal;
mod rollback;
mod run;
mod session;
mod smoke;
mod stop;
mod tags;
mod target;
mod verify;

pub use check::{Checked, Unchecked, check};
pub use claim::{Origin, Wanted, Wish};
pub use ledger::{Ledger, LedgerError};
pub use push::Made;
pub use run::{Job, run};
pub use session::{Caller, Session, WorkflowRun};
pub use stop::{Stop, Stopper};
pub use tags::expand as expand_tags;
pub use target::{Target, Unresolved, resolve};
