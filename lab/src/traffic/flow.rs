//! The requests of simulated users, as counts.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use super::load;
use super::minutes::minute_of;
use super::routing::{self, RuleResult};
use crate::services::elbv2::conditions::RequestParts;
use crate::services::elbv2::load_balancer::{LoadBalancer, LoadBalancerState};
use crate::services::elbv2::rule::Rule;
use crate::services::elbv2::target_group::TargetGroup;
use crate::services::elbv2::target_state::TargetState;
use crate::traffic::state::{NO_VERSION, State};
use crate::world::{World, elapsed, later};

/// How some of a load balancer's requests end. Names are borrowed while endings are compared, of which
/// there are as many as targets and zones; the distinct ones own them.
#[derive(Debug, Clone, PartialEq)]
enum RequestEnd<Name> {
    /// A program answers.
    Program { group: Name, version: Name, error_rate: f64, latency_ms: u64 },
    /// The chosen target does not answer: 502.
    NoAnswer { group: Name },
    /// The load balancer answers itself: a fixed response, or 503 without a target.
    LoadBalancer { status: u16 },
}

impl RequestEnd<&str> {
    fn owned(self) -> RequestEnd<String> {
        match self {
            RequestEnd::Program { group, version, error_rate, latency_ms } => RequestEnd::Program {
                group: group.to_owned(),
                version: version.to_owned(),
                error_rate,
                latency_ms,
            },
            RequestEnd::NoAnswer { group } => RequestEnd::NoAnswer { group: group.to_owned() },
            RequestEnd::LoadBalancer { status } => RequestEnd::LoadBalancer { status },
        }
    }
}

/// How requests end, each with its share.
type Endings = Vec<(RequestEnd<String>, f64)>;

/// What holds during one interval. Nothing changes in it, so this is looked up once.
struct Interval {
    /// By load balancer.
    endings: Vec<(String, Endings)>,
    /// Healthy and unhealthy targets, by load balancer and target group.
    health: Vec<((String, String), (u64, u64))>,
}

/// Draws and counts the requests from `world.now` to `until`, an interval in which nothing else changes.
pub fn flow(world: &mut World, until: Timestamp) {
    let strain = if load::is_possible(world) { instance_loads(world) } else { BTreeMap::new() };
    world.traffic.load = strain;
    let picture = interval(world);
    let mut from = world.now;
    while from < until {
        let minute = minute_of(from);
        let end = until.min(later(minute, Duration::from_secs(60)));
        count(&mut world.traffic, &picture, minute, elapsed(from, end));
        from = end;
    }
    let length = elapsed(world.now, until);
    world.traffic.cohorts.pass(world.elbv2.rules.values(), &world.params, length);
}

fn interval(world: &World) -> Interval {
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
    Interval { endings, health }
}

/// Returns the target groups that a load balancer's rules name.
fn groups_of<'w>(world: &'w World, balancer: &LoadBalancer) -> Vec<&'w TargetGroup> {
    let rules = world.elbv2.rules.values().filter(|r| r.load_balancer == balancer.arn);
    let named = rules.filter_map(|r| r.forward()).flat_map(|f| &f.groups);
    let mut arns: Vec<&str> = named.map(|(arn, _)| arn.as_str()).collect();
    arns.sort_unstable();
    arns.dedup();
    arns.into_iter().filter_map(|arn| world.elbv2.target_groups.get(arn)).collect()
}

/// Returns how the requests of ordinary users end, with shares that sum to 1.
fn endings(world: &World, balancer: &LoadBalancer) -> Vec<(RequestEnd<String>, f64)> {
    let mut endings: Vec<(RequestEnd<&str>, f64)> = Vec::new();
    for_each_destination(world, balancer, |way, share| {
        let ending = match way {
            Destination::Own(status) => RequestEnd::LoadBalancer { status },
            Destination::Target(group, instance) => ending(world, group, instance),
        };
        match endings.iter_mut().find(|(e, _)| *e == ending) {
            Some((_, sum)) => *sum += share,
            None => endings.push((ending, share)),
        }
    });
    endings.into_iter().map(|(ending, share)| (ending.owned(), share)).collect()
}

/// Returns the load of each instance: its requests relative to its capacity.
fn instance_loads(world: &World) -> BTreeMap<String, f64> {
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    for balancer in world.elbv2.load_balancers.values() {
        if balancer.state == LoadBalancerState::Active {
            for_each_destination(world, balancer, |way, share| {
                if let Destination::Target(_, instance) = way {
                    *shares.entry(instance).or_default() += share;
                }
            });
        }
    }
    let rate = world.traffic.rate_now();
    let strained = shares.into_iter().filter_map(|(instance, share)| {
        let strain = load::load_of(world, routing::program(world, instance)?, rate * share);
        Some((instance.to_owned(), strain))
    });
    strained.collect()
}

/// Where some of the ordinary users' requests go.
enum Destination<'w> {
    /// To an instance of a target group.
    Target(&'w TargetGroup, &'w str),
    /// Answered by the load balancer itself with this status.
    Own(u16),
}

/// Calls `add` with every way that requests take, and its share. Users request `/` from the load
/// balancer's first listener, without headers that a rule could match.
fn for_each_destination<'w>(
    world: &'w World,
    balancer: &'w LoadBalancer,
    mut add: impl FnMut(Destination<'w>, f64),
) {
    let listeners = world.elbv2.listeners.values().filter(|l| l.load_balancer == balancer.arn);
    let Some(listener) = listeners.min_by_key(|l| l.port) else { return };
    let headers = HeaderMap::new();
    let visit = RequestParts {
        host: &balancer.dns_name,
        path: "/",
        query: "",
        method: "GET",
        headers: &headers,
    };
    let nodes = routing::nodes(world, balancer);
    if nodes.is_empty() {
        return add(Destination::Own(503), 1.0);
    }
    for (zone, node) in &nodes {
        let share = 1.0 / nodes.len() as f64;
        let bound = |rule: &Rule| world.traffic.cohorts.shares(rule);
        match routing::evaluate_rule(world, node.route(&listener.arn, &visit), bound) {
            RuleResult::Fixed { status, .. } => add(Destination::Own(status), share),
            RuleResult::Groups(groups) => {
                for (group, weight) in groups {
                    let Some(group) = group else {
                        add(Destination::Own(503), share * weight);
                        continue;
                    };
                    let targets = routing::routable_targets(group, zone);
                    if targets.is_empty() {
                        add(Destination::Own(503), share * weight);
                    }
                    for target in &targets {
                        add(
                            Destination::Target(group, target),
                            share * weight / targets.len() as f64,
                        );
                    }
                }
            }
        }
    }
}

fn ending<'w>(world: &'w World, group: &'w TargetGroup, instance: &str) -> RequestEnd<&'w str> {
    let group = group.dimension();
    let strain = world.traffic.load.get(instance).copied().unwrap_or_default();
    match routing::program(world, instance) {
        Some(program) => RequestEnd::Program {
            group,
            version: &program.version,
            error_rate: load::error_rate(program, strain),
            latency_ms: load::latency_ms(&world.params, program, strain),
        },
        None => RequestEnd::NoAnswer { group },
    }
}

/// Draws the requests of an interval within one minute. Each ending has its own Poisson stream, which is
/// equivalent to splitting one Poisson stream at random.
fn count(traffic: &mut State, picture: &Interval, minute: Timestamp, length: Duration) {
    for (key, (healthy, unhealthy)) in &picture.health {
        let groups = &mut traffic.minutes.entry(minute).or_default().groups;
        let counts = match groups.contains_key(key) {
            true => groups.get_mut(key),
            false => Some(groups.entry(key.clone()).or_default()),
        };
        let Some(counts) = counts else { continue };
        counts.healthy.include(*healthy);
        counts.unhealthy.include(*unhealthy);
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
    ending: &RequestEnd<String>,
    number: u64,
) {
    match ending {
        RequestEnd::Program { group, version, error_rate, latency_ms } => {
            let failed = traffic.rng.binomial(number, *error_rate);
            let times = [(*latency_ms, number)];
            traffic.count_responses(
                minute,
                (balancer, group),
                &[(200, number - failed), (500, failed)],
                &times,
            );
            traffic.count(version, number - failed, failed);
        }
        RequestEnd::NoAnswer { group } => {
            traffic.count_connection_errors(minute, (balancer, group), number);
            traffic.count(NO_VERSION, 0, number);
        }
        RequestEnd::LoadBalancer { status } => {
            traffic.refused(minute, balancer, *status, number);
            let served = if *status < 400 { number } else { 0 };
            traffic.count(NO_VERSION, served, number - served);
        }
    }
}
