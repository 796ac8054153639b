//! Lifecycle policies: rules that expire images, applied by the lab's clock.

mod policy;
mod preview;
pub(super) mod repository_lifecycle;
mod rule;
mod select;

use super::errors::need;
use super::request::{repository, response_for, settings_mut};
use super::state::Event;
use crate::wire::{ApiResult, Value};
use crate::world::{Event as WorldEvent, World, later};
use policy::no_policy;
use repository_lifecycle::LifecyclePolicy;
use rule::LifecycleRule;

pub(super) use preview::{get as get_preview, start as start_preview};

/// `PutLifecyclePolicy`: the policy is applied regularly from now on (the interval, `Params::lifecycle_run`, is
/// a guess within the user guide's 24 hours).
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    repository(world, input)?;
    let text = need(input, "lifecyclePolicyText")?;
    let rules = policy::read(text, world.ecr.quotas.lifecycle_rules)?;
    set(world, need(input, "repositoryName")?, text, rules);
    let (name, _) = repository(world, input)?;
    Ok(response_for(world, name).with("lifecyclePolicyText", text))
}

/// Sets a repository's policy from a creation template, which has checked it before.
pub(super) fn set_from_template(world: &mut World, name: &str, text: &str) {
    if let Ok(rules) = policy::read(text, world.ecr.quotas.lifecycle_rules) {
        set(world, name, text, rules);
    }
}

/// Fails if a text is not a valid policy.
pub(super) fn check(world: &World, text: &str) -> ApiResult<()> {
    policy::read(text, world.ecr.quotas.lifecycle_rules).map(|_| ())
}

fn set(world: &mut World, name: &str, text: &str, rules: Vec<LifecycleRule>) {
    let settings = world.ecr.settings.entry(name.to_owned()).or_default();
    settings.lifecycle.generation += 1;
    let policy = settings.lifecycle.generation;
    settings.lifecycle.policy =
        Some(LifecyclePolicy { text: text.to_owned(), rules, evaluated: None });
    schedule(world, name, policy);
}

pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, _) = repository(world, input)?;
    let found = world.ecr.settings.get(name);
    let policy = found.and_then(|settings| settings.lifecycle.policy.as_ref());
    let policy = policy.ok_or_else(|| no_policy(world, name))?;
    Ok(described(world, name, policy))
}

pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, settings) = settings_mut(world, input)?;
    let policy = settings.lifecycle.policy.take();
    let policy = policy.ok_or_else(|| no_policy(world, name))?;
    Ok(described(world, name, &policy))
}

fn described(world: &World, name: &str, policy: &LifecyclePolicy) -> Value {
    response_for(world, name)
        .with("lifecyclePolicyText", policy.text.as_str())
        .with("lastEvaluatedAt", policy.evaluated)
}

fn schedule(world: &mut World, repository: &str, policy: u64) {
    let at = later(world.now, world.params.lifecycle_run);
    let event = Event::Lifecycle { repository: repository.to_owned(), policy };
    world.queue.push(at, WorldEvent::Ecr(event));
}

/// Applies a policy and schedules its next run. Does nothing if the policy was replaced or deleted, or if the
/// repository no longer exists.
pub(super) fn apply(world: &mut World, name: &str, policy: u64) {
    let now = world.now;
    let Some(repository) = world.registry.ecr.repositories.get_mut(name) else { return };
    let Some(settings) = world.ecr.settings.get_mut(name) else { return };
    let current = settings.lifecycle.generation == policy;
    let Some(rules) = settings.lifecycle.policy.as_mut().filter(|_| current) else { return };
    rules.evaluated = Some(now);
    for expired in select::expired(repository, &rules.rules, now) {
        repository.remove(&expired.digest);
        settings.scans.remove(&expired.digest);
    }
    schedule(world, name, policy);
}
