//! The stream of simulated users, as counts.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use super::minutes::minute_of;
use super::routing::{self, Verdict};
use super::{NO_VERSION, State, cohorts, strain};
use crate::services::elbv2::{
    LoadBalancer, LoadBalancerState, Rule, TargetGroup, TargetState, Visit,
};
use crate::world::{World, elapsed, later};

/// How some of a load balancer's requests end. Names are borrowed while endings are compared, of
/// which there are as many as targets and zones, and owned by those that differ.
#[derive(Debug, Clone, PartialEq)]
enum Ending<Name> {
    /// A program answers.
    Program { group: Name, version: Name, error_rate: f64, latency_ms: u64 },
    /// A target was chosen and didn't answer: 502.
    NoAnswer { group: Name },
    /// The load balancer answers itself: a fixed response, or 503 without a target.
    Own { status: u16 },
}

impl Ending<&str> {
    fn owned(self) -> Ending<String> {
        match self {
            Ending::Program { group, version, error_rate, latency_ms } => Ending::Program {
                group: group.to_owned(),
                version: version.to_owned(),
                error_rate,
                latency_ms,
            },
            Ending::NoAnswer { group } => Ending::NoAnswer { group: group.to_owned() },
            Ending::Own { status } => Ending::Own { status },
        }
    }
}

/// How requests end, and with which share of them.
type Endings = Vec<(Ending<String>, f64)>;

/// Everything that holds during one interval: it doesn't change, so it is looked up once.
struct Picture {
    /// By load balancer.
    endings: Vec<(String, Endings)>,
    /// By load balancer and target group: healthy and unhealthy targets.
    health: Vec<((String, String), (u64, u64))>,
}

/// Sends and counts the requests of the interval from `world.now` to `until`, in which nothing else
/// changes.
pub fn flow(world: &mut World, until: Timestamp) {
    let strain = if strain::is_possible(world) { strains(world) } else { BTreeMap::new() };
    world.traffic.strain = strain;
    let picture = look(world);
    let mut from = world.now;
    while from < until {
        let minute = minute_of(from);
        let end = until.min(later(minute, Duration::from_secs(60)));
        count(&mut world.traffic, &picture, minute, elapsed(from, end));
        from = end;
    }
    cohorts::pass(world, elapsed(world.now, until));
}

fn look(world: &World) -> Picture {
    let balancers = || {
        let all = world.elbv2.load_balancers.values();
        all.filter(|balancer| balancer.state == LoadBalancerState::Active)
    };
    let mut health = Vec::new();
    for balancer in balancers() {
        for group in groups_of(world, balancer) {
            let having = |state| group.targets.values().filter(|t| t.state == state).count() as u64;
            let (healthy, unhealthy) =
                (having(TargetState::Healthy), having(TargetState::Unhealthy));
            if healthy + unhealthy + having(TargetState::Initial) > 0 {
                let key = (balancer.dimension().to_owned(), group.dimension().to_owned());
                health.push((key, (healthy, unhealthy)));
            }
        }
    }
    let endings = balancers().map(|b| (b.dimension().to_owned(), endings(world, b))).collect();
    Picture { endings, health }
}

/// The target groups that a load balancer's rules name.
fn groups_of<'w>(world: &'w World, balancer: &LoadBalancer) -> Vec<&'w TargetGroup> {
    let rules = world.elbv2.rules.values().filter(|r| r.load_balancer == balancer.arn);
    let named = rules.filter_map(|r| r.forward()).flat_map(|f| &f.groups);
    let mut arns: Vec<&str> = named.map(|(arn, _)| arn.as_str()).collect();
    arns.sort_unstable();
    arns.dedup();
    arns.into_iter().filter_map(|arn| world.elbv2.target_groups.get(arn)).collect()
}

/// How the requests of ordinary users end, with shares that sum to 1.
fn endings(world: &World, balancer: &LoadBalancer) -> Vec<(Ending<String>, f64)> {
    let mut endings: Vec<(Ending<&str>, f64)> = Vec::new();
    ways(world, balancer, |way, share| {
        let ending = match way {
            Way::Own(status) => Ending::Own { status },
            Way::Target(group, instance) => ending(world, group, instance),
        };
        match endings.iter_mut().find(|(e, _)| *e == ending) {
            Some((_, sum)) => *sum += share,
            None => endings.push((ending, share)),
        }
    });
    endings.into_iter().map(|(ending, share)| (ending.owned(), share)).collect()
}

/// By instance, its requests by what it can bear.
fn strains(world: &World) -> BTreeMap<String, f64> {
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    for balancer in world.elbv2.load_balancers.values() {
        if balancer.state == LoadBalancerState::Active {
            ways(world, balancer, |way, share| {
                if let Way::Target(_, instance) = way {
                    *shares.entry(instance).or_default() += share;
                }
            });
        }
    }
    let rate = world.traffic.rate_now();
    let strained = shares.into_iter().filter_map(|(instance, share)| {
        let strain = strain::of(world, routing::program(world, instance)?, rate * share);
        Some((instance.to_owned(), strain))
    });
    strained.collect()
}

/// Where some of the ordinary users' requests go.
enum Way<'w> {
    /// To an instance of a target group.
    Target(&'w TargetGroup, &'w str),
    /// No further than the load balancer, which answers with this status.
    Own(u16),
}

/// Gives to `add` every way that requests take, with its share. Users ask for `/` at the load
/// balancer's first listener, without headers that a rule could look for.
fn ways<'w>(world: &'w World, balancer: &'w LoadBalancer, mut add: impl FnMut(Way<'w>, f64)) {
    let listeners = world.elbv2.listeners.values().filter(|l| l.load_balancer == balancer.arn);
    let Some(listener) = listeners.min_by_key(|l| l.port) else { return };
    let headers = HeaderMap::new();
    let visit =
        Visit { host: &balancer.dns_name, path: "/", query: "", method: "GET", headers: &headers };
    let nodes = routing::nodes(world, balancer);
    if nodes.is_empty() {
        return add(Way::Own(503), 1.0);
    }
    for (zone, node) in &nodes {
        let share = 1.0 / nodes.len() as f64;
        let bound = |rule: &Rule| world.traffic.cohorts.shares(rule);
        match routing::verdict(world, node.route(&listener.arn, &visit), bound) {
            Verdict::Fixed { status, .. } => add(Way::Own(status), share),
            Verdict::Groups(groups) => {
                for (group, weight) in groups {
                    let Some(group) = group else {
                        add(Way::Own(503), share * weight);
                        continue;
                    };
                    let targets = routing::candidates(group, zone);
                    if targets.is_empty() {
                        add(Way::Own(503), share * weight);
                    }
                    for target in &targets {
                        add(Way::Target(group, target), share * weight / targets.len() as f64);
                    }
                }
            }
        }
    }
}

fn ending<'w>(world: &'w World, group: &'w TargetGroup, instance: &str) -> Ending<&'w str> {
    let group = group.dimension();
    let strain = world.traffic.strain.get(instance).copied().unwrap_or_default();
    match routing::program(world, instance) {
        Some(program) => Ending::Program {
            group,
            version: &program.version,
            error_rate: strain::error_rate(program, strain),
            latency_ms: strain::latency_ms(&world.params, program, strain),
        },
        None => Ending::NoAnswer { group },
    }
}

/// Draws the requests of a stretch within one minute. Each ending has its own Poisson stream, which
/// is what splitting one Poisson stream at random gives.
fn count(traffic: &mut State, picture: &Picture, minute: Timestamp, length: Duration) {
    for (key, (healthy, unhealthy)) in &picture.health {
        let groups = &mut traffic.minutes.entry(minute).or_default().groups;
        let counts = match groups.contains_key(key) {
            true => groups.get_mut(key),
            false => Some(groups.entry(key.clone()).or_default()),
        };
        let Some(counts) = counts else { continue };
        counts.healthy.see(*healthy);
        counts.unhealthy.see(*unhealthy);
    }
    let expected = traffic.rate_now() * length.as_secs_f64();
    for (balancer, endings) in &picture.endings {
        for (ending, share) in endings {
            let number = traffic.rng.poisson(expected * share);
            if number > 0 {
                record(traffic, minute, balancer, ending, number);
            }
        }
    }
}

fn record(
    traffic: &mut State,
    minute: Timestamp,
    balancer: &str,
    ending: &Ending<String>,
    number: u64,
) {
    match ending {
        Ending::Program { group, version, error_rate, latency_ms } => {
            let failed = traffic.rng.binomial(number, *error_rate);
            let times = [(*latency_ms, number)];
            traffic.answered(
                minute,
                (balancer, group),
                &[(200, number - failed), (500, failed)],
                &times,
            );
            traffic.count(version, number - failed, failed);
        }
        Ending::NoAnswer { group } => {
            traffic.unanswered(minute, (balancer, group), number);
            traffic.count(NO_VERSION, 0, number);
        }
        Ending::Own { status } => {
            traffic.refused(minute, balancer, *status, number);
            let served = if *status < 400 { number } else { 0 };
            traffic.count(NO_VERSION, served, number - served);
        }
    }
}
