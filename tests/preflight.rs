//! `cutover verify` reports everything that blocks a rollout, with its remedy. The snapshots are
//! the catalog.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use std::collections::BTreeMap;
use std::time::Duration;

use cutover::preflight::{Facts, GroupFacts, findings};
use cutover_aws::{TemplateFacts, UserData, VersionFacts};
use cutover_config::Config;
use cutover_rollout::AlarmState;
use cutover_rollout::model::{
    Capacity, Forward, Group, Instance, InstanceRefresh, LaunchTemplate, Lifecycle, Listener,
    LoadBalancer, RefreshStatus, Rule, RuleConditions, RuleId, ScheduledAction, Stickiness,
    TargetGroup, TemplateSource, VersionSpec,
};

const PAIR: &str = r#"version: 1
service: news
region: ap-northeast-2
fleet:
  blue:  { group: news-blue,  target_group: news-blue }
  green: { group: news-green, target_group: news-green }
traffic:
  test: { header: { X-Cutover: next } }
strategy: canary
judge: { alarms: [news-p99] }
"#;

const SINGLE: &str = "version: 1
service: news
region: ap-northeast-2
fleet: { group: news-blue, target_group: news-blue }
strategy: rolling
judge: { alarms: [news-p99] }
";

const ELB: &str = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012";

fn target_group_arn(name: &str) -> String {
    format!("{ELB}:targetgroup/{name}/01")
}

fn rule_arn(name: &str) -> RuleId {
    RuleId::Rule(format!("{ELB}:listener-rule/app/news/01/02/{name}"))
}

fn forward(weights: &[(&str, u16)]) -> Option<Forward> {
    let weights = weights.iter().map(|(name, weight)| (target_group_arn(name), *weight)).collect();
    Some(Forward { weights, stickiness: None })
}

fn template(version: VersionSpec) -> LaunchTemplate {
    LaunchTemplate { id: "lt-01".into(), name: "news".into(), version }
}

fn group(name: &str, desired: u32) -> GroupFacts {
    let instance = |n: u32| Instance {
        id: format!("i-{n:02}"),
        zone: "ap-northeast-2a".into(),
        lifecycle: Lifecycle::InService,
        healthy: true,
        template: Some(template(VersionSpec::Number(1))),
        protected: false,
    };
    GroupFacts {
        group: Group {
            name: name.into(),
            capacity: Capacity { min: 0, max: 6, desired },
            source: TemplateSource::Template(template(VersionSpec::Number(1))),
            instances: (0..desired).map(instance).collect(),
            zones: vec!["ap-northeast-2a".into(), "ap-northeast-2c".into()],
            target_groups: vec![target_group_arn(name)],
            elb_health: true,
            grace: Duration::from_secs(120),
            suspended: vec![],
        },
        refreshes: vec![],
        scheduled: vec![],
    }
}

fn target_group(name: &str) -> TargetGroup {
    TargetGroup {
        arn: target_group_arn(name),
        name: name.into(),
        load_balancers: vec![format!("{ELB}:loadbalancer/app/news/01")],
        protocol: "HTTP".into(),
        port: 80,
        health_path: "/healthz".into(),
        health_interval: Duration::from_secs(10),
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        deregistration_delay: Duration::from_secs(30),
        sticky: false,
        slow_start: Duration::ZERO,
        cross_zone: true,
    }
}

/// Returns a fleet without findings: blue is live with four instances, green is empty and only in
/// the test rule.
fn facts() -> Facts {
    let listener = format!("{ELB}:listener/app/news/01/02");
    let rule = |name: &str, priority, matches, forward| Rule {
        id: rule_arn(name),
        listener: listener.clone(),
        priority: Some(priority),
        conditions: matches,
        forward,
    };
    let header = RuleConditions {
        headers: vec![("x-cutover".into(), vec!["next".into()])],
        ..RuleConditions::default()
    };
    Facts {
        now: "2026-10-01T09:00:00Z".parse().unwrap(),
        account: "123456789012".into(),
        groups: ["news-blue", "news-green"]
            .into_iter()
            .zip([4, 0])
            .map(|(name, desired)| (name.to_owned(), group(name, desired)))
            .collect(),
        target_groups: ["news-blue", "news-green"]
            .map(|name| (name.to_owned(), target_group(name)))
            .into(),
        load_balancers: vec![LoadBalancer {
            arn: format!("{ELB}:loadbalancer/app/news/01"),
            dns_name: "news-01.ap-northeast-2.elb.amazonaws.com".into(),
            zones: vec!["ap-northeast-2a".into(), "ap-northeast-2c".into()],
            kind: "application".into(),
        }],
        listeners: vec![Listener { arn: listener.clone(), protocol: "HTTP".into(), port: 80 }],
        rules: vec![
            rule("test", 1, header, forward(&[("news-green", 1)])),
            rule("all", 10, RuleConditions::default(), forward(&[("news-blue", 1)])),
        ],
        template: Some(TemplateFacts {
            id: "lt-01".into(),
            name: "news".into(),
            default: 1,
            latest: 3,
        }),
        versions: 3,
        live: Some(VersionFacts {
            number: 1,
            description: None,
            created: None,
            user_data: UserData::None,
            instance_profile: Some("news".into()),
            image_id: Some("ami-01".into()),
            tagged: Vec::new(),
            hop_limit: Some(2),
        }),
        users: vec![group("news-blue", 0).group, group("news-green", 0).group],
        missing_repositories: vec![],
        alarms: BTreeMap::from([("news-p99".to_owned(), AlarmState::Ok)]),
        unfinished: None,
    }
}

fn pair() -> Config {
    cutover_config::parse(PAIR, "cutover.yaml").unwrap()
}

fn single() -> Config {
    cutover_config::parse(SINGLE, "cutover.yaml").unwrap()
}

/// A finding: its name, and a function that changes the facts so that it is found.
type Case = (&'static str, fn(&mut Facts));

fn green(facts: &mut Facts) -> &mut Group {
    &mut facts.groups.get_mut("news-green").unwrap().group
}

fn blue(facts: &mut Facts) -> &mut Group {
    &mut facts.groups.get_mut("news-blue").unwrap().group
}

fn green_targets(facts: &mut Facts) -> &mut TargetGroup {
    facts.target_groups.get_mut("news-green").unwrap()
}

fn catalogue(name: &str, config: &Config, cases: &[Case]) {
    let mut catalogue = String::new();
    for (name, spoil) in cases {
        let mut facts = facts();
        spoil(&mut facts);
        let found = findings(config, &facts);
        assert!(!found.is_empty(), "{name}: there is no finding");
        catalogue.push_str(&format!("──── {name}\n"));
        for finding in found {
            let (severity, topic) = (finding.severity.name(), finding.topic);
            catalogue.push_str(&format!("{severity}, {topic}: {}\n", finding.message));
            catalogue.push_str(&format!("  = {}\n", finding.remedy));
            if let Some(cli) = finding.cli {
                catalogue.push_str(&format!("  $ {cli}\n"));
            }
        }
        catalogue.push('\n');
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, catalogue);
    });
}

#[test]
fn a_sound_fleet_has_no_findings() {
    assert_eq!(findings(&pair(), &facts()), []);
    assert_eq!(findings(&single(), &facts()), []);
}

#[test]
fn an_unfinished_rollout_is_no_finding() {
    let mut facts = facts();
    facts.rules[1].forward = forward(&[("news-blue", 75), ("news-green", 25)]);
    facts.unfinished = Some("rollout 7 was in bake".into());
    assert_eq!(findings(&pair(), &facts), []);
}

#[test]
fn fleet() {
    catalogue(
        "fleet",
        &pair(),
        &[
            ("no group", |f| drop(f.groups.remove("news-green"))),
            ("no target group", |f| drop(f.target_groups.remove("news-green"))),
            ("network load balancer", |f| f.load_balancers[0].kind = "network".into()),
            ("not attached", |f| green(f).target_groups.clear()),
            ("attached to both", |f| green(f).target_groups.push(target_group_arn("news-blue"))),
            ("two load balancers", |f| green_targets(f).load_balancers = vec!["arn:other".into()]),
            ("a zone that is not enabled", |f| f.load_balancers[0].zones.truncate(1)),
            ("other zones", |f| green(f).zones.truncate(1)),
            ("other zones, no cross-zone", |f| {
                green(f).zones.truncate(1);
                green_targets(f).cross_zone = false;
            }),
            ("other settings", |f| {
                green(f).grace = Duration::from_secs(60);
                green_targets(f).port = 8080;
                green_targets(f).health_path = "/".into();
            }),
            ("no room", |f| green(f).capacity.max = 3),
            ("nothing live", |f| blue(f).capacity.desired = 0),
            ("no grace", |f| {
                blue(f).grace = Duration::ZERO;
                green(f).grace = Duration::ZERO;
            }),
            ("EC2 health only", |f| {
                blue(f).elb_health = false;
                green(f).elb_health = false;
            }),
            ("suspended processes", |f| {
                let names = ["AZRebalance", "Launch", "ScheduledActions"];
                green(f).suspended = names.map(str::to_owned).into();
            }),
            ("protected and standby", |f| {
                let mut instances = group("news-green", 2).group.instances;
                instances[0].protected = true;
                instances[1].lifecycle = Lifecycle::Standby;
                green(f).instances = instances;
            }),
        ],
    );
}

#[test]
fn launch_template() {
    catalogue(
        "launch_template",
        &pair(),
        &[
            ("at $Latest", |f| {
                green(f).source = TemplateSource::Template(template(VersionSpec::Latest));
            }),
            ("another group at $Latest", |f| {
                let mut other = group("batch", 1).group;
                other.source = TemplateSource::Template(template(VersionSpec::Latest));
                f.users.push(other);
            }),
            ("another group at $Default, mixed", |f| {
                let mut other = group("batch", 1).group;
                other.source = TemplateSource::Mixed {
                    template: template(VersionSpec::Default),
                    attribute_based: false,
                    overrides_have_templates: false,
                };
                f.users.push(other);
            }),
            ("another template", |f| {
                let mut other = template(VersionSpec::Number(1));
                (other.id, other.name) = ("lt-02".into(), "olds".into());
                green(f).source = TemplateSource::Template(other);
            }),
            ("launch configuration", |f| green(f).source = TemplateSource::Other),
            ("attributes", |f| {
                green(f).source = TemplateSource::Mixed {
                    template: template(VersionSpec::Number(1)),
                    attribute_based: true,
                    overrides_have_templates: false,
                };
            }),
            ("overrides", |f| {
                green(f).source = TemplateSource::Mixed {
                    template: template(VersionSpec::Number(1)),
                    attribute_based: false,
                    overrides_have_templates: true,
                };
            }),
            ("near the quota", |f| f.versions = 9_950),
            ("a full quota", |f| f.versions = 10_000),
            ("no profile, one hop", |f| {
                let live = f.live.as_mut().unwrap();
                live.instance_profile = None;
                live.hop_limit = Some(1);
            }),
        ],
    );
}

#[test]
fn rules() {
    catalogue(
        "rules",
        &pair(),
        &[
            ("no rule", |f| drop(f.rules.remove(1))),
            ("split without a record", |f| {
                f.rules[1].forward = forward(&[("news-blue", 75), ("news-green", 25)]);
            }),
            ("rules disagree", |f| {
                let other = Rule {
                    id: RuleId::ListenerDefault(format!("{ELB}:listener/app/news/01/03")),
                    listener: format!("{ELB}:listener/app/news/01/03"),
                    priority: None,
                    conditions: RuleConditions::default(),
                    forward: forward(&[("news-green", 1)]),
                };
                f.rules.push(other);
            }),
            ("a third target group", |f| {
                f.rules[1].forward = forward(&[("news-blue", 1), ("olds", 0)]);
            }),
            ("no test rule", |f| drop(f.rules.remove(0))),
            ("a test rule too late", |f| f.rules[0].priority = Some(20)),
            ("a test rule that goes elsewhere", |f| f.rules[0].forward = forward(&[("olds", 1)])),
            ("group stickiness", |f| {
                let stickiness = Some(Stickiness { seconds: 3600 });
                f.rules[1].forward.as_mut().unwrap().stickiness = stickiness;
            }),
            ("target stickiness", |f| green_targets(f).sticky = true),
            ("slow start", |f| green_targets(f).slow_start = Duration::from_secs(60)),
        ],
    );
}

#[test]
fn configured_rules() {
    let rules = format!("traffic:\n  rules: [\"{}\", \"{}\"]", rule_arn("all"), rule_arn("gone"));
    let config = cutover_config::parse(&PAIR.replace("traffic:", &rules), "cutover.yaml").unwrap();
    catalogue(
        "configured_rules",
        &config,
        &[
            ("missing", |_| {}),
            ("not configured", |f| {
                let mut other = f.rules[1].clone();
                other.id = rule_arn("other");
                f.rules.push(other);
            }),
            ("names neither", |f| f.rules[1].forward = forward(&[("olds", 1)])),
            ("forwards nowhere", |f| f.rules[1].forward = None),
        ],
    );
}

#[test]
fn external_changes() {
    catalogue(
        "external_changes",
        &pair(),
        &[
            ("a refresh", |f| {
                f.groups.get_mut("news-green").unwrap().refreshes = vec![InstanceRefresh {
                    id: "08b91cf7".into(),
                    status: RefreshStatus::InProgress,
                    reason: None,
                    percent: Some(50),
                    remaining: Some(1),
                    started: None,
                    desired: None,
                    preferences: None,
                }];
            }),
            ("a scheduled action", |f| {
                let action = |name: &str, at: &str| ScheduledAction {
                    name: name.into(),
                    at: Some(at.parse().unwrap()),
                    min: Some(1),
                    max: None,
                    desired: Some(1),
                    recurring: true,
                };
                f.groups.get_mut("news-green").unwrap().scheduled = vec![
                    action("cutover-scale-in", "2026-10-01T09:10:00Z"),
                    action("night", "2026-10-01T09:30:00Z"),
                    action("morning", "2026-10-02T06:00:00Z"),
                ];
            }),
            ("no repository", |f| {
                let host = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";
                f.missing_repositories = vec![format!("{host}/news").parse().unwrap()];
            }),
            ("an alarm that fires", |f| {
                f.alarms.insert("news-p99".into(), AlarmState::Alarm);
            }),
            ("an alarm without data", |f| {
                f.alarms.insert("news-p99".into(), AlarmState::InsufficientData);
            }),
            ("no alarm", |f| f.alarms.clear()),
        ],
    );
}

#[test]
fn one_group() {
    catalogue(
        "one_group",
        &single(),
        &[
            ("one instance", |f| blue(f).capacity.desired = 1),
            ("EC2 health only", |f| blue(f).elb_health = false),
            ("AMI by parameter", |f| {
                let live = f.live.as_mut().unwrap();
                live.image_id = Some("resolve:ssm:/ami/news".into());
            }),
            ("an alarm without data", |f| {
                f.alarms.insert("news-p99".into(), AlarmState::InsufficientData);
            }),
            ("not attached", |f| blue(f).target_groups.clear()),
        ],
    );
}
