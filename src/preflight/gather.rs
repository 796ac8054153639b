//! Reads the facts: a few calls, most of them for several things at once.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, GroupFacts};
use super::selection::{live, select};
use crate::cloud::{Cloud, CloudError, TemplateFacts};
use crate::config::{Config, Fleet};
use crate::model::{Colour, Group, PerColour, Repository, Rule, TargetGroup};
use crate::rollout::AlarmState;

/// A template with fewer versions than this is not counted: its highest number will do.
const WORTH_COUNTING: u64 = 9_000;

/// Reads everything that [`super::findings`] judges. `repositories` are those that the image is in, or
/// is to be in; `unfinished` says what an unfinished rollout of the service was doing.
///
/// # Errors
/// Where AWS does not answer. What does not exist is no error, but a fact.
pub async fn gather(
    cloud: &Cloud,
    config: &Config,
    repositories: &[Repository],
    unfinished: Option<String>,
) -> Result<Facts, CloudError> {
    let groups = groups(cloud, config).await?;
    let target_groups = target_groups(cloud, config, &groups).await?;
    let balancers: BTreeSet<&str> = target_groups
        .values()
        .flat_map(|group| &group.load_balancers)
        .map(String::as_str)
        .collect();
    let balancers: Vec<&str> = balancers.into_iter().collect();
    let load_balancers =
        if balancers.is_empty() { Vec::new() } else { cloud.load_balancers(&balancers).await? };
    let mut listeners = Vec::new();
    let mut rules = Vec::new();
    for balancer in &load_balancers {
        listeners.extend(cloud.listeners(&balancer.arn).await?);
        rules.extend(cloud.rules_of(&balancer.arn).await?.into_iter().map(|found| found.rule));
    }
    let template = template(cloud, config, &groups).await?;
    let mut facts = Facts {
        now: cloud.now(),
        account: cloud.identity().account.clone(),
        groups,
        target_groups,
        load_balancers,
        listeners,
        rules,
        versions: template.as_ref().map_or(0, |template| template.latest),
        template: None,
        live: None,
        users: Vec::new(),
        missing_repositories: missing(cloud, repositories).await?,
        alarms: alarms(cloud, config).await?,
        unfinished,
    };
    if let Some(template) = template {
        facts.users = cloud.groups_using_template(&template.id).await?;
        if facts.versions >= WORTH_COUNTING {
            facts.versions = cloud.versions(&template.id).await?.len() as u64;
        }
        if let Some(number) = live_version(config, &facts, &template) {
            facts.live = cloud.version(&template.id, number).await?;
        }
        facts.template = Some(template);
    }
    Ok(facts)
}

async fn groups(
    cloud: &Cloud,
    config: &Config,
) -> Result<BTreeMap<String, GroupFacts>, CloudError> {
    let mut facts = BTreeMap::new();
    for group in cloud.groups(&config.groups()).await? {
        let refreshes = cloud.refreshes(&group.name).await?;
        let scheduled = cloud.scheduled_actions(&group.name).await?;
        facts.insert(group.name.clone(), GroupFacts { group, refreshes, scheduled });
    }
    Ok(facts)
}

/// The configured target groups, or those attached to a single group whose isn't configured.
async fn target_groups(
    cloud: &Cloud,
    config: &Config,
    groups: &BTreeMap<String, GroupFacts>,
) -> Result<BTreeMap<String, TargetGroup>, CloudError> {
    let names: Vec<&str> = match &config.fleet {
        Fleet::Pair(pair) => Colour::BOTH.map(|c| pair[c].target_group.as_str()).to_vec(),
        Fleet::Single(sole) => match &sole.target_group {
            Some(name) => vec![name],
            None => groups
                .values()
                .flat_map(|facts| &facts.group.target_groups)
                // `…:targetgroup/name/id` (user guide).
                .filter_map(|arn| arn.split('/').nth(1))
                .collect(),
        },
    };
    let found = cloud.target_groups_by_name(&names).await?;
    Ok(found.into_iter().map(|group| (group.name.clone(), group)).collect())
}

/// The configured template, or the one that the first group launches from.
async fn template(
    cloud: &Cloud,
    config: &Config,
    groups: &BTreeMap<String, GroupFacts>,
) -> Result<Option<TemplateFacts>, CloudError> {
    let used = groups.values().find_map(|facts| facts.group.source.template());
    match config.template.name.as_ref().or(used.map(|template| &template.name)) {
        Some(name) => cloud.template(name).await,
        None => Ok(None),
    }
}

/// The number that the live group launches from; the highest of both where it isn't known which
/// one is live.
fn live_version(config: &Config, facts: &Facts, template: &TemplateFacts) -> Option<u64> {
    let number = |group: &Group| {
        let used = group.source.template().filter(|used| used.id == template.id)?;
        used.version.number()
    };
    let live = match &config.fleet {
        Fleet::Single(_) => None,
        Fleet::Pair(pair) => {
            let target_group = |colour: Colour| facts.target_groups.get(&pair[colour].target_group);
            let arns = target_group(Colour::Blue)
                .zip(target_group(Colour::Green))
                .map(|(blue, green)| PerColour { blue: &*blue.arn, green: &*green.arn });
            arns.and_then(|arns| live_colour(config, &facts.rules, arns))
                .and_then(|colour| facts.groups.get(&pair[colour].group))
        }
    };
    match live {
        Some(facts) => number(&facts.group),
        None => facts.groups.values().filter_map(|facts| number(&facts.group)).max(),
    }
}

fn live_colour(config: &Config, rules: &[Rule], arns: PerColour<&str>) -> Option<Colour> {
    live(rules, &select(&config.traffic, rules, arns).moving, arns)
}

/// Only those of the account's own registry can be asked for.
async fn missing(
    cloud: &Cloud,
    repositories: &[Repository],
) -> Result<Vec<Repository>, CloudError> {
    let mut missing = Vec::new();
    for repository in repositories.iter().filter(|repository| cloud.owns(repository)) {
        if cloud.repository(repository.path()).await?.is_none() {
            missing.push(repository.clone());
        }
    }
    Ok(missing)
}

async fn alarms(
    cloud: &Cloud,
    config: &Config,
) -> Result<BTreeMap<String, AlarmState>, CloudError> {
    let names: Vec<&str> = config.judge.alarms.iter().map(String::as_str).collect();
    let states = cloud.alarms(&names).await?;
    Ok(states
        .into_iter()
        .map(|(name, state)| {
            let state = match state.as_str() {
                "OK" => AlarmState::Ok,
                "ALARM" => AlarmState::Alarm,
                _ => AlarmState::InsufficientData,
            };
            (name, state)
        })
        .collect())
}
