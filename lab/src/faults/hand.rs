//! Other hands in the account: a person at a console, another tool.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::client;
use crate::wire::Asked;
use crate::world::World;

/// The sender that calls of other hands are attributed to.
pub const HAND: &str = "hand";

/// What another hand did.
#[derive(Debug, Clone)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// The call.
    pub asked: Asked,
    /// The call as it was sent.
    pub request: Request<Bytes>,
    /// The HTTP status of the answer: a hand may be refused, too.
    pub status: u16,
    /// The answer.
    pub answer: Bytes,
}

/// Makes one call with all rights in the account.
pub(super) fn act(world: &mut World, call: &str, input: &Json) {
    let input = resolved(world, input);
    let request = client::request(&world.region, call, &input);
    let response = world.answer(&request);
    let (at, asked) = (world.now, Asked::of(&request));
    let status = response.status().as_u16();
    let answer = response.into_body();
    world.faults.hands.push(Done { at, asked, request, status, answer });
}

/// The same input with every `${kind:name}` replaced by what it names; what names nothing stays, for
/// AWS to refuse.
fn resolved(world: &World, input: &Json) -> Json {
    match input {
        Json::String(text) => {
            let named = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            let found = named
                .and_then(|named| named.split_once(':'))
                .and_then(|(kind, name)| identifier(world, kind, name));
            Json::String(found.unwrap_or_else(|| text.clone()))
        }
        Json::Array(items) => items.iter().map(|item| resolved(world, item)).collect(),
        Json::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), resolved(world, value))).collect()
        }
        other => other.clone(),
    }
}

/// The ARN, or instance id, of what goes by a simpler name.
fn identifier(world: &World, kind: &str, name: &str) -> Option<String> {
    let elb = &world.elbv2;
    match kind {
        "target_group" => {
            elb.target_groups.values().find(|group| group.name == name).map(|g| g.arn.clone())
        }
        "load_balancer" => {
            elb.load_balancers.values().find(|b| b.name == name).map(|b| b.arn.clone())
        }
        "listener" => {
            elb.listeners.values().find(|l| l.port.to_string() == name).map(|l| l.arn.clone())
        }
        "rule" => {
            let has = |priority: Option<u32>| priority.is_some_and(|p| p.to_string() == name);
            elb.rules.values().find(|rule| has(rule.priority)).map(|rule| rule.arn.clone())
        }
        "instance" => world.autoscaling.groups.get(name)?.members.keys().next().cloned(),
        _ => None,
    }
}
