//! Lifecycle policies: rules that expire images, carried out on the lab's clock.

mod policy;
mod preview;
mod select;

use jiff::Timestamp;

use super::errors::{lacking, need};
use super::{Event, about, repository, settings_mut};
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::{Event as WorldEvent, World, later};

pub(super) use preview::{get as get_preview, start as start_preview};

/// What a repository has of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lifecycle {
    policy: Option<Policy>,
    preview: Option<preview::Preview>,
    /// How many policies there have been.
    generation: u64,
}

#[derive(Debug, Clone)]
struct Policy {
    text: String,
    rules: Vec<policy::Rule>,
    /// When it was last carried out; not yet at first.
    evaluated: Option<Timestamp>,
}

/// `PutLifecyclePolicy`: from now on it is carried out every so often (a guess within the user guide's
/// 24 hours; see `Params::lifecycle_run`).
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    repository(world, input)?;
    let text = need(input, "lifecyclePolicyText")?;
    let rules = policy::read(text, world.ecr.quotas.lifecycle_rules)?;
    set(world, need(input, "repositoryName")?, text, rules);
    let (name, _) = repository(world, input)?;
    Ok(about(world, name).with("lifecyclePolicyText", text))
}

/// Gives a repository a policy that was checked before, as a creation template does.
pub(super) fn adopt(world: &mut World, name: &str, text: &str) {
    if let Ok(rules) = policy::read(text, world.ecr.quotas.lifecycle_rules) {
        set(world, name, text, rules);
    }
}

/// Refuses a text that is no policy.
pub(super) fn check(world: &World, text: &str) -> ApiResult<()> {
    policy::read(text, world.ecr.quotas.lifecycle_rules).map(|_| ())
}

fn set(world: &mut World, name: &str, text: &str, rules: Vec<policy::Rule>) {
    let settings = world.ecr.settings.entry(name.to_owned()).or_default();
    settings.lifecycle.generation += 1;
    let policy = settings.lifecycle.generation;
    settings.lifecycle.policy = Some(Policy { text: text.to_owned(), rules, evaluated: None });
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

fn described(world: &World, name: &str, policy: &Policy) -> Value {
    about(world, name)
        .with("lifecyclePolicyText", policy.text.as_str())
        .with("lastEvaluatedAt", policy.evaluated)
}

fn no_policy(world: &World, name: &str) -> ApiError {
    lacking("LifecyclePolicyNotFoundException", "Lifecycle policy", world, name)
}

fn schedule(world: &mut World, repository: &str, policy: u64) {
    let at = later(world.now, world.params.lifecycle_run);
    let event = Event::Lifecycle { repository: repository.to_owned(), policy };
    world.queue.push(at, WorldEvent::Ecr(event));
}

/// Expires what the policy says, and comes back later; a policy that was replaced, or whose repository
/// is gone, ends here.
pub(super) fn run(world: &mut World, name: &str, policy: u64) {
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
