//! From a scenario to a world in which everything has settled.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{GroupPlan, ImageFiles, Permissions, RulePlan, ScalingPlan, Scenario, WhenPlan};
use crate::faults;
use crate::services::{autoscaling, ec2, elbv2, iam};
use crate::traffic::{self, program};
use crate::wire::{ApiResult, Call, Principal, Service, Value, map};
use crate::world::World;

/// How long a world has to settle before its history begins.
const SETTLING: Duration = Duration::from_secs(10 * 60);

impl World {
    /// The world of a scenario as it is at `start`: instances in service and healthy, traffic flowing
    /// for some minutes. An error tells which part of the scenario AWS would have refused.
    pub fn from_scenario(scenario: &Scenario, seed: u64, start: Timestamp) -> ApiResult<World> {
        let history = Duration::from_secs(scenario.history_minutes.min(24 * 60) * 60);
        let begin = start.checked_sub(SETTLING + history).unwrap_or(start);
        let mut world = World::new(seed, begin);
        world.began = start;
        world.account = scenario.account.clone();
        world.region = scenario.region.clone();
        world.github.repository = scenario.github.clone();
        scenario.job.apply(&mut world.github);
        places(&mut world, scenario);
        identities(&mut world, scenario);
        let mut image = ImageFiles::news_site();
        image.labels.insert(program::VERSION.to_owned(), "v1".to_owned());
        image.labels.extend(scenario.labels.clone());
        let digest = image.store(&mut world.registry, &scenario.service, "v1")?;
        balancer(&mut world, scenario)?;
        template(&mut world, scenario, &digest)?;
        for group in &scenario.groups {
            create_group(&mut world, scenario, group)?;
            create_policy(&mut world, scenario, group)?;
        }
        // No traffic until everything has settled: nothing fails before the beginning.
        world.advance(begin.checked_add(SETTLING).unwrap_or(start));
        if let Some(capacity) = scenario.demand.capacity {
            // What an instance can bear keeps it wholly busy.
            world.params.cpu_full = capacity;
        }
        world.traffic.rate = scenario.requests_per_second;
        traffic::follow(&mut world, scenario.demand.clone());
        world.advance(start);
        world.faults.begin(&scenario.faults);
        for happening in &scenario.happenings {
            faults::schedule(&mut world, happening);
        }
        Ok(world)
    }
}

/// The network: zones, a VPC with a public subnet in each, a security group; and the machine image. The
/// account has no default VPC.
fn places(world: &mut World, scenario: &Scenario) {
    let vpc = vpc_id();
    let Ok(cidr) = "10.0.0.0/16".parse::<Ipv4Net>() else { return };
    let state = &mut world.ec2;
    *state = ec2::State::default();
    state.machines = ec2::public_machines();
    ec2::create_vpc(state, ec2::VpcSpec { id: vpc.clone(), cidr, is_default: false });
    let gateway = format!("igw-0{}", fixed("gateway"));
    state.gateways.insert(gateway.clone(), ec2::Gateway { vpc: Some(vpc.clone()) });
    for table in state.route_tables.values_mut() {
        table.routes.insert("0.0.0.0/0".to_owned(), ec2::Via::Gateway(gateway.clone()));
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
        peer: ec2::Peer::Ipv4(peer),
        description: None,
    };
    let rules = BTreeMap::from([
        (format!("sgr-0{}", fixed("in")), open(false, Some((80, 80)), cidr.to_string())),
        (format!("sgr-0{}", fixed("out")), open(true, None, "0.0.0.0/0".to_owned())),
    ]);
    let group = ec2::SecurityGroup {
        name: format!("{}-instance", scenario.service),
        description: "the instances, from the load balancer".to_owned(),
        vpc,
        rules,
    };
    state.security_groups.insert(security_group_id(), group);
    let machine = ec2::Machine {
        name: "al2023-ami-2023-x86_64".to_owned(),
        architecture: "x86_64".to_owned(),
    };
    state.machines.insert(machine_id(), machine);
}

/// GitHub as an OIDC provider, the role that its workflows assume, and the instances' profile.
fn identities(world: &mut World, scenario: &Scenario) {
    iam::create_provider(
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
        iam::permit(world, &deploy, policy);
    }
    world.iam.enforced = scenario.iam == Permissions::Enforced;
    let profile = format!("{}-instance", scenario.service);
    iam::create_instance_role(world, &profile);
    iam::create_instance_profile(world, &profile, Some(&profile));
}

/// The load balancer, its target groups, its listener and the rules.
fn balancer(world: &mut World, scenario: &Scenario) -> ApiResult<()> {
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
            suffix: Some(fixed(service)),
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
                suffix: Some(fixed(&group.name)),
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
            suffix: Some(fixed(&format!("{service}:listener"))),
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
    rule: &RulePlan,
) -> ApiResult<()> {
    let condition = match &rule.when {
        WhenPlan::Path(path) => elbv2::Condition::Path(vec![path.clone()]),
        WhenPlan::Header(name, value) => {
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
        suffix: Some(fixed(&format!("{}:{}", scenario.service, rule.priority))),
    };
    elbv2::create_rule(world, spec).map(|_| ())
}

/// The launch template, at version 1 with the image pinned by digest.
fn template(world: &mut World, scenario: &Scenario, digest: &str) -> ApiResult<()> {
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
        ("ImageId", machine_id().into()),
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

fn create_group(world: &mut World, scenario: &Scenario, group: &GroupPlan) -> ApiResult<()> {
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

/// The group's target tracking policy, if it is to have one.
fn create_policy(world: &mut World, scenario: &Scenario, group: &GroupPlan) -> ApiResult<()> {
    let (metric, target) = match group.scaling {
        Some(ScalingPlan::Cpu(target)) => {
            (map([("PredefinedMetricType", "ASGAverageCPUUtilization".into())]), target)
        }
        Some(ScalingPlan::RequestsPerTarget(target)) => {
            let balancer = world.elbv2.load_balancers.values().next();
            let label = format!(
                "{}/targetgroup/{}/{}",
                balancer.map(elbv2::LoadBalancer::dimension).unwrap_or_default(),
                group.name,
                fixed(&group.name)
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

/// A call by the account's owner.
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
        fixed(name)
    )
}

fn subnet_id(letter: &str) -> String {
    format!("subnet-0{}", fixed(&format!("subnet-{letter}")))
}

fn vpc_id() -> String {
    format!("vpc-{}", &fixed("vpc")[..8])
}

fn security_group_id() -> String {
    format!("sg-0{}", fixed("security-group"))
}

fn machine_id() -> String {
    format!("ami-0{}", fixed("machine"))
}

/// Sixteen hexadecimal digits that belong to a name: identifiers that stay when a scenario grows.
fn fixed(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
