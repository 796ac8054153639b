//! Faults of calls as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Throttling, values};
use crate::wire::Asked;

/// The hostile part of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// What happens to calls.
    pub calls: Vec<CallFault>,
    /// Whether AWS's rates hold: `aws` or `off`.
    pub throttling: Throttling,
    /// How old, in seconds, the answers to reads of EC2, Auto Scaling, Elastic Load Balancing and
    /// Parameter Store's paths may be. AWS calls these reads eventually consistent and promises no time.
    #[serde(deserialize_with = "values::amount")]
    pub stale_seconds: f64,
}

/// A fault, and the calls that it hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFault {
    /// Which calls: `autoscaling:StartInstanceRefresh`, `ssm:*` or `*`. Services by their signing names
    /// (`elasticloadbalancing`, `monitoring`); besides AWS's, `registry`, `github` and `site`.
    #[serde(deserialize_with = "values::calls")]
    pub call: String,
    /// Only calls of this sender (the door's name), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Only from so many seconds after the scenario's beginning on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Only before so many seconds after the scenario's beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only the nth of the calls that match all of the above (1 is the first), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// The chance, from 0 to 1, of each such call; 1 if absent.
    #[serde(default, deserialize_with = "values::share", skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What a refusal says to a person, where that matters: AWS has errors that only their words tell
    /// apart. The lab's own words, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happens to it.
    pub fault: Fault,
}

/// What can happen to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Refused without effect, in the service's own wire form.
    Refused {
        /// The error code; what the service says to somebody who may not do this, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The HTTP status; 403 without a code, the code's own with one, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// Refused without effect, by the service's own throttling error.
    Throttled,
    /// So many seconds longer on the way. Both may be given.
    Slow {
        /// On the way there.
        #[serde(default, deserialize_with = "values::amount")]
        there: f64,
        /// On the way back.
        #[serde(default, deserialize_with = "values::amount")]
        back: f64,
    },
    /// Delivered, and the effect is done; the reply never comes.
    Lost {
        /// False: the connection ends. True: nothing comes at all.
        #[serde(default)]
        hang: bool,
    },
    /// Never arrives; the connection ends.
    Cut,
}

impl CallFault {
    /// The fault of every call that `call` names.
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

    /// The same for the nth of them only; 1 is the first.
    #[must_use]
    pub fn nth(self, nth: u64) -> CallFault {
        CallFault { nth: Some(nth), ..self }
    }

    /// The same for calls of one sender only.
    #[must_use]
    pub fn of_sender(self, sender: &str) -> CallFault {
        CallFault { sender: Some(sender.to_owned()), ..self }
    }

    /// The same with a chance from 0 to 1.
    #[must_use]
    pub fn with_probability(self, probability: f64) -> CallFault {
        CallFault { probability: Some(probability), ..self }
    }

    /// The same with what a refusal says.
    #[must_use]
    pub fn saying(self, message: &str) -> CallFault {
        CallFault { message: Some(message.to_owned()), ..self }
    }

    /// The same from `from` until before `until`, in seconds after the scenario's beginning.
    #[must_use]
    pub fn between(self, from: u64, until: u64) -> CallFault {
        CallFault { from: Some(from), until: Some(until), ..self }
    }

    /// Whether a call that is sent so long after the beginning is one of those meant.
    pub(super) fn matches(&self, sender: &str, asked: &Asked, at: Duration) -> bool {
        self.from.is_none_or(|from| at >= Duration::from_secs(from))
            && self.until.is_none_or(|until| at < Duration::from_secs(until))
            && self.sender.as_deref().is_none_or(|only| only == sender)
            && self.names(asked)
    }

    fn names(&self, asked: &Asked) -> bool {
        match self.call.split_once(':') {
            Some((service, operation)) => {
                (service == "*" || service == asked.service)
                    && (operation == "*" || operation == asked.operation)
            }
            None => self.call == "*",
        }
    }
}
