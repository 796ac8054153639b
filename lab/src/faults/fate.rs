//! What becomes of one request.

use std::time::Duration;

use super::{CallFault, Fault, refusal};
use crate::wire::{ApiError, Asked};

/// What becomes of one request; by default, nothing special.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fate {
    /// How much longer it is on its way.
    pub there: Duration,
    /// How much longer the reply is on its way.
    pub back: Duration,
    /// How it ends.
    pub end: End,
}

/// How a request ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum End {
    /// The world answers, and the answer comes back.
    #[default]
    Answered,
    /// It has no effect, and this comes back.
    Refused(ApiError),
    /// The world answers, and nothing comes back.
    Lost {
        /// Whether the connection stays open.
        hang: bool,
    },
    /// It never arrives.
    Cut,
}

impl Fate {
    /// Lets one more fault take its part.
    pub(super) fn suffer(&mut self, fault: &CallFault, asked: &Asked) {
        let end = match &fault.fault {
            Fault::Slow { there, back } => {
                self.there += seconds(*there);
                self.back += seconds(*back);
                return;
            }
            Fault::Refused { code, status } => {
                let message = fault.message.as_deref();
                End::Refused(refusal::refused(asked.service, code.as_deref(), *status, message))
            }
            Fault::Throttled => End::Refused(refusal::throttled(asked.service)),
            Fault::Lost { hang } => End::Lost { hang: *hang },
            Fault::Cut => End::Cut,
        };
        if self.end == End::Answered {
            self.end = end;
        }
    }

    /// Whether the sender gets a reply.
    pub fn replies(&self) -> bool {
        matches!(self.end, End::Answered | End::Refused(_))
    }
}

/// Seconds as data; none where they are below zero or beyond measure.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
