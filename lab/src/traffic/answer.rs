//! The data plane for real requests: the same rules, weights and health decide who answers as for the
//! simulated users.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};

use super::cohorts::by_weight;
use super::load;
use super::minutes::minute_of;
use super::program::Program;
use super::routing::{self, RuleResult};
use super::site::{code, error_page, respond, set_header, text};
use crate::services::elbv2::action::Forward;
use crate::services::elbv2::conditions::RequestParts;
use crate::services::elbv2::load_balancer::{LoadBalancer, LoadBalancerState};
use crate::services::elbv2::target_group::TargetGroup;
use crate::traffic::state::NO_VERSION;
use crate::world::World;

/// The cookie of group stickiness. AWS's values are opaque; the lab's is the end of the target group's
/// ARN.
const COOKIE: &str = "AWSALBTG";

/// Where a request goes, decided before anything is counted.
enum Destination {
    /// To a target of a group, where a program may answer.
    Target {
        group: String,
        instance: String,
        zone: String,
        program: Option<Box<Program>>,
        cookie: Option<String>,
    },
    /// Answered by the load balancer itself.
    Own { status: u16, content_type: String, body: String },
}

/// Answers one real HTTP request to a load balancer: the one that the `Host` header names, else the
/// first. A target's response carries `x-lab-instance` and `x-lab-version`. The request counts in
/// metrics and totals like those of the simulated users.
pub fn answer(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let host = host(request);
    let Some(balancer) = find(world, &host) else {
        return text(StatusCode::NOT_FOUND, "No load balancer is active yet.\n");
    };
    let (arn, dimension) = (balancer.arn.clone(), balancer.dimension().to_owned());
    // The node, the group and the target: always three draws, even if some are not used.
    let draws = [(); 3].map(|()| world.traffic.rng.unit());
    let balancer = world.elbv2.load_balancers.get(&arn);
    let way = balancer.map(|balancer| route(world, balancer, &host, request, draws));
    let minute = minute_of(world.now);
    match way {
        Some(Destination::Target { group, instance, zone, program: Some(program), cookie }) => {
            let strain = world.traffic.load.get(&instance).copied().unwrap_or_default();
            let failing = world.traffic.rng.chance(load::error_rate(&program, strain));
            let mut response = respond(world, &program, &instance, &zone, request, failing);
            let status = response.status().as_u16();
            let times = [(load::latency_ms(&world.params, &program, strain), 1)];
            world.traffic.count_responses(minute, (&dimension, &group), &[(status, 1)], &times);
            let failed = u64::from(status >= 500);
            world.traffic.count(&program.version, 1 - failed, failed);
            let headers = response.headers_mut();
            set_header(headers, "x-lab-instance", &instance);
            set_header(headers, "x-lab-version", &program.version);
            if let Some(cookie) = cookie {
                set_header(headers, "set-cookie", &cookie);
            }
            response
        }
        Some(Destination::Target { group, program: None, .. }) => {
            world.traffic.count_connection_errors(minute, (&dimension, &group), 1);
            world.traffic.count(NO_VERSION, 0, 1);
            error_page(502)
        }
        Some(Destination::Own { status, content_type, body }) => {
            world.traffic.refused(minute, &dimension, status, 1);
            let failed = u64::from(status >= 400);
            world.traffic.count(NO_VERSION, 1 - failed, failed);
            if body.is_empty() && status >= 500 {
                return error_page(status);
            }
            let mut response = text(code(status), &body);
            set_header(response.headers_mut(), "content-type", &content_type);
            response
        }
        None => error_page(503),
    }
}

fn host(request: &Request<Bytes>) -> String {
    let header = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    let named = header.or_else(|| request.uri().authority().map(|a| a.as_str()));
    named.unwrap_or_default().to_owned()
}

fn find<'w>(world: &'w World, host: &str) -> Option<&'w LoadBalancer> {
    let name = host.split(':').next().unwrap_or_default();
    let active = || {
        let all = world.elbv2.load_balancers.values();
        all.filter(|balancer| balancer.state == LoadBalancerState::Active)
    };
    active().find(|b| b.dns_name.eq_ignore_ascii_case(name)).or_else(|| active().next())
}

fn route(
    world: &World,
    balancer: &LoadBalancer,
    host: &str,
    request: &Request<Bytes>,
    [node, share, target]: [f64; 3],
) -> Destination {
    let port = host.split_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let listeners = || world.elbv2.listeners.values().filter(|l| l.load_balancer == balancer.arn);
    let listener = listeners().find(|l| Some(l.port) == port);
    let listener = listener.or_else(|| listeners().min_by_key(|l| l.port));
    let visit = RequestParts {
        host,
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        method: request.method().as_str(),
        headers: request.headers(),
    };
    let nodes = routing::nodes(world, balancer);
    let (Some((zone, node)), Some(listener)) = (pick(&nodes, node), listener) else {
        return load_balancer_error(503);
    };
    let rule = node.route(&listener.arn, &visit);
    let groups = match routing::evaluate_rule(world, rule, by_weight) {
        RuleResult::Groups(groups) => groups,
        RuleResult::Fixed { status, content_type, body } => {
            return Destination::Own {
                status,
                content_type: content_type.unwrap_or("text/plain").to_owned(),
                body: body.unwrap_or_default().to_owned(),
            };
        }
    };
    let forward = rule.and_then(|r| r.forward());
    let kept = forward.and_then(|f| sticky_group(world, f, request.headers()));
    let Some(group) = kept.or_else(|| weighted(&groups, share)) else {
        return load_balancer_error(503);
    };
    let candidates = routing::routable_targets(group, zone);
    let Some(instance) = pick(&candidates, target) else { return load_balancer_error(503) };
    Destination::Target {
        group: group.dimension().to_owned(),
        instance: (*instance).to_owned(),
        zone: group.targets.get(*instance).map(|t| t.zone.clone()).unwrap_or_default(),
        program: routing::program(world, instance).cloned().map(Box::new),
        cookie: forward.and_then(|f| cookie(f, group)),
    }
}

fn load_balancer_error(status: u16) -> Destination {
    Destination::Own { status, content_type: "text/html".to_owned(), body: String::new() }
}

fn pick<T>(items: &[T], draw: f64) -> Option<&T> {
    items.get((draw * items.len() as f64) as usize)
}

fn weighted<'w>(groups: &[(Option<&'w TargetGroup>, f64)], draw: f64) -> Option<&'w TargetGroup> {
    let mut sum = 0.0;
    let reached = groups.iter().find(|(_, share)| {
        sum += share;
        draw < sum
    });
    reached.or(groups.last()).and_then(|(group, _)| *group)
}

/// Returns the group that a visitor's cookie binds them to, whatever the weights are now, even 0 (user
/// guide: sticky sessions).
fn sticky_group<'w>(
    world: &'w World,
    forward: &Forward,
    headers: &HeaderMap,
) -> Option<&'w TargetGroup> {
    forward.stickiness.filter(|(enabled, _)| *enabled)?;
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|c| c.to_str().ok());
    let value = cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let names = |arn: &&String| arn.rsplit('/').next() == Some(value);
    let arn = forward.groups.iter().map(|(arn, _)| arn).find(names)?;
    world.elbv2.target_groups.get(arn)
}

/// Returns the cookie of a response. Its lifetime starts again with every response.
fn cookie(forward: &Forward, group: &TargetGroup) -> Option<String> {
    let (_, seconds) = forward.stickiness.filter(|(enabled, _)| *enabled)?;
    let value = group.arn.rsplit('/').next().unwrap_or_default();
    Some(format!("{COOKIE}={value}; Max-Age={}; Path=/", seconds.unwrap_or(1)))
}
