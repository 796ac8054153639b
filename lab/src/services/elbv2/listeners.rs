//! Listeners: the ports of load balancers, each with a default rule.

use super::action::Action;
use super::errors::validation;
use super::listener::Listener;
use super::rule::Rule;
use super::{account, actions, attributes, certificates, find, paging, quotas, rules, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The specification of a new listener.
#[derive(Debug, Clone)]
pub struct ListenerSpec {
    /// The ARN of the load balancer.
    pub load_balancer: String,
    /// The port, not yet used on that load balancer.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The actions for requests that match no rule.
    pub default_actions: Vec<Action>,
    /// The last part of the ARN, 16 hexadecimal digits; generated if absent. The ARN of the default rule ends in
    /// the same digits.
    pub suffix: Option<String>,
}

/// Creates a listener with its default rule, and returns its ARN. Errors: LoadBalancerNotFound,
/// DuplicateListener, TooManyListeners, UnsupportedProtocol, and those of associating target groups.
pub fn create_listener(world: &mut World, spec: ListenerSpec) -> ApiResult<String> {
    find::load_balancer(world, &spec.load_balancer)?;
    check_protocol(&spec.protocol)?;
    check_port(world, &spec.load_balancer, spec.port, None)?;
    if of_load_balancer(world, &spec.load_balancer).count() >= quotas::LISTENERS {
        return Err(ApiError::sender(
            "TooManyListeners",
            "The maximum number of listeners on this load balancer has been reached",
        ));
    }
    let suffix = spec.suffix.unwrap_or_else(|| world.ids.hex16());
    let base = spec.load_balancer.replacen(":loadbalancer/", ":listener/", 1);
    let arn = format!("{base}/{suffix}");
    let default_rule = format!("{}/{suffix}", arn.replacen(":listener/", ":listener-rule/", 1));
    let rule = Rule {
        arn: default_rule.clone(),
        listener: arn.clone(),
        load_balancer: spec.load_balancer.clone(),
        priority: None,
        conditions: Vec::new(),
        actions: spec.default_actions,
    };
    rules::put(world, rule)?;
    let listener = Listener {
        arn: arn.clone(),
        load_balancer: spec.load_balancer,
        port: spec.port,
        protocol: spec.protocol,
        default_rule,
        certificates: Vec::new(),
        attributes: attributes::listener_defaults(),
        stored_settings: Vec::new(),
    };
    world.elbv2.listeners.insert(arn.clone(), listener);
    Ok(arn)
}

/// `CreateListener`. If a listener with the same settings exists, it is returned (API model: the operation is
/// idempotent).
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let spec = ListenerSpec {
        load_balancer: input.need_str("LoadBalancerArn")?.to_owned(),
        port: port(input)?.ok_or_else(|| validation("A listener port must be specified"))?,
        protocol: input
            .str("Protocol")
            .ok_or_else(|| validation("A listener protocol must be specified"))?
            .to_owned(),
        default_actions: actions::read(world, input.list("DefaultActions"), &[])?,
        suffix: None,
    };
    let given = tags::read(input.list("Tags"))?;
    let certificates = certificates_after(input, &spec.protocol, &[])?;
    if let Some(same) = identical_listener(world, &spec) {
        return answer(world, &same);
    }
    let arn = create_listener(world, spec)?;
    tags::store(world, &arn, given);
    store_settings(world, &arn, input, certificates);
    answer(world, &arn)
}

/// Returns the ARN of a listener with the same settings, if one exists.
fn identical_listener(world: &World, spec: &ListenerSpec) -> Option<String> {
    let mut there = of_load_balancer(world, &spec.load_balancer);
    let same = there.find(|l| l.port == spec.port && l.protocol == spec.protocol)?;
    let default = world.elbv2.rules.get(&same.default_rule)?;
    (default.actions == spec.default_actions).then(|| same.arn.clone())
}

/// `DeleteListener`, with its rules.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    find::listener(world, arn)?;
    world.elbv2.listeners.remove(arn);
    let of_listener = world.elbv2.rules.values().filter(|rule| rule.listener == arn);
    let gone: Vec<String> = of_listener.map(|rule| rule.arn.clone()).collect();
    gone.iter().for_each(|rule| rules::remove(world, rule));
    world.elbv2.remove_orphaned_tags();
    Ok(map([]))
}

/// `DescribeListeners`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = input.strings("ListenerArns");
    let found: Vec<&Listener> = match (input.str("LoadBalancerArn"), arns.is_empty()) {
        (Some(balancer), true) => {
            find::load_balancer(world, balancer)?;
            of_load_balancer(world, balancer).collect()
        }
        (None, false) => {
            arns.iter().map(|arn| find::listener(world, arn)).collect::<ApiResult<_>>()?
        }
        _ => {
            return Err(validation("You must specify either listener ARNs or a load balancer ARN"));
        }
    };
    let written = found.into_iter().map(|l| write(world, l)).collect();
    paging::page("Listeners", written, input)
}

/// `ModifyListener`: the only way to change the default rule, whose actions are replaced as a whole.
pub(super) fn modify(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    let listener = find::listener(world, arn)?.clone();
    let protocol = input.str("Protocol").unwrap_or(&listener.protocol).to_owned();
    check_protocol(&protocol)?;
    let certificates = certificates_after(input, &protocol, &listener.certificates)?;
    let port = port(input)?.unwrap_or(listener.port);
    check_port(world, &listener.load_balancer, port, Some(arn))?;
    if !input.get("DefaultActions").is_null() {
        let mut rule = world.elbv2.rules.get(&listener.default_rule).cloned();
        if let Some(rule) = rule.as_mut() {
            rule.actions = actions::read(world, input.list("DefaultActions"), &rule.actions)?;
        }
        rule.map_or(Ok(()), |rule| rules::put(world, rule))?;
    }
    if let Some(listener) = world.elbv2.listeners.get_mut(arn) {
        (listener.port, listener.protocol) = (port, protocol);
    }
    store_settings(world, arn, input, certificates);
    answer(world, arn)
}

fn of_load_balancer<'w>(world: &'w World, arn: &str) -> impl Iterator<Item = &'w Listener> {
    world.elbv2.listeners.values().filter(move |l| l.load_balancer == arn)
}

fn check_protocol(protocol: &str) -> ApiResult<()> {
    if matches!(protocol, "HTTP" | "HTTPS") {
        return Ok(());
    }
    Err(ApiError::sender(
        "UnsupportedProtocol",
        format!("Listener protocol '{protocol}' is not supported by Application Load Balancers"),
    ))
}

fn check_port(world: &World, balancer: &str, port: u16, own: Option<&str>) -> ApiResult<()> {
    if of_load_balancer(world, balancer).any(|l| l.port == port && Some(l.arn.as_str()) != own) {
        return Err(ApiError::sender(
            "DuplicateListener",
            format!("A listener already exists on this port for this load balancer '{balancer}'"),
        ));
    }
    Ok(())
}

fn port(input: &Value) -> ApiResult<Option<u16>> {
    let valid = |n: i64| u16::try_from(n).ok().filter(|p| *p > 0);
    match input.int("Port") {
        Some(n) => valid(n).map(Some).ok_or_else(|| validation(format!("Port '{n}' is not valid"))),
        None => Ok(None),
    }
}

/// Returns the certificates of a listener after a call: a call specifies at most one, the default certificate,
/// which an HTTPS listener must have.
fn certificates_after(input: &Value, protocol: &str, before: &[String]) -> ApiResult<Vec<String>> {
    if let Some(policy) = input.str("SslPolicy").filter(|policy| !policy.is_empty()) {
        account::check_policy(policy)?;
    }
    let given = certificates::read(input)?;
    match (protocol, given.as_slice()) {
        ("HTTPS", []) if before.is_empty() => {
            Err(validation("A certificate must be specified for HTTPS listeners"))
        }
        (_, [_, _, ..]) => Err(ApiError::sender(
            "TooManyCertificates",
            "Only one certificate can be specified; add others with AddListenerCertificates",
        )),
        ("HTTPS", [default]) => {
            let others = before.iter().skip(1).filter(|other| *other != default);
            Ok(std::iter::once(default).chain(others).cloned().collect())
        }
        ("HTTPS", _) => Ok(before.to_vec()),
        _ => Ok(Vec::new()),
    }
}

fn store_settings(world: &mut World, arn: &str, input: &Value, certificates: Vec<String>) {
    let Some(listener) = world.elbv2.listeners.get_mut(arn) else { return };
    listener.certificates = certificates;
    for key in ["SslPolicy", "AlpnPolicy", "MutualAuthentication"] {
        let given = input.get(key);
        if !given.is_null() {
            listener.stored_settings.retain(|(k, _)| *k != key);
            listener.stored_settings.push((key, given.clone()));
        }
    }
    let policy = listener.stored_settings.iter().any(|(key, _)| *key == "SslPolicy");
    match listener.protocol.as_str() {
        "HTTPS" if !policy => {
            listener.stored_settings.push(("SslPolicy", account::DEFAULT_POLICY.into()));
        }
        "HTTPS" => {}
        _ => listener.stored_settings.retain(|(key, _)| *key != "SslPolicy"),
    }
}

fn answer(world: &World, arn: &str) -> ApiResult<Value> {
    Ok(map([("Listeners", vec![write(world, find::listener(world, arn)?)].into())]))
}

fn write(world: &World, listener: &Listener) -> Value {
    let default = world.elbv2.rules.get(&listener.default_rule);
    let written = map([
        ("ListenerArn", listener.arn.as_str().into()),
        ("LoadBalancerArn", listener.load_balancer.as_str().into()),
        ("Port", i64::from(listener.port).into()),
        ("Protocol", listener.protocol.as_str().into()),
        (
            "DefaultActions",
            default.map(|rule| actions::write(&rule.actions)).unwrap_or(Value::Null),
        ),
    ]);
    let default = listener.certificates.first();
    let default = default.map(|arn| Value::List(vec![map([("CertificateArn", arn.into())])]));
    let written = written.with("Certificates", default);
    listener
        .stored_settings
        .iter()
        .fold(written, |written, (key, value)| written.with(key, value.clone()))
}
