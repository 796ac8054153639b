//! Listener rules. A listener's default actions are a rule too, one without a priority.

use std::collections::BTreeMap;

use super::action::Action;
use super::conditions::{self, Condition};
use super::errors::{listener_not_found, rule_not_found, validation};
use super::rule::Rule;
use super::{actions, find, health, paging, propagation, quotas, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The specification of a new rule.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    /// The ARN of the listener.
    pub listener: String,
    /// 1 to 50000, not yet used on that listener.
    pub priority: u32,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// The actions of the new rule.
    pub actions: Vec<Action>,
    /// The last part of the ARN, 16 hexadecimal digits; generated if absent.
    pub suffix: Option<String>,
}

/// Creates a rule and returns its ARN. Errors: ListenerNotFound, PriorityInUse, TooManyRules, and those of
/// associating target groups.
pub fn create_rule(world: &mut World, spec: RuleSpec) -> ApiResult<String> {
    let listener = find::listener(world, &spec.listener)?;
    let load_balancer = listener.load_balancer.clone();
    let arn = format!(
        "{}/{}",
        spec.listener.replacen(":listener/", ":listener-rule/", 1),
        spec.suffix.unwrap_or_else(|| world.ids.hex16())
    );
    let of_listener = || world.elbv2.rules.values().filter(|r| r.listener == spec.listener);
    if of_listener().any(|r| r.priority == Some(spec.priority)) {
        return Err(priority_in_use(spec.priority));
    }
    let of_balancer = world.elbv2.rules.values().filter(|r| r.load_balancer == load_balancer);
    if of_balancer.filter(|r| r.priority.is_some()).count() >= quotas::RULES {
        return Err(ApiError::sender(
            "TooManyRules",
            "The maximum number of rules on this load balancer has been reached",
        ));
    }
    let rule = Rule {
        arn: arn.clone(),
        listener: spec.listener,
        load_balancer,
        priority: Some(spec.priority),
        conditions: spec.conditions,
        actions: spec.actions,
    };
    put(world, rule)?;
    Ok(arn)
}

/// Stores a new or changed rule, propagates it to the nodes, and updates which target groups are in use. Errors:
/// TargetGroupAssociationLimit, TooManyUniqueTargetGroupsPerLoadBalancer.
pub(super) fn put(world: &mut World, rule: Rule) -> ApiResult<()> {
    check_association(world, &rule)?;
    let (arn, load_balancer) = (rule.arn.clone(), rule.load_balancer.clone());
    let mut touched: Vec<String> = rule.groups().map(str::to_owned).collect();
    if let Some(before) = world.elbv2.rules.insert(arn.clone(), rule) {
        touched.extend(before.groups().map(str::to_owned));
    }
    propagation::propagate(world, &load_balancer, &arn);
    touched.iter().for_each(|group| health::update_usage(world, group));
    Ok(())
}

/// Checks that a rule's target groups belong to no other load balancer, and that the load balancer doesn't exceed
/// its quota of target groups.
fn check_association(world: &World, rule: &Rule) -> ApiResult<()> {
    let others = || world.elbv2.rules.values().filter(|r| r.arn != rule.arn);
    for group in rule.groups() {
        let elsewhere =
            |r: &&Rule| r.load_balancer != rule.load_balancer && r.groups().any(|g| g == group);
        if others().any(|r| elsewhere(&r)) {
            return Err(ApiError::sender(
                "TargetGroupAssociationLimit",
                format!(
                    "The following target groups cannot be associated with more than one load balancer: {group}"
                ),
            ));
        }
    }
    let own = others().filter(|r| r.load_balancer == rule.load_balancer);
    let mut groups: Vec<&str> = own.flat_map(Rule::groups).chain(rule.groups()).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > quotas::GROUPS_OF_RULES {
        return Err(ApiError::sender(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            "The maximum number of unique target groups per load balancer has been reached",
        ));
    }
    Ok(())
}

/// `CreateRule`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let spec = RuleSpec {
        listener: input.need_str("ListenerArn")?.to_owned(),
        priority: read_priority(input)?,
        conditions: conditions::read(input.list("Conditions"))?,
        actions: actions::read(world, input.list("Actions"), &[])?,
        suffix: None,
    };
    let given = tags::read(input.list("Tags"))?;
    let arn = create_rule(world, spec)?;
    tags::store(world, &arn, given);
    answer(world, &arn)
}

/// `DescribeRules`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = input.strings("RuleArns");
    let mut rules: Vec<&Rule> = match (input.str("ListenerArn"), arns.is_empty()) {
        (Some(listener), true) => {
            find::listener(world, listener)?;
            world.elbv2.rules.values().filter(|r| r.listener == listener).collect()
        }
        (None, false) => arns.iter().map(|arn| find(world, arn)).collect::<ApiResult<_>>()?,
        _ => return Err(validation("Specify either a listener ARN or rule ARNs")),
    };
    rules.sort_by_key(|r| (r.listener.clone(), r.priority.unwrap_or(u32::MAX)));
    let written = rules.into_iter().map(write).collect();
    paging::page("Rules", written, input)
}

/// `ModifyRule`: the given conditions or actions replace the existing ones as a whole. There is no version to
/// compare: the last writer wins.
pub(super) fn modify(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("RuleArn")?;
    let mut rule = find(world, arn)?.clone();
    if rule.priority.is_none() {
        return Err(not_permitted(format!("Default rule '{arn}' cannot be modified")));
    }
    if input.get("Conditions").is_null() && input.get("Actions").is_null() {
        return Err(validation("Either conditions or actions must be specified"));
    }
    if !input.get("Conditions").is_null() {
        rule.conditions = conditions::read(input.list("Conditions"))?;
    }
    if !input.get("Actions").is_null() {
        rule.actions = actions::read(world, input.list("Actions"), &rule.actions)?;
    }
    put(world, rule)?;
    answer(world, arn)
}

/// `DeleteRule`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("RuleArn")?;
    if find(world, arn)?.priority.is_none() {
        return Err(not_permitted(format!("Default rule '{arn}' cannot be deleted")));
    }
    remove(world, arn);
    world.elbv2.remove_orphaned_tags();
    Ok(map([]))
}

/// Deletes a rule; the change is propagated to the nodes.
pub(super) fn remove(world: &mut World, arn: &str) {
    if let Some(rule) = world.elbv2.rules.remove(arn) {
        propagation::propagate(world, &rule.load_balancer, arn);
        rule.groups().for_each(|group| health::update_usage(world, group));
    }
}

/// `SetRulePriorities`: sets all priorities at once, so that rules can swap theirs.
pub(super) fn set_priorities(world: &mut World, input: &Value) -> ApiResult<Value> {
    let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
    for pair in input.list("RulePriorities") {
        let arn = pair.need_str("RuleArn")?;
        let rule = find(world, arn)?;
        if rule.priority.is_none() {
            return Err(not_permitted(format!(
                "The priority of default rule '{arn}' cannot be set"
            )));
        }
        let priority = read_priority(pair)?;
        if wanted.insert(arn.to_owned(), priority).is_some() {
            return Err(validation(format!("Rule '{arn}' was provided multiple times")));
        }
        let twice = wanted.iter().any(|(other, taken)| {
            let listener = world.elbv2.rules.get(other).map(|rule| &rule.listener);
            other != arn && *taken == priority && listener == Some(&rule.listener)
        });
        if twice {
            return Err(validation(format!("Priority '{priority}' was provided multiple times")));
        }
    }
    if wanted.is_empty() {
        return Err(validation("Rule priorities cannot be empty"));
    }
    for (arn, priority) in &wanted {
        let listener = &find(world, arn)?.listener;
        let mut others = world.elbv2.rules.values().filter(|rule| rule.listener == *listener);
        let taken =
            |rule: &Rule| !wanted.contains_key(&rule.arn) && rule.priority == Some(*priority);
        if others.any(taken) {
            return Err(priority_in_use(*priority));
        }
    }
    let mut written = Vec::new();
    for (arn, priority) in wanted {
        let mut rule = find(world, &arn)?.clone();
        rule.priority = Some(priority);
        put(world, rule)?;
        written.push(write(find(world, &arn)?));
    }
    Ok(map([("Rules", written.into())]))
}

fn read_priority(input: &Value) -> ApiResult<u32> {
    let priority = input.int("Priority").filter(|p| (1..=50_000).contains(p));
    let priority = priority.and_then(|p| u32::try_from(p).ok());
    priority.ok_or_else(|| validation("Priority must be between 1 and 50000"))
}

fn priority_in_use(priority: u32) -> ApiError {
    ApiError::sender("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

/// Returns the rule with this ARN, or RuleNotFound.
fn find<'w>(world: &'w World, arn: &str) -> ApiResult<&'w Rule> {
    if arn.contains(":listener/") {
        return Err(listener_not_found(arn));
    }
    world.elbv2.rules.get(arn).ok_or_else(|| rule_not_found(arn))
}

fn not_permitted(message: String) -> ApiError {
    ApiError::sender("OperationNotPermitted", message)
}

fn answer(world: &World, arn: &str) -> ApiResult<Value> {
    Ok(map([("Rules", vec![write(find(world, arn)?)].into())]))
}

fn write(rule: &Rule) -> Value {
    let priority = rule.priority.map_or_else(|| "default".to_owned(), |p| p.to_string());
    map([
        ("RuleArn", rule.arn.as_str().into()),
        ("Priority", priority.into()),
        ("Conditions", conditions::write(&rule.conditions)),
        ("Actions", actions::write(&rule.actions)),
        ("IsDefault", rule.priority.is_none().into()),
    ])
}
