//! The actions of rules: reading, checking, and formatting them in the service's normal form.

use std::collections::BTreeMap;

use super::action::{Action, ActionKind, Forward};
use super::errors::{target_group_not_found, validation};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most target groups in a forward action (API model).
pub(super) const GROUPS: usize = 5;

/// Reads a list of actions. `existing` is the list that it replaces: an authenticate-oidc action may have
/// `UseExistingClientSecret` only if that list has such an action.
pub(super) fn read(world: &World, input: &[Value], existing: &[Action]) -> ApiResult<Vec<Action>> {
    let actions =
        input.iter().map(|a| read_one(world, a, existing)).collect::<ApiResult<Vec<_>>>()?;
    let last = |a: &Action| {
        matches!(a.kind, ActionKind::Forward(_) | ActionKind::FixedResponse { .. })
            || matches!(&a.kind, ActionKind::Other { name, .. } if name == "redirect")
    };
    let mut sorted: Vec<&Action> = actions.iter().collect();
    sorted.sort_by_key(|a| a.order);
    match sorted.split_last() {
        Some((end, before)) if last(end) && !before.iter().any(|a| last(a)) => Ok(actions),
        _ => Err(ApiError::sender(
            "InvalidLoadBalancerAction",
            "A rule must include exactly one forward, redirect or fixed-response action, and it must be the last action to be performed",
        )),
    }
}

fn read_one(world: &World, input: &Value, existing: &[Action]) -> ApiResult<Action> {
    let kind = match input.need_str("Type")? {
        "forward" => ActionKind::Forward(read_forward(world, input)?),
        "fixed-response" => read_fixed(input.get("FixedResponseConfig"))?,
        name => {
            ActionKind::Other { name: name.to_owned(), config: read_other(name, input, existing)? }
        }
    };
    Ok(Action { order: input.int("Order"), kind })
}

fn read_forward(world: &World, input: &Value) -> ApiResult<Forward> {
    let (single, config) = (input.str("TargetGroupArn"), input.get("ForwardConfig"));
    let mut groups = Vec::new();
    for tuple in config.list("TargetGroups") {
        let weight = tuple.int("Weight").unwrap_or(1);
        if !(0..=999).contains(&weight) {
            return Err(validation(format!("Weight '{weight}' must be between 0 and 999")));
        }
        groups.push((tuple.need_str("TargetGroupArn")?.to_owned(), weight as u32));
    }
    match (single, groups.as_slice()) {
        (Some(arn), []) => groups.push((arn.to_owned(), 1)),
        (Some(arn), [(only, _)]) if arn == only => {}
        (None, [_, ..]) => {}
        (None, []) => return Err(validation("A forward action must specify a target group")),
        (Some(_), _) => {
            return Err(validation(
                "TargetGroupArn and ForwardConfig of a forward action must specify the same single target group",
            ));
        }
    }
    if groups.len() > GROUPS {
        return Err(validation(format!(
            "A forward action can have at most {GROUPS} target groups"
        )));
    }
    for (position, (arn, _)) in groups.iter().enumerate() {
        if !world.elbv2.target_groups.contains_key(arn) {
            return Err(target_group_not_found(arn));
        }
        if groups.iter().take(position).any(|(earlier, _)| earlier == arn) {
            return Err(validation(format!("Target group '{arn}' is specified more than once")));
        }
    }
    let sticky = config.get("TargetGroupStickinessConfig");
    let stickiness = (!sticky.is_null())
        .then(|| (sticky.bool("Enabled").unwrap_or(false), sticky.int("DurationSeconds")));
    match stickiness {
        Some((true, None)) => {
            Err(validation("DurationSeconds must be specified if stickiness is enabled"))
        }
        Some((_, Some(seconds))) if !(1..=604_800).contains(&seconds) => {
            Err(validation("DurationSeconds must be between 1 and 604800"))
        }
        _ => {
            let forward = Forward { groups, stickiness };
            let sticky = |arn: &str| {
                world.elbv2.target_groups.get(arn).is_some_and(|g| is_sticky(&g.attributes))
            };
            if forward.lacks_stickiness(sticky) { Err(needs_stickiness()) } else { Ok(forward) }
        }
    }
}

/// Returns whether a target group has target stickiness (sticky sessions) enabled.
pub(super) fn is_sticky(attributes: &BTreeMap<String, String>) -> bool {
    attributes.get("stickiness.enabled").is_some_and(|enabled| enabled == "true")
}

/// Returns the error for target stickiness without target group stickiness (user guide: with several target
/// groups, the former requires the latter).
pub(super) fn needs_stickiness() -> ApiError {
    ApiError::sender(
        "InvalidConfigurationRequest",
        "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups",
    )
}

fn read_fixed(config: &Value) -> ApiResult<ActionKind> {
    let code = config.need_str("StatusCode")?;
    let status = code.parse().ok().filter(|s| (200..=599).contains(s));
    Ok(ActionKind::FixedResponse {
        status: status.ok_or_else(|| validation(format!("StatusCode '{code}' is not valid")))?,
        content_type: config.str("ContentType").map(str::to_owned),
        body: config.str("MessageBody").map(str::to_owned),
    })
}

/// Reads an action that is only stored. An OIDC client secret is never returned (user guide), so a caller that
/// writes back what it read must set `UseExistingClientSecret`.
fn read_other(name: &str, input: &Value, existing: &[Action]) -> ApiResult<(&'static str, Value)> {
    let member = match name {
        "redirect" => "RedirectConfig",
        "authenticate-oidc" => "AuthenticateOidcConfig",
        "authenticate-cognito" => "AuthenticateCognitoConfig",
        "jwt-validation" => "JwtValidationConfig",
        _ => return Err(validation(format!("'{name}' is not a valid action type"))),
    };
    let Value::Map(mut members) = input.get(member).clone() else {
        return Err(validation(format!("An action of type '{name}' must specify {member}")));
    };
    if name == "authenticate-oidc" {
        let config = input.get(member);
        let keeps = config.bool("UseExistingClientSecret") == Some(true);
        let has = existing.iter().any(
            |a| matches!(&a.kind, ActionKind::Other { name, .. } if name == "authenticate-oidc"),
        );
        if config.str("ClientSecret").is_none() && !(keeps && has) {
            return Err(validation(
                "ClientSecret is required for authenticate-oidc unless UseExistingClientSecret is true and the rule has one",
            ));
        }
        members.retain(|(key, _)| key != "ClientSecret" && key != "UseExistingClientSecret");
    }
    Ok((member, Value::Map(members)))
}

/// Formats actions for responses. A forward to one target group is returned with `TargetGroupArn` and a
/// `ForwardConfig` of weight 1, however it was given (recorded once; for another explicit weight, a guess).
pub(super) fn write(actions: &[Action]) -> Value {
    actions.iter().map(write_one).collect::<Vec<_>>().into()
}

fn write_one(action: &Action) -> Value {
    match &action.kind {
        ActionKind::Forward(forward) => {
            let single = match forward.groups.as_slice() {
                [(arn, _)] => Some(arn.as_str()),
                _ => None,
            };
            let groups = forward.groups.iter().map(|(arn, weight)| {
                let weight = if single.is_some() { 1 } else { *weight };
                map([("TargetGroupArn", arn.as_str().into()), ("Weight", weight.into())])
            });
            let (enabled, seconds) = forward.stickiness.unwrap_or((false, None));
            let sticky = map([("Enabled", enabled.into()), ("DurationSeconds", seconds.into())]);
            let config = map([
                ("TargetGroups", groups.collect::<Vec<_>>().into()),
                ("TargetGroupStickinessConfig", sticky),
            ]);
            map([
                ("Type", "forward".into()),
                ("TargetGroupArn", single.into()),
                ("Order", action.order.into()),
                ("ForwardConfig", config),
            ])
        }
        ActionKind::FixedResponse { status, content_type, body } => {
            let config = map([
                ("MessageBody", body.clone().into()),
                ("StatusCode", status.to_string().into()),
                ("ContentType", content_type.clone().into()),
            ]);
            map([
                ("Type", "fixed-response".into()),
                ("Order", action.order.into()),
                ("FixedResponseConfig", config),
            ])
        }
        ActionKind::Other { name, config: (member, config) } => map([
            ("Type", name.as_str().into()),
            ("Order", action.order.into()),
            (member, config.clone()),
        ]),
    }
}
