//! Parses lifecycle policies (user guide, "Lifecycle policy properties in Amazon ECR").

use serde_json::Value as Json;

use super::super::errors::not_found;
use super::rule::{CountType, LifecycleRule, TagSelection};
use crate::services::ecr::errors::{invalid_parameter, limit};
use crate::wire::{ApiError, ApiResult};
use crate::world::World;

/// The longest policy text (API model).
const TEXT_LIMIT: usize = 30_720;

/// The most wildcards in a pattern (user guide).
const WILDCARDS: usize = 4;

/// Parses a policy's rules and sorts them by priority. Transitions to the archive are not supported.
pub(super) fn read(text: &str, most: usize) -> ApiResult<Vec<LifecycleRule>> {
    if !(1..=TEXT_LIMIT).contains(&text.len()) {
        let rule = format!("Member must have length less than or equal to {TEXT_LIMIT}");
        return Err(invalid_parameter("lifecyclePolicyText", &rule));
    }
    let json: Json = serde_json::from_str(text)
        .ok()
        .filter(Json::is_object)
        .ok_or_else(|| failure("Could not map policyString into LifecyclePolicy."))?;
    let rules = json["rules"].as_array().filter(|rules| !rules.is_empty());
    let rules =
        rules.ok_or_else(|| failure("object has missing required properties ([\"rules\"])"))?;
    if rules.len() > most {
        return Err(limit(format!("A lifecycle policy can have at most {most} rules")));
    }
    let mut rules = rules.iter().map(rule).collect::<ApiResult<Vec<LifecycleRule>>>()?;
    rules.sort_by_key(|rule| rule.priority);
    if rules.windows(2).any(|pair| pair[0].priority == pair[1].priority) {
        return Err(failure("rulePriority must be unique"));
    }
    let last = rules.iter().rposition(|rule| rule.tags != TagSelection::Any);
    let any = rules.iter().position(|rule| rule.tags == TagSelection::Any);
    if any.is_some_and(|any| last.is_some_and(|last| any < last)) {
        return Err(failure(
            "a rule with tagStatus any must have the highest rulePriority and be evaluated last",
        ));
    }
    Ok(rules)
}

fn rule(json: &Json) -> ApiResult<LifecycleRule> {
    check_members(json, &["rulePriority", "selection", "action"], &["description"])?;
    let (selection, action) = (&json["selection"], &json["action"]);
    check_members(action, &["type"], &[])?;
    if action["type"] != "expire" {
        return Err(failure(&format!(
            "instance value ({}) not found in enum (possible values: [\"expire\"])",
            action["type"]
        )));
    }
    let optional = ["tagPatternList", "tagPrefixList", "countUnit"];
    check_members(selection, &["tagStatus", "countType", "countNumber"], &optional)?;
    let priority = json["rulePriority"].as_i64().filter(|priority| *priority >= 1);
    let priority =
        priority.ok_or_else(|| failure("rulePriority must be an integer of at least 1"))?;
    Ok(LifecycleRule { priority, tags: tags(selection)?, count: count(selection)? })
}

fn tags(selection: &Json) -> ApiResult<TagSelection> {
    let lists = (&selection["tagPatternList"], &selection["tagPrefixList"]);
    let status = selection["tagStatus"].as_str().unwrap_or_default();
    let patterns: Vec<String> = match (status, lists) {
        ("any" | "untagged", (Json::Null, Json::Null)) if status == "any" => {
            return Ok(TagSelection::Any);
        }
        ("any" | "untagged", (Json::Null, Json::Null)) => return Ok(TagSelection::Untagged),
        ("any" | "untagged", _) => {
            return Err(failure("tagPatternList and tagPrefixList require tagStatus tagged"));
        }
        ("tagged", (Json::Array(patterns), Json::Null)) => texts(patterns).collect(),
        ("tagged", (Json::Null, Json::Array(prefixes))) => {
            texts(prefixes).map(|prefix| format!("{prefix}*")).collect()
        }
        ("tagged", _) => {
            return Err(failure(
                "tagStatus tagged requires either tagPatternList or tagPrefixList",
            ));
        }
        _ => {
            return Err(failure(&format!(
                "instance value ({}) not found in enum (possible values: [\"any\",\"tagged\",\
                 \"untagged\"])",
                selection["tagStatus"]
            )));
        }
    };
    if patterns.is_empty() || patterns.iter().any(|p| p.matches('*').count() > WILDCARDS) {
        return Err(failure("tagPatternList must have patterns of at most four wildcards each"));
    }
    Ok(TagSelection::Patterns(patterns))
}

fn texts(list: &[Json]) -> impl Iterator<Item = String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned))
}

fn count(selection: &Json) -> ApiResult<CountType> {
    let number = selection["countNumber"].as_i64().filter(|number| *number >= 1);
    let number = number.ok_or_else(|| {
        failure("numeric instance is lower than the required minimum (minimum: 1)")
    })?;
    let days = selection["countUnit"] == "days";
    match selection["countType"].as_str().unwrap_or_default() {
        "imageCountMoreThan" if selection["countUnit"].is_null() => {
            Ok(CountType::MoreThan(usize::try_from(number).unwrap_or(usize::MAX)))
        }
        "sinceImagePushed" if days => Ok(CountType::DaysSincePushed(number)),
        "sinceImagePulled" if days => Ok(CountType::DaysSincePulled(number)),
        _ => Err(failure("instance failed to match exactly one schema (matched 0 out of 2)")),
    }
}

/// Fails if an object lacks a required member or has an unknown one.
fn check_members(json: &Json, required: &[&str], optional: &[&str]) -> ApiResult<()> {
    let members = json.as_object().ok_or_else(|| failure("instance must be an object"))?;
    if let Some(missing) = required.iter().find(|name| !members.contains_key(**name)) {
        return Err(failure(&format!("object has missing required properties ([\"{missing}\"])")));
    }
    let strange = members
        .keys()
        .find(|name| !required.contains(&name.as_str()) && !optional.contains(&name.as_str()));
    match strange {
        None => Ok(()),
        Some(name) => Err(failure(&format!(
            "object instance has properties which are not allowed by the schema: ([\"{name}\"])"
        ))),
    }
}

fn failure(why: &str) -> ApiError {
    invalid_parameter("LifecyclePolicyText", &format!("Lifecycle policy validation failure: {why}"))
}

pub(super) fn no_policy(world: &World, name: &str) -> ApiError {
    not_found("LifecyclePolicyNotFoundException", "Lifecycle policy", world, name)
}
