//! What is rolled out where: the configuration and the account's facts made into a plan. Pure,
//! apart from reading a user-data file.

use std::collections::BTreeMap;

use super::Origin;
use crate::cloud::VersionFacts;
use crate::config::{Config, Fleet, Retire, UserData};
use crate::model::{
    Colour, FleetFacts, ImageReference, OneGroupFacts, PerColour, Preferences, RuleFacts, RuleId,
    SideFacts, TargetGroup, TwoGroupsFacts,
};
use crate::preflight::{Facts, Selection, live, select};
use crate::rollout::{OneGroup, Pair, Plan, Shape, Side, Smoke, retirement};
use crate::template::{self, PinError, Pinned};

/// A plan, with what carrying it out needs besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The plan.
    pub plan: Plan,
    /// What a fresh record begins with.
    pub origin: Origin,
    /// The groups, each with its target group's ARN.
    pub groups: Vec<(String, Option<String>)>,
    /// Load balancer and target group ARNs whose counts are read.
    pub metrics: Vec<(String, String)>,
    /// The launch template's name.
    pub template_name: String,
    /// Where new user data comes from.
    pub user_data: template::Source,
    /// Tags to push besides the digest.
    pub tags: Vec<String>,
    /// The shares now, with two groups.
    pub weights: Option<PerColour<u8>>,
}

/// Why no plan can be made. Preflight explains all of these better; they remain where it was not
/// asked, or where the account changed since.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    /// Something is not there.
    #[error("{0} does not exist")]
    Missing(String),
    /// A group does not launch from a numbered version.
    #[error(
        "`{0}` does not launch from a numbered version of the launch template: `cutover verify` prints what pins it"
    )]
    Unpinned(String),
    /// Traffic is on both, or on neither.
    #[error(
        "no colour has all of the traffic, and no record says why: set the weights of one to 0, then run again"
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

/// Makes the plan. `from` is the colour that an unfinished record calls the old one; without it,
/// the colour with all the weight is.
pub fn resolve(config: &Config, facts: &Facts, from: Option<Colour>) -> Result<Target, Unresolved> {
    let template = facts
        .template
        .as_ref()
        .ok_or_else(|| Unresolved::Missing("the launch template".to_owned()))?;
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
        retire_after: (config.retire == Retire::Scheduled).then_some(config.rollback_window),
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
    Ok(Target {
        origin: Origin {
            service: config.service.clone(),
            template: template.id.clone(),
            previous: shaped.previous,
            previous_commit: None,
            fleet: shaped.fleet,
            basis: None,
        },
        plan,
        groups: shaped.groups,
        metrics,
        template_name: template.name.clone(),
        user_data: user_data(config)?,
        tags: Vec::new(),
        weights: shaped.weights,
    })
}

/// A shape with the facts that belong to it.
struct Shaped {
    shape: Shape,
    fleet: FleetFacts,
    previous: u64,
    groups: Vec<(String, Option<String>)>,
    weights: Option<PerColour<u8>>,
}

fn two_groups(config: &Config, facts: &Facts, from: Option<Colour>) -> Result<Shaped, Unresolved> {
    let Fleet::Pair(members) = &config.fleet else { return Err(Unresolved::Split) };
    let target_group = |colour: Colour| {
        let name = &members[colour].target_group;
        facts
            .target_groups
            .get(name)
            .ok_or_else(|| Unresolved::Missing(format!("target group `{name}`")))
    };
    let target_groups =
        PerColour { blue: target_group(Colour::Blue)?, green: target_group(Colour::Green)? };
    let arns = target_groups.map(|tg| tg.arn.as_str());
    let selection = select(&config.traffic, &facts.rules, arns);
    let from =
        from.or_else(|| live(&facts.rules, &selection.moving, arns)).ok_or(Unresolved::Split)?;
    let side = |colour: Colour| side_facts(&members[colour].group, facts);
    let sides = PerColour { blue: side(Colour::Blue)?, green: side(Colour::Green)? };
    let previous = sides[from].version;
    let sides_named = PerColour::from_fn(|colour| Side {
        group: members[colour].group.clone(),
        target_group: arns[colour].to_owned(),
    });
    let groups =
        Colour::BOTH.map(|c| (members[c].group.clone(), Some(arns[c].to_owned()))).to_vec();
    let before = |id: &RuleId| rule_facts(id, facts, arns);
    let fleet = FleetFacts::TwoGroups(Box::new(TwoGroupsFacts {
        from,
        step: 0,
        idle_since: None,
        kept_busy_since: None,
        ruleless_since: None,
        shifted: None,
        floor: 0,
        relapses: 0,
        weighted: false,
        sides,
        rules: selection.moving.iter().map(before).collect(),
        test: selection.test.as_ref().map(before),
        refresh: None,
    }));
    let weights = selection.moving.first().map(|id| shares(id, facts, arns));
    let shape = Shape::TwoGroups(Pair {
        sides: sides_named,
        smoke: smoke(config, facts, &selection),
        zones: zones(facts, target_groups),
        rules: selection.moving,
        test_rule: selection.test,
        steps: config.steps().to_vec(),
    });
    Ok(Shaped { shape, fleet, previous, groups, weights })
}

fn one_group(config: &Config, facts: &Facts) -> Result<Shaped, Unresolved> {
    let Fleet::Single(sole) = &config.fleet else { return Err(Unresolved::Split) };
    let previous = side_facts(&sole.group, facts)?.version;
    let group = &facts.groups.get(&sole.group).ok_or_else(|| missing(&sole.group))?.group;
    let attached: BTreeMap<&str, &TargetGroup> =
        facts.target_groups.values().map(|tg| (tg.arn.as_str(), tg)).collect();
    let target_group = match &sole.target_group {
        Some(name) => facts.target_groups.get(name).map(|tg| tg.arn.clone()),
        None => group.target_groups.iter().find(|arn| attached.contains_key(arn.as_str())).cloned(),
    };
    let rolling = &config.rolling;
    // One instance at 100 % can only be replaced by launching the other first.
    let alone = group.capacity.desired == 1;
    let preferences = Preferences {
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
        weights: None,
    })
}

fn side_facts(name: &str, facts: &Facts) -> Result<SideFacts, Unresolved> {
    let seen = facts.groups.get(name).ok_or_else(|| missing(name))?;
    let template = seen.group.source.template();
    let version = template
        .and_then(|template| template.version.number())
        .ok_or_else(|| Unresolved::Unpinned(name.to_owned()))?;
    let capacity = seen.group.capacity;
    let retirement = retirement(&seen.scheduled);
    Ok(SideFacts {
        version,
        running: seen.group.running_instead_of(version),
        min: capacity.min,
        empty: capacity.desired == 0,
        // A group that awaits its retirement still has the minimum that kept it warm: ours, too.
        pinned: retirement.iter().map(|_| capacity.min).collect(),
        retirement: retirement.and_then(|action| {
            Some(crate::model::RetirementFacts { at: action.at?, size: action.min.unwrap_or(0) })
        }),
    })
}

fn missing(group: &str) -> Unresolved {
    Unresolved::Missing(format!("Auto Scaling group `{group}`"))
}

fn rule_facts(id: &RuleId, facts: &Facts, pair: PerColour<&str>) -> RuleFacts {
    let rule = facts.rules.iter().find(|rule| rule.id == *id);
    let forward = rule.and_then(|rule| rule.forward.as_ref());
    RuleFacts {
        id: id.clone(),
        weights: PerColour::from_fn(|colour| forward.and_then(|f| f.weight(pair[colour]))),
        sticky: forward.and_then(|f| f.stickiness).map(|stickiness| stickiness.seconds),
    }
}

/// What a rule gives each colour now: not what a record says, for the run that wrote it may have been
/// killed since.
fn shares(id: &RuleId, facts: &Facts, pair: PerColour<&str>) -> PerColour<u8> {
    let rule = facts.rules.iter().find(|rule| rule.id == *id);
    let forward = rule.and_then(|rule| rule.forward.as_ref());
    PerColour::from_fn(|colour| forward.map_or(0, |forward| forward.share(pair[colour])))
}

/// The load balancer's zones, where one of the two keeps its traffic within each zone.
fn zones(facts: &Facts, target_groups: PerColour<&TargetGroup>) -> Vec<String> {
    let within = Colour::BOTH.iter().any(|colour| !target_groups[*colour].cross_zone);
    match facts.load_balancers.first() {
        Some(balancer) if within => balancer.zones.clone(),
        _ => Vec::new(),
    }
}

/// The smoke requests go to the test rule's listener, with the header that it asks for.
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
    let request = |smoke: &crate::config::Smoke| Smoke {
        url: format!("{base}{}", smoke.path),
        header: Some(route.header.clone()),
        path: smoke.path.clone(),
        status: smoke.status,
    };
    config.smoke.iter().map(request).collect()
}

fn user_data(config: &Config) -> Result<template::Source, Unresolved> {
    match &config.template.user_data {
        UserData::Rewrite => Ok(template::Source::Rewrite),
        UserData::File(path) => {
            let path = config.directory.join(path);
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path)
                .map_err(|cause| Unresolved::UserData { path: name.clone(), cause })?;
            Ok(template::Source::File { path: name, text })
        }
    }
}

/// The user data that a new version gets: what `deploy` sends and preflight tries beforehand.
pub(super) fn pin(
    source: &template::Source,
    live: Option<&VersionFacts>,
    image: &ImageReference,
) -> Result<Pinned, PinError> {
    let base = live.and_then(|live| live.user_data.encoded());
    template::pin(source, base.as_deref(), image)
}
