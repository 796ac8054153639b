//! Builds the world of a scenario and lets it settle.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::document::{IamEnforcement, Scenario};
use crate::faults;
use crate::scenario::image::ImageFiles;
use crate::scenario::specs::{ConditionSpec, GroupSpec, RuleSpec, ScalingSpec};
use crate::services::{autoscaling, ec2, elbv2, iam};
use crate::traffic::{self, program};
use crate::wire::{ApiResult, Call, Principal, Service, Value, map};
use crate::world::World;

/// How long a world settles before its history begins.
const SETTLING: Duration = Duration::from_secs(10 * 60);

impl World {
    /// Builds the world of a scenario as it is at `start`: instances in service and healthy, with some
    /// minutes of traffic behind them. An error names the part of the scenario that AWS would have
    /// refused.
    pub fn from_scenario(scenario: &Scenario, seed: u64, start: Timestamp) -> ApiResult<World> {
        let history = Duration::from_secs(scenario.history_minutes.min(24 * 60) * 60);
        let begin = start.checked_sub(SETTLING + history).unwrap_or(start);
        let mut world = World::new(seed, begin);
        world.began = start;
        world.account = scenario.account.clone();
        world.region = scenario.region.clone();
        world.github.repository = scenario.github.clone();
        scenario.job.apply(&mut world.github);
        create_network(&mut world, scenario);
        create_iam(&mut world, scenario);
        let mut image = ImageFiles::news_site();
        image.labels.insert(program::VERSION.to_owned(), "v1".to_owned());
        image.labels.extend(scenario.labels.clone());
        let digest = image.store(&mut world.registry, &scenario.service, "v1")?;
        create_load_balancer(&mut world, scenario)?;
        create_launch_template(&mut world, scenario, &digest)?;
        for group in &scenario.groups {
            create_group(&mut world, scenario, group)?;
            create_policy(&mut world, scenario, group)?;
        }
        // No traffic until everything has settled: nothing fails before the start.
        world.advance(begin.checked_add(SETTLING).unwrap_or(start));
        if let Some(capacity) = scenario.demand.capacity {
            // At its capacity, an instance's CPU is at 100%.
            world.params.cpu_full = capacity;
        }
        world.traffic.rate = scenario.requests_per_second;
        traffic::set_demand(&mut world, scenario.demand.clone());
        world.advance(start);
        world.faults.apply(&scenario.faults);
        for event in &scenario.events {
            faults::schedule(&mut world, event);
        }
        Ok(world)
    }
}

/// Creates the network (zones, a VPC with a public subnet in each, and a security group) and the AMI.
/// The account has no default VPC.
fn create_network(world: &mut World, scenario: &Scenario) {
    let vpc = vpc_id();
    let Ok(cidr) = "10.0.0.0/16".parse::<Ipv4Net>() else { return };
    let state = &mut world.ec2;
    *state = ec2::State::default();
    state.amis = ec2::public_machines();
    ec2::create_vpc(state, ec2::VpcSpec { id: vpc.clone(), cidr, is_default: false });
    let gateway = format!("igw-0{}", stable_id("gateway"));
    state.gateways.insert(gateway.clone(), ec2::InternetGateway { vpc: Some(vpc.clone()) });
    for table in state.route_tables.values_mut() {
        table.routes.insert("0.0.0.0/0".to_owned(), ec2::RouteTarget::Gateway(gateway.clone()));
    }
    for (index, letter) in scenario.zones.iter().enumerate() {
        let name = format!("{}{letter}", scenario.region);
        let id = ec2::zone_id(&scenario.region, letter.chars().next().unwrap_or('a'));
        state.zones.insert(name.clone(), ec2::Zone { id, alive: true });
        let block = cidr.subnets(24).into_iter().flatten().nth(index + 1).unwrap_or(cidr);
        state.subnets.insert(subnet_id(letter), ec2::Subnet::new(&name, &vpc, block));
    }
    let open = |egress, ports, peer| ec2::SecurityRule {
        egress,
        protocol: if egress { "-1" } else { "tcp" }.to_owned(),
        ports,
        peer: ec2::RulePeer::Ipv4(peer),
        description: None,
    };
    let rules = BTreeMap::from([
        (format!("sgr-0{}", stable_id("in")), open(false, Some((80, 80)), cidr.to_string())),
        (format!("sgr-0{}", stable_id("out")), open(true, None, "0.0.0.0/0".to_owned())),
    ]);
    let group = ec2::SecurityGroup {
        name: format!("{}-instance", scenario.service),
        description: "the instances, from the load balancer".to_owned(),
        vpc,
        rules,
    };
    state.security_groups.insert(security_group_id(), group);
    let machine =
        ec2::Ami { name: "al2023-ami-2023-x86_64".to_owned(), architecture: "x86_64".to_owned() };
    state.amis.insert(ami_id(), machine);
}

/// Creates the OIDC provider of GitHub, the role that its workflows assume, and the instance profile.
fn create_iam(world: &mut World, scenario: &Scenario) {
    iam::create_oidc_provider(
        world,
        "https://token.actions.githubusercontent.com",
        &["sts.amazonaws.com"],
    );
    let by_name = format!("repo:{}:*", scenario.github);
    let subjects = scenario.deploy_trust.as_deref().unwrap_or(&by_name);
    let trust = iam::github_trust(&scenario.account, subjects);
    let deploy = format!("deploy-{}", scenario.service);
    iam::create_role(world, &deploy, &trust, 3600);
    if let Some(policy) = &scenario.deploy_policy {
        iam::put_inline_policy(world, &deploy, policy);
    }
    world.iam.enforced = scenario.iam == IamEnforcement::Enforced;
    let profile = format!("{}-instance", scenario.service);
    iam::create_instance_role(world, &profile);
    iam::create_instance_profile(world, &profile, Some(&profile));
}

/// Creates the load balancer, its target groups, its listener and the rules.
fn create_load_balancer(world: &mut World, scenario: &Scenario) -> ApiResult<()> {
    let service = scenario.service.as_str();
    let subnets = scenario
        .zones
        .iter()
        .map(|letter| (format!("{}{letter}", scenario.region), subnet_id(letter)))
        .collect();
    let load_balancer = elbv2::create_load_balancer(
        world,
        elbv2::LoadBalancerSpec {
            name: service.to_owned(),
            subnets,
            suffix: Some(stable_id(service)),
            ..Default::default()
        },
    )?;
    if let Some(name) = &scenario.dns_name
        && let Some(load_balancer) = world.elbv2.load_balancers.get_mut(&load_balancer)
    {
        load_balancer.dns_name = name.clone();
    }
    for group in &scenario.groups {
        let delay = ("deregistration_delay.timeout_seconds".to_owned(), "30".to_owned());
        let health = elbv2::HealthCheck {
            path: "/healthz".to_owned(),
            interval: Duration::from_secs(10),
            healthy: 2,
            ..Default::default()
        };
        elbv2::create_target_group(
            world,
            elbv2::TargetGroupSpec {
                name: group.name.clone(),
                health,
                attributes: BTreeMap::from([delay]),
                suffix: Some(stable_id(&group.name)),
                ..Default::default()
            },
        )?;
    }
    let listener = elbv2::create_listener(
        world,
        elbv2::ListenerSpec {
            load_balancer: load_balancer.clone(),
            port: scenario.port,
            protocol: "HTTP".to_owned(),
            default_actions: vec![elbv2::Action::fixed(404, "no such page")],
            suffix: Some(stable_id(&format!("{service}:listener"))),
        },
    )?;
    for rule in &scenario.rules {
        create_rule(world, scenario, &listener, rule)?;
    }
    elbv2::activate(world, &load_balancer);
    Ok(())
}

fn create_rule(
    world: &mut World,
    scenario: &Scenario,
    listener: &str,
    rule: &RuleSpec,
) -> ApiResult<()> {
    let condition = match &rule.when {
        ConditionSpec::Path(path) => elbv2::Condition::Path(vec![path.clone()]),
        ConditionSpec::Header(name, value) => {
            elbv2::Condition::Header { name: name.clone(), values: vec![value.clone()] }
        }
    };
    let forward = rule
        .forward
        .iter()
        .map(|(name, weight)| (target_group_arn(scenario, name), *weight))
        .collect::<Vec<_>>();
    let spec = elbv2::RuleSpec {
        listener: listener.to_owned(),
        priority: rule.priority,
        conditions: vec![condition],
        actions: vec![elbv2::Action::weighted(forward)],
        suffix: Some(stable_id(&format!("{}:{}", scenario.service, rule.priority))),
    };
    elbv2::create_rule(world, spec).map(|_| ())
}

/// Creates the launch template; its version 1 pins the image by digest.
fn create_launch_template(world: &mut World, scenario: &Scenario, digest: &str) -> ApiResult<()> {
    let (service, region, registry) = (&scenario.service, &scenario.region, scenario.registry());
    let user_data = format!(
        "#!/bin/bash\n\
         set -euo pipefail\n\
         aws ecr get-login-password --region {region} \\\n\
         \x20 | docker login --username AWS --password-stdin {registry}\n\
         docker run -d --restart always --name {service} -p 80:8080 \\\n\
         \x20 {registry}/{service}@{digest}\n"
    );
    let profile = format!("{service}-instance");
    let security_groups = Value::List(vec![security_group_id().into()]);
    let tag = map([("Key", "Name".into()), ("Value", service.as_str().into())]);
    let tags = map([("ResourceType", "instance".into()), ("Tag", Value::List(vec![tag]))]);
    let data = map([
        ("ImageId", ami_id().into()),
        ("InstanceType", "t3.micro".into()),
        ("IamInstanceProfile", map([("Name", profile.into())])),
        ("SecurityGroupId", security_groups),
        (
            "MetadataOptions",
            map([("HttpTokens", "required".into()), ("HttpPutResponseHopLimit", 2_i64.into())]),
        ),
        ("TagSpecification", Value::List(vec![tags])),
        ("UserData", STANDARD.encode(user_data).into()),
    ]);
    let input = map([
        ("LaunchTemplateName", service.as_str().into()),
        ("VersionDescription", "first edition".into()),
        ("LaunchTemplateData", data),
    ]);
    ec2::call(world, &owner(scenario, Service::Ec2, "CreateLaunchTemplate", input)).map(|_| ())
}

fn create_group(world: &mut World, scenario: &Scenario, group: &GroupSpec) -> ApiResult<()> {
    let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let subnets: Vec<String> = scenario.zones.iter().map(|letter| subnet_id(letter)).collect();
    let template =
        map([("LaunchTemplateName", scenario.service.as_str().into()), ("Version", "1".into())]);
    let target_group = target_group_arn(scenario, &group.name).into();
    let input = map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("LaunchTemplate", template),
        ("MinSize", number(group.min)),
        ("MaxSize", number(group.max)),
        ("DesiredCapacity", number(group.desired)),
        ("VPCZoneIdentifier", subnets.join(",").into()),
        ("TargetGroupARNs", Value::List(vec![target_group])),
        ("HealthCheckType", "ELB".into()),
        ("HealthCheckGracePeriod", number(group.grace)),
    ]);
    let call = owner(scenario, Service::Autoscaling, "CreateAutoScalingGroup", input);
    autoscaling::call(world, &call).map(|_| ())
}

/// Creates the group's target tracking policy, if it has one.
fn create_policy(world: &mut World, scenario: &Scenario, group: &GroupSpec) -> ApiResult<()> {
    let (metric, target) = match group.scaling {
        Some(ScalingSpec::Cpu(target)) => {
            (map([("PredefinedMetricType", "ASGAverageCPUUtilization".into())]), target)
        }
        Some(ScalingSpec::RequestsPerTarget(target)) => {
            let balancer = world.elbv2.load_balancers.values().next();
            let label = format!(
                "{}/targetgroup/{}/{}",
                balancer.map(elbv2::LoadBalancer::dimension).unwrap_or_default(),
                group.name,
                stable_id(&group.name)
            );
            let metric = map([
                ("PredefinedMetricType", "ALBRequestCountPerTarget".into()),
                ("ResourceLabel", label.into()),
            ]);
            (metric, target)
        }
        None => return Ok(()),
    };
    let tracking = map([("PredefinedMetricSpecification", metric), ("TargetValue", target.into())]);
    let input = map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("PolicyName", "target-tracking".into()),
        ("PolicyType", "TargetTrackingScaling".into()),
        ("TargetTrackingConfiguration", tracking),
    ]);
    let call = owner(scenario, Service::Autoscaling, "PutScalingPolicy", input);
    autoscaling::call(world, &call).map(|_| ())
}

/// Returns a call by the account's root user.
fn owner(scenario: &Scenario, service: Service, operation: &str, input: Value) -> Call {
    let account = scenario.account.clone();
    Call {
        service,
        operation: operation.to_owned(),
        input,
        caller: Principal { arn: format!("arn:aws:iam::{account}:root"), account },
        region: scenario.region.clone(),
    }
}

fn target_group_arn(scenario: &Scenario, name: &str) -> String {
    format!(
        "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{name}/{}",
        scenario.region,
        scenario.account,
        stable_id(name)
    )
}

fn subnet_id(letter: &str) -> String {
    format!("subnet-0{}", stable_id(&format!("subnet-{letter}")))
}

fn vpc_id() -> String {
    format!("vpc-{}", &stable_id("vpc")[..8])
}

fn security_group_id() -> String {
    format!("sg-0{}", stable_id("security-group"))
}

fn ami_id() -> String {
    format!("ami-0{}", stable_id("machine"))
}

/// Returns 16 hexadecimal digits derived from a name, so that identifiers stay the same when a scenario
/// grows.
fn stable_id(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
