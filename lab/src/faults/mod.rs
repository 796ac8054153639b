//! Fault injection: calls that are delayed, refused or lost, throttling, stale reads, and scheduled
//! events, among them calls of operators.
//!
//! All of it is data, part of a scenario ([`Faults`], [`ScheduledEvent`]) or added to a running world. The
//! transports ask for the [`Delivery`] of every request when it is sent.

mod call;
mod delivery;
mod events;
mod misbehavior;
mod operator;
mod refusal;
mod saved_states;
mod scheduled_event;
mod stale;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod throttling;
pub(crate) mod values;

pub use call::{CallFault, Fault, Faults};
pub use delivery::{Delivery, DeliveryEnd};
pub use events::schedule;
pub use misbehavior::Misbehavior;
pub use operator::{OPERATOR, OperatorCall};
pub use scheduled_event::{EventKind, ScheduledEvent};
pub use state::{Event, State};
pub use throttling::{Rate, Rates, Throttling};

pub(crate) use events::{carry_out, end_misbehavior};
pub(crate) use stale::{answer as answer_from, before_event};
