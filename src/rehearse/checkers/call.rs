//! Parses what a call requests: the checkers' own reading of the wire format.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cutover_lab::transport::WatchEvent;
use cutover_lab::world::elapsed;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A call that arrived and was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The sender's name.
    pub sender: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// The AWS service, or the lab's own.
    pub service: String,
    /// The operation's name.
    pub operation: String,
    /// Whether the world answered with success. The answer may still be lost on its way.
    pub done: bool,
    /// The HTTP status of the answer.
    pub status: u16,
    /// When the answer reached its sender; `None` if it came after the timeout, or never.
    pub answered: Option<Timestamp>,
    /// The input's scalars by their names on the wire (`Actions.member.1.Type`; in JSON, members of
    /// the input itself). Empty for reads, apart from the few whose input matters.
    fields: BTreeMap<String, String>,
}

/// The prefix of every deployer's sender name.
pub(super) const RUN: &str = "run-";

/// How long one attempt waits for its answer (DESIGN.md §4).
pub(super) const ATTEMPT: Duration = Duration::from_secs(5);

/// Reads whose input says what they read.
const TELLING: &[&str] = &[
    "GetParameter",
    "GetParameters",
    "GetParametersByPath",
    "DescribeTargetHealth",
    "DescribeLaunchTemplateVersions",
];

impl Call {
    /// Parses a moment that is a call; returns `None` for an event.
    pub(super) fn of(moment: &WatchEvent<'_>) -> Option<Call> {
        let WatchEvent::Call { sender, sent, replied, service, operation, request, status } =
            moment
        else {
            return None;
        };
        let looked_at = !is_read(operation) || TELLING.contains(operation);
        Some(Call {
            sender: (*sender).to_owned(),
            sent: *sent,
            service: (*service).to_owned(),
            operation: (*operation).to_owned(),
            done: (200..300).contains(status),
            status: *status,
            answered: replied.filter(|replied| elapsed(*sent, *replied) <= ATTEMPT),
            fields: if looked_at { fields(request.body()) } else { BTreeMap::new() },
        })
    }

    /// Whether the operation changes nothing.
    pub(super) fn is_read(&self) -> bool {
        is_read(&self.operation)
    }

    /// Whether a deployer's process sent it.
    pub(super) fn is_run(&self) -> bool {
        self.sender.starts_with(RUN)
    }

    /// Whether its sender knows that it succeeded.
    pub(super) fn is_known(&self) -> bool {
        self.done && self.answered.is_some()
    }

    /// Returns a scalar of the input.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Returns a number of the input.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.parse().ok()
    }

    /// Returns the names of all scalars of the input.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Returns the elements of a list of scalars.
    pub(super) fn list<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c str> {
        let of_list = move |key: &str| key.strip_prefix(name).is_some_and(|k| k.starts_with('.'));
        self.fields.iter().filter(move |(key, _)| of_list(key)).map(|(_, value)| value.as_str())
    }

    /// Returns the Auto Scaling group that it names.
    pub(super) fn group(&self) -> Option<&str> {
        self.field("AutoScalingGroupName")
    }

    /// Returns the launch template, by ID or name, and the version that an instance refresh
    /// requests.
    pub(super) fn launches(&self) -> Option<(&str, &str)> {
        const PLACES: [&str; 2] = [
            "DesiredConfiguration.LaunchTemplate",
            "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification",
        ];
        PLACES.iter().find_map(|place| {
            let member = |name: &str| self.field(&format!("{place}.{name}"));
            let template = member("LaunchTemplateId").or(member("LaunchTemplateName"))?;
            Some((template, member("Version")?))
        })
    }

    /// Returns the ARN of the rule or listener that it names.
    pub(super) fn rule(&self) -> Option<&str> {
        self.field("RuleArn").or(self.field("ListenerArn"))
    }
}

/// Recognizes a read by AWS's naming, which no request to the registry or the token endpoint
/// follows.
fn is_read(operation: &str) -> bool {
    ["Describe", "Get", "List", "BatchGet", "Head", "BatchCheck"]
        .iter()
        .any(|start| operation.starts_with(start))
}

/// Returns the scalars of a form or of a JSON object; none for any other body.
fn fields(body: &Bytes) -> BTreeMap<String, String> {
    if body.first() == Some(&b'{') {
        let mut found = BTreeMap::new();
        if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
            for (name, value) in &members {
                flatten(name.clone(), value, &mut found);
            }
        }
        return found;
    }
    let Ok(text) = std::str::from_utf8(body) else { return BTreeMap::new() };
    let plain =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (plain(k), plain(v)))
        .collect()
}

fn flatten(name: String, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                flatten(format!("{name}.{key}"), value, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                flatten(format!("{name}.{}", index + 1), value, into);
            }
        }
        Value::String(text) => {
            into.insert(name, text.clone());
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            into.insert(name, value.to_string());
        }
    }
}
