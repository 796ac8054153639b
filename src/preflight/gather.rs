//! Reads the facts from AWS.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, GroupFacts};
use super::selection::{live_color, select_rules};
use cutover_aws::{Aws, AwsError, TemplateFacts};
use cutover_config::{Config, Fleet};
use cutover_rollout::AlarmState;
use cutover_rollout::model::{Color, Group, PerColor, Repository, Rule, TargetGroup};

/// Below this number, the highest version number is used as an upper bound instead of counting versions.
const WORTH_COUNTING: u64 = 9_000;

/// Reads all facts for [`super::findings`]. `repositories` are those of the image; `unfinished` says what an unfinished
/// rollout of the service was doing.
///
/// # Errors
/// If a request fails. A missing resource is a fact, not an error.
pub async fn gather(
    cloud: &Aws,
    config: &Config,
    repositories: &[Repository],
    unfinished: Option<String>,
) -> Result<Facts, AwsError> {
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

async fn groups(cloud: &Aws, config: &Config) -> Result<BTreeMap<String, GroupFacts>, AwsError> {
    let mut facts = BTreeMap::new();
    for group in cloud.groups(&config.groups()).await? {
        let refreshes = cloud.refreshes(&group.name).await?;
        let scheduled = cloud.scheduled_actions(&group.name).await?;
        facts.insert(group.name.clone(), GroupFacts { group, refreshes, scheduled });
    }
    Ok(facts)
}

/// Returns the configured target groups; those attached to a single group if none is configured.
async fn target_groups(
    cloud: &Aws,
    config: &Config,
    groups: &BTreeMap<String, GroupFacts>,
) -> Result<BTreeMap<String, TargetGroup>, AwsError> {
    let names: Vec<&str> = match &config.fleet {
        Fleet::Pair(pair) => Color::BOTH.map(|c| pair[c].target_group.as_str()).to_vec(),
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

/// Returns the configured launch template, or the one that the first group uses.
async fn template(
    cloud: &Aws,
    config: &Config,
    groups: &BTreeMap<String, GroupFacts>,
) -> Result<Option<TemplateFacts>, AwsError> {
    let used = groups.values().find_map(|facts| facts.group.source.template());
    match config.template.name.as_ref().or(used.map(|template| &template.name)) {
        Some(name) => cloud.template(name).await,
        None => Ok(None),
    }
}

/// Returns the version number that the live group launches from; the highest of both groups if it is not known which
/// one is live.
fn live_version(config: &Config, facts: &Facts, template: &TemplateFacts) -> Option<u64> {
    let number = |group: &Group| {
        let used = group.source.template().filter(|used| used.id == template.id)?;
        used.version.number()
    };
    let live = match &config.fleet {
        Fleet::Single(_) => None,
        Fleet::Pair(pair) => {
            let target_group = |color: Color| facts.target_groups.get(&pair[color].target_group);
            let arns = target_group(Color::Blue)
                .zip(target_group(Color::Green))
                .map(|(blue, green)| PerColor { blue: &*blue.arn, green: &*green.arn });
            arns.and_then(|arns| configured_live_color(config, &facts.rules, arns))
                .and_then(|color| facts.groups.get(&pair[color].group))
        }
    };
    match live {
        Some(facts) => number(&facts.group),
        None => facts.groups.values().filter_map(|facts| number(&facts.group)).max(),
    }
}

fn configured_live_color(config: &Config, rules: &[Rule], arns: PerColor<&str>) -> Option<Color> {
    live_color(rules, &select_rules(&config.traffic, rules, arns).traffic_rules, arns)
}

/// Returns the repositories that do not exist. Checks only those in the account's own registry.
async fn missing(cloud: &Aws, repositories: &[Repository]) -> Result<Vec<Repository>, AwsError> {
    let mut missing = Vec::new();
    for repository in repositories.iter().filter(|repository| cloud.owns(repository)) {
        if cloud.repository(repository.path()).await?.is_none() {
            missing.push(repository.clone());
        }
    }
    Ok(missing)
}

async fn alarms(cloud: &Aws, config: &Config) -> Result<BTreeMap<String, AlarmState>, AwsError> {
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
