//! Makes a plan from the configuration and the account's facts: what to roll out, and where. Pure, except that it
//! reads a user-data file.

use std::collections::BTreeMap;

use crate::preflight::{Facts, Selection, live_color, select_rules};
use crate::runner::{Baseline, RolloutSpec};
use cutover_config::{Config, Fleet, ScaleIn, UserData};
use cutover_rollout::model::{
    Color, FleetFacts, OneGroupFacts, PerColor, RefreshPreferences, RuleFacts, RuleId, SideFacts,
    TargetGroup, TwoGroupsFacts,
};
use cutover_rollout::template;
use cutover_rollout::{OneGroup, Pair, Plan, Shape, Side, Smoke, scheduled_scale_in};

/// Why no plan can be made. Preflight explains all of these better; they remain for callers without it, and for an
/// account that has changed since.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Something does not exist.
    #[error("{0} does not exist")]
    Missing(String),
    /// A group does not launch from a numbered version.
    #[error(
        "`{0}` does not launch from a numbered version of the launch template: run `cutover verify` to see the command that pins it"
    )]
    Unpinned(String),
    /// Neither color has all of the traffic.
    #[error(
        "neither color has all of the traffic, and no record explains it: set the weight of one color to 0 in every rule, then run the same command again"
    )]
    Split,
    /// The user-data file cannot be read.
    #[error("{path}: {cause}")]
    UserData {
        /// Its path.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

/// Makes the plan. `from` is the old side of an unfinished record; without one, the old side is the one with all
/// traffic.
pub fn resolve(
    config: &Config,
    facts: &Facts,
    from: Option<Color>,
) -> Result<RolloutSpec, PlanError> {
    let template = facts
        .template
        .as_ref()
        .ok_or_else(|| PlanError::Missing("the launch template".to_owned()))?;
    let shaped = match &config.fleet {
        Fleet::Pair(_) => two_groups(config, facts, from)?,
        Fleet::Single(_) => one_group(config, facts)?,
    };
    let plan = Plan {
        service: config.service.clone(),
        strategy: config.strategy,
        shape: shaped.shape,
        deadlines: config.deadlines,
        judge: config.judge.clone(),
        template: template.id.clone(),
        scale_in_after: (config.scale_in == ScaleIn::Scheduled).then_some(config.rollback_window),
    };
    let metrics = shaped
        .groups
        .iter()
        .filter_map(|(_, arn)| {
            let arn = arn.as_ref()?;
            let group = facts.target_groups.values().find(|tg| tg.arn == *arn)?;
            let balancer = group
                .load_balancers
                .first()
                .or_else(|| facts.load_balancers.first().map(|lb| &lb.arn))?;
            Some((balancer.clone(), arn.clone()))
        })
        .collect();
    Ok(RolloutSpec {
        origin: Baseline {
            service: config.service.clone(),
            template: template.id.clone(),
            previous: shaped.previous,
            previous_commit: None,
            fleet: shaped.fleet,
            newest_state: None,
        },
        plan,
        groups: shaped.groups,
        metrics,
        template_name: template.name.clone(),
        user_data: user_data(config)?,
        tags: Vec::new(),
        shares: shaped.shares,
    })
}

/// A shape, and the facts that belong to it.
struct Shaped {
    shape: Shape,
    fleet: FleetFacts,
    previous: u64,
    groups: Vec<(String, Option<String>)>,
    shares: Option<PerColor<u8>>,
}

fn two_groups(config: &Config, facts: &Facts, old: Option<Color>) -> Result<Shaped, PlanError> {
    let Fleet::Pair(members) = &config.fleet else { return Err(PlanError::Split) };
    let target_group = |color: Color| {
        let name = &members[color].target_group;
        facts
            .target_groups
            .get(name)
            .ok_or_else(|| PlanError::Missing(format!("the target group `{name}`")))
    };
    let target_groups =
        PerColor { blue: target_group(Color::Blue)?, green: target_group(Color::Green)? };
    let arns = target_groups.map(|tg| tg.arn.as_str());
    let selection = select_rules(&config.traffic, &facts.rules, arns);
    let old = old
        .or_else(|| live_color(&facts.rules, &selection.traffic_rules, arns))
        .ok_or(PlanError::Split)?;
    let side = |color: Color| side_facts(&members[color].group, facts);
    let sides = PerColor { blue: side(Color::Blue)?, green: side(Color::Green)? };
    let previous = sides[old].version;
    let sides_named = PerColor::from_fn(|color| Side {
        group: members[color].group.clone(),
        target_group: arns[color].to_owned(),
    });
    let groups = Color::BOTH.map(|c| (members[c].group.clone(), Some(arns[c].to_owned()))).to_vec();
    let before = |id: &RuleId| rule_facts(id, facts, arns);
    let fleet = FleetFacts::TwoGroups(Box::new(TwoGroupsFacts {
        old,
        step: 0,
        idle_since: None,
        kept_busy_since: None,
        ruleless_since: None,
        shifted: None,
        floor: 0,
        relapses: 0,
        weighted: false,
        sides,
        rules: selection.traffic_rules.iter().map(before).collect(),
        test: selection.test.as_ref().map(before),
        refresh: None,
    }));
    let shares = selection.traffic_rules.first().map(|id| shares(id, facts, arns));
    let shape = Shape::TwoGroups(Pair {
        sides: sides_named,
        smoke: smoke(config, facts, &selection),
        zones: zones(facts, target_groups),
        rules: selection.traffic_rules,
        test_rule: selection.test,
        steps: config.steps().to_vec(),
    });
    Ok(Shaped { shape, fleet, previous, groups, shares })
}

fn one_group(config: &Config, facts: &Facts) -> Result<Shaped, PlanError> {
    let Fleet::Single(sole) = &config.fleet else { return Err(PlanError::Split) };
    let previous = side_facts(&sole.group, facts)?.version;
    let group = &facts.groups.get(&sole.group).ok_or_else(|| missing(&sole.group))?.group;
    let attached: BTreeMap<&str, &TargetGroup> =
        facts.target_groups.values().map(|tg| (tg.arn.as_str(), tg)).collect();
    let target_group = match &sole.target_group {
        Some(name) => facts.target_groups.get(name).map(|tg| tg.arn.clone()),
        None => group.target_groups.iter().find(|arn| attached.contains_key(arn.as_str())).cloned(),
    };
    let rolling = &config.rolling;
    // A single instance at 100% can only be replaced by launching the new one first.
    let alone = group.capacity.desired == 1;
    let preferences = RefreshPreferences {
        min_healthy: if alone { 100 } else { rolling.min_healthy.into() },
        max_healthy: Some(if alone { 200 } else { rolling.max_healthy.into() }),
        warmup: None,
        checkpoints: rolling.checkpoints.iter().map(|percent| u32::from(*percent)).collect(),
        checkpoint_delay: if rolling.checkpoints.is_empty() {
            Default::default()
        } else {
            rolling.bake
        },
        bake: rolling.bake,
        auto_rollback: true,
        skip_matching: true,
        alarms: config.judge.alarms.clone(),
    };
    Ok(Shaped {
        shape: Shape::OneGroup(OneGroup {
            group: sole.group.clone(),
            target_group: target_group.clone(),
            preferences,
        }),
        fleet: FleetFacts::OneGroup(OneGroupFacts::default()),
        previous,
        groups: vec![(sole.group.clone(), target_group)],
        shares: None,
    })
}

fn side_facts(name: &str, facts: &Facts) -> Result<SideFacts, PlanError> {
    let found = facts.groups.get(name).ok_or_else(|| missing(name))?;
    let template = found.group.source.template();
    let version = template
        .and_then(|template| template.version.number())
        .ok_or_else(|| PlanError::Unpinned(name.to_owned()))?;
    let capacity = found.group.capacity;
    let scale_in = scheduled_scale_in(&found.scheduled);
    Ok(SideFacts {
        version,
        running: found.group.other_running_versions(version),
        min: capacity.min,
        empty: capacity.desired == 0,
        // A group with a scheduled scale-in still has the MinSize that an earlier rollout raised.
        min_sizes_set: scale_in.iter().map(|_| capacity.min).collect(),
        scale_in: scale_in.and_then(|action| {
            Some(cutover_rollout::model::ScaleInFacts {
                at: action.at?,
                size: action.min.unwrap_or(0),
            })
        }),
    })
}

fn missing(group: &str) -> PlanError {
    PlanError::Missing(format!("the Auto Scaling group `{group}`"))
}

fn rule_facts(id: &RuleId, facts: &Facts, pair: PerColor<&str>) -> RuleFacts {
    let rule = facts.rules.iter().find(|rule| rule.id == *id);
    let forward = rule.and_then(|rule| rule.forward.as_ref());
    RuleFacts {
        id: id.clone(),
        weights: PerColor::from_fn(|color| forward.and_then(|f| f.weight(pair[color]))),
        sticky: forward.and_then(|f| f.stickiness).map(|stickiness| stickiness.seconds),
    }
}

/// Returns the share that a rule currently gives to each color. A record could be outdated: the run that wrote it may
/// have been killed since.
fn shares(id: &RuleId, facts: &Facts, pair: PerColor<&str>) -> PerColor<u8> {
    let rule = facts.rules.iter().find(|rule| rule.id == *id);
    let forward = rule.and_then(|rule| rule.forward.as_ref());
    PerColor::from_fn(|color| forward.map_or(0, |forward| forward.share(pair[color])))
}

/// Returns the load balancer's zones, if one of the two target groups keeps traffic within each zone.
fn zones(facts: &Facts, target_groups: PerColor<&TargetGroup>) -> Vec<String> {
    let within = Color::BOTH.iter().any(|color| !target_groups[*color].cross_zone);
    match facts.load_balancers.first() {
        Some(balancer) if within => balancer.zones.clone(),
        _ => Vec::new(),
    }
}

/// Returns the smoke tests: requests to the test rule's listener, with the header that the rule matches.
fn smoke(config: &Config, facts: &Facts, selection: &Selection) -> Vec<Smoke> {
    let Some(route) = &config.traffic.test else { return Vec::new() };
    let listener = selection.test.as_ref().and_then(|id| {
        let rule = facts.rules.iter().find(|rule| rule.id == *id)?;
        facts.listeners.iter().find(|listener| listener.arn == rule.listener)
    });
    let base = route.url.clone().or_else(|| {
        let (listener, balancer) = (listener?, facts.load_balancers.first()?);
        let scheme = listener.protocol.to_lowercase();
        Some(format!("{scheme}://{}:{}", balancer.dns_name, listener.port))
    });
    let Some(base) = base else { return Vec::new() };
    let request = |smoke: &cutover_config::Smoke| Smoke {
        url: format!("{base}{}", smoke.path),
        header: Some(route.header.clone()),
        path: smoke.path.clone(),
        status: smoke.status,
    };
    config.smoke.iter().map(request).collect()
}

fn user_data(config: &Config) -> Result<template::UserDataSource, PlanError> {
    match &config.template.user_data {
        UserData::Rewrite => Ok(template::UserDataSource::Rewrite),
        UserData::File(path) => {
            let path = config.directory.join(path);
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path)
                .map_err(|cause| PlanError::UserData { path: name.clone(), cause })?;
            Ok(template::UserDataSource::File { path: name, text })
        }
    }
}
