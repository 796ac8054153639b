//! Stacks and second groups of every kind, for the tests of the templates.

#![allow(dead_code)] // each test binary uses only a part

use cutover::iam::{Job, Repository};
use cutover::scaffold::stack::{
    self, Condition, Forward, GitHub, HealthCheck, Network, SecondGroup, Stack, Tag,
};

/// Returns the stack that the job of the lab's GitHub tokens deploys to.
pub(crate) fn of_the_labs_job() -> Stack {
    Stack {
        service: "news".to_owned(),
        region: "ap-northeast-2".to_owned(),
        repository: "team/news".to_owned(),
        port: 8080,
        health_path: "/healthz".to_owned(),
        instance_type: "t3.micro".to_owned(),
        network: Network::New,
        certificate: None,
        github: Some(GitHub {
            repository: Repository::parse("acme/news").unwrap(),
            job: Job::Ref("refs/heads/main".to_owned()),
            uses: stack::uses(),
            provider_exists: None,
        }),
    }
}

/// Returns a stack with every other option.
fn elsewhere() -> Stack {
    Stack {
        service: "no".to_owned(),
        health_path: "/health/".to_owned(),
        instance_type: "t4g.small".to_owned(),
        network: Network::Existing {
            vpc: "vpc-0123456789abcdef0".to_owned(),
            subnets: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
                .map(str::to_owned)
                .to_vec(),
        },
        certificate: Some("arn:aws:acm:ap-northeast-2:123456789012:certificate/0123".to_owned()),
        github: None,
        ..of_the_labs_job()
    }
}

/// Returns a second group whose names contain the special characters of every template language.
pub(crate) fn second_group() -> SecondGroup {
    let texts =
        |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let arn = |resource: &str| {
        format!("arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:{resource}")
    };
    let forward = Forward {
        arn: arn("listener-rule/app/news/0123456789abcdef/0123456789abcdef/0123456789abcdef"),
        is_default: false,
        target_group: arn("targetgroup/news/0123456789abcdef"),
        stickiness: Some(60),
        alone: true,
    };
    let default = Forward {
        arn: arn("listener/app/news/0123456789abcdef/0123456789abcdef"),
        is_default: true,
        alone: false,
        ..forward.clone()
    };
    SecondGroup {
        region: "ap-northeast-2".to_owned(),
        live_group: "뉴스 그룹 ${x} 'a' \"b\": #1".to_owned(),
        group: "뉴스 그룹 ${x} %{y} 'a' \"b\": #2".to_owned(),
        target_group: "news-green".to_owned(),
        vpc: "vpc-0123456789abcdef0".to_owned(),
        protocol: "HTTP".to_owned(),
        protocol_version: "HTTP1".to_owned(),
        port: 80,
        health_check: HealthCheck {
            protocol: "HTTP".to_owned(),
            port: "traffic-port".to_owned(),
            path: "/healthz".to_owned(),
            interval: 10,
            timeout: 5,
            healthy: 2,
            unhealthy: 2,
            codes: "200-299".to_owned(),
        },
        attributes: [
            ("deregistration_delay.timeout_seconds", "30"),
            ("load_balancing.algorithm.type", "least_outstanding_requests"),
            ("stickiness.enabled", "true"),
            ("stickiness.type", "lb_cookie"),
            ("stickiness.lb_cookie.duration_seconds", "3600"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec(),
        launch_template: "lt-0123456789abcdef0".to_owned(),
        version: 3,
        subnets: texts(&["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]),
        health_check_type: "ELB".to_owned(),
        grace_period: 120,
        max: 6,
        tags: vec![Tag {
            key: "팀".to_owned(), value: "${뉴스}: yes".to_owned(), propagate: true
        }],
        listener: default.arn.clone(),
        priority: 5,
        conditions: vec![
            Condition::Host { values: texts(&["*.example.com"]) },
            Condition::Header { name: "X-Tenant".to_owned(), values: texts(&["뉴스 ${x}"]) },
            Condition::Query {
                pairs: vec![
                    ("edition".to_owned(), "*".to_owned()),
                    (String::new(), "x".to_owned()),
                ],
            },
        ],
        forwards: vec![forward, default],
    }
}

/// Returns second groups: with everything, and without anything optional.
fn second_groups() -> [(&'static str, SecondGroup); 3] {
    let bare = SecondGroup {
        attributes: Vec::new(),
        tags: Vec::new(),
        conditions: Vec::new(),
        forwards: Vec::new(),
        ..second_group()
    };
    let texts =
        |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let grpc = SecondGroup {
        protocol_version: "GRPC".to_owned(),
        health_check: HealthCheck { codes: "0-99".to_owned(), ..second_group().health_check },
        attributes: vec![(
            "target_group_health.dns_failover.minimum_healthy_targets.count".to_owned(),
            "1".to_owned(),
        )],
        conditions: vec![
            Condition::Path { values: texts(&["/shop/*"]) },
            Condition::Method { values: texts(&["POST"]) },
            Condition::Source { values: texts(&["192.0.2.0/24"]) },
        ],
        ..bare.clone()
    };
    [("second", second_group()), ("second-bare", bare), ("second-grpc", grpc)]
}

/// Returns every CloudFormation template, by a name of its own.
pub(crate) fn cloudformation_templates() -> Vec<(&'static str, String)> {
    let stacks = [("stack", of_the_labs_job()), ("stack-elsewhere", elsewhere())];
    let stacks = stacks.map(|(name, stack)| (name, stack::cloudformation(&stack).unwrap()));
    let second = second_groups().map(|(name, group)| (name, group.cloudformation().unwrap()));
    stacks.into_iter().chain(second).collect()
}

/// Returns every Terraform file, by the same names.
pub(crate) fn terraform_files() -> Vec<(&'static str, String)> {
    let stacks = [("stack", of_the_labs_job()), ("stack-elsewhere", elsewhere())];
    let stacks = stacks.map(|(name, stack)| (name, stack::terraform(&stack).unwrap()));
    let second = second_groups().map(|(name, group)| (name, group.terraform().unwrap()));
    stacks.into_iter().chain(second).collect()
}
