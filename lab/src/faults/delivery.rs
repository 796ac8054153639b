//! The delivery of one request.

use std::time::Duration;

use super::refusal;
use crate::faults::call::{CallFault, Fault};
use crate::wire::{ApiError, Operation};

/// What becomes of one request; by default, it arrives and is answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivery {
    /// The delay of the request.
    pub there: Duration,
    /// The delay of the response.
    pub back: Duration,
    /// How the delivery ends.
    pub end: DeliveryEnd,
}

/// How a delivery ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum DeliveryEnd {
    /// The world answers, and the response arrives.
    #[default]
    Answered,
    /// The request has no effect, and this error is returned.
    Refused(ApiError),
    /// The world answers, and the response is lost.
    Lost {
        /// Whether the connection stays open.
        hang: bool,
    },
    /// The request never arrives.
    Cut,
}

impl Delivery {
    /// Applies one more fault.
    pub(super) fn apply(&mut self, fault: &CallFault, asked: &Operation) {
        let end = match &fault.fault {
            Fault::Slow { there, back } => {
                self.there += seconds(*there);
                self.back += seconds(*back);
                return;
            }
            Fault::Refused { code, status } => {
                let message = fault.message.as_deref();
                DeliveryEnd::Refused(refusal::refusal_error(
                    asked.service,
                    code.as_deref(),
                    *status,
                    message,
                ))
            }
            Fault::Throttled => DeliveryEnd::Refused(refusal::throttling_error(asked.service)),
            Fault::Lost { hang } => DeliveryEnd::Lost { hang: *hang },
            Fault::Cut => DeliveryEnd::Cut,
        };
        if self.end == DeliveryEnd::Answered {
            self.end = end;
        }
    }

    /// Returns whether the sender gets a response.
    pub fn is_answered(&self) -> bool {
        matches!(self.end, DeliveryEnd::Answered | DeliveryEnd::Refused(_))
    }
}

/// Converts seconds; zero where they are negative or too large.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
