//! The calls of operators, which are answered like those of any other client.

use serde_json::Value as Json;

use super::client;
use crate::faults::OperatorCall;
use crate::wire::Operation;
use crate::world::World;

/// Makes one call with full permissions in the account.
pub(super) fn act(world: &mut World, call: &str, input: &Json) {
    let input = resolved(world, input);
    let request = client::request(&world.region, call, &input);
    let response = world.answer(&request);
    let (at, asked) = (world.now, Operation::of(&request));
    let status = response.status().as_u16();
    let answer = response.into_body();
    world.faults.operator_calls.push(OperatorCall {
        at,
        operation: asked,
        request,
        status,
        body: answer,
    });
}

/// Returns the input with every `${kind:name}` replaced by the identifier of what it names. An unknown
/// name stays, for AWS to refuse.
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

/// Returns the ARN, or instance ID, behind a simpler name.
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
