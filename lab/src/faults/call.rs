//! Faults of calls, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::values;
use crate::faults::throttling::Throttling;
use crate::wire::Operation;

/// The faults of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Faults of single calls.
    pub calls: Vec<CallFault>,
    /// Whether AWS's request rates apply: `aws` or `off`.
    pub throttling: Throttling,
    /// How old, in seconds, responses to reads of EC2, Auto Scaling, Elastic Load Balancing and
    /// Parameter Store's paths may be. AWS calls these reads eventually consistent and promises no time.
    #[serde(deserialize_with = "values::amount")]
    pub stale_seconds: f64,
}

/// A fault, and the calls that it affects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFault {
    /// Which calls: `autoscaling:StartInstanceRefresh`, `ssm:*` or `*`. Services have their signing
    /// names (`elasticloadbalancing`, `monitoring`); besides AWS's there are `registry`, `github` and
    /// `site`.
    #[serde(deserialize_with = "values::calls")]
    pub call: String,
    /// Only calls of this sender (the transport's name), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Only calls sent at least this many seconds after the start of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Only calls sent less than this many seconds after the start of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only the nth call that matches all of the above (1 is the first), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// The probability, from 0 to 1, for each such call; 1 if absent.
    #[serde(default, deserialize_with = "values::share", skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The message of a refusal, where it matters: AWS has errors that only their message distinguishes.
    /// A generic message if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happens to the call.
    pub fault: Fault,
}

/// What can happen to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Refused without effect, in the service's own wire format.
    Refused {
        /// The error code; if absent, the one that the service returns for a missing permission.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The HTTP status; if absent, the usual one for the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// Refused without effect, with the service's own throttling error.
    Throttled,
    /// Delayed. Both delays may be given.
    Slow {
        /// Seconds added to the request.
        #[serde(default, deserialize_with = "values::amount")]
        there: f64,
        /// Seconds added to the response.
        #[serde(default, deserialize_with = "values::amount")]
        back: f64,
    },
    /// Delivered with its effect; the response never arrives.
    Lost {
        /// False closes the connection. True leaves it open without a response.
        #[serde(default)]
        hang: bool,
    },
    /// Never arrives; the connection is closed.
    Cut,
}

impl CallFault {
    /// Creates a fault of every call that `call` names.
    pub fn of(call: &str, fault: Fault) -> CallFault {
        CallFault {
            call: call.to_owned(),
            sender: None,
            from: None,
            until: None,
            nth: None,
            probability: None,
            message: None,
            fault,
        }
    }

    /// Limits the fault to the nth of them; 1 is the first.
    #[must_use]
    pub fn nth(self, nth: u64) -> CallFault {
        CallFault { nth: Some(nth), ..self }
    }

    /// Limits the fault to the calls of one sender.
    #[must_use]
    pub fn from_sender(self, sender: &str) -> CallFault {
        CallFault { sender: Some(sender.to_owned()), ..self }
    }

    /// Sets a probability from 0 to 1.
    #[must_use]
    pub fn with_probability(self, probability: f64) -> CallFault {
        CallFault { probability: Some(probability), ..self }
    }

    /// Sets the message of a refusal.
    #[must_use]
    pub fn with_message(self, message: &str) -> CallFault {
        CallFault { message: Some(message.to_owned()), ..self }
    }

    /// Limits the fault to calls sent from `from` until before `until`, in seconds after the start of
    /// the scenario.
    #[must_use]
    pub fn between(self, from: u64, until: u64) -> CallFault {
        CallFault { from: Some(from), until: Some(until), ..self }
    }

    /// Returns whether the fault matches a call that is sent this long after the start of the scenario.
    pub(super) fn matches(&self, sender: &str, asked: &Operation, at: Duration) -> bool {
        self.from.is_none_or(|from| at >= Duration::from_secs(from))
            && self.until.is_none_or(|until| at < Duration::from_secs(until))
            && self.sender.as_deref().is_none_or(|only| only == sender)
            && self.names(asked)
    }

    fn names(&self, asked: &Operation) -> bool {
        match self.call.split_once(':') {
            Some((service, operation)) => {
                (service == "*" || service == asked.service)
                    && (operation == "*" || operation == asked.operation)
            }
            None => self.call == "*",
        }
    }
}
