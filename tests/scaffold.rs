//! `cutover init` without an account: which groups form a service, and that the written
//! configuration parses as what was found.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use cutover::discovery::{
    Account, Fleet, Launch, Service, Unpinnable, choose_services, find_image,
};
use cutover::iam::Gap;
use cutover::scaffold::{ConfigInput, Workflow, cutover_yaml, open_questions, workflow};
use cutover_aws::{TargetGroupSummary, UserData, VersionFacts};
use cutover_config::{Config, Fleet as Configured};
use cutover_rollout::model::{
    Capacity, Color, Forward, Group, LaunchTemplate, LoadBalancer, Rule, RuleConditions, RuleId,
    Strategy, TemplateSource, VersionSpec,
};
use proptest::prelude::*;

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web";

fn arn(name: &str) -> String {
    format!(
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/0123456789abcdef"
    )
}

fn group(name: &str, template: &str, target_groups: &[&str], desired: u32) -> Group {
    let template = LaunchTemplate {
        id: format!("lt-{template}"),
        name: template.to_owned(),
        version: VersionSpec::Number(1),
    };
    Group {
        name: name.to_owned(),
        capacity: Capacity { min: 0, max: 6, desired },
        source: TemplateSource::Template(template),
        instances: Vec::new(),
        zones: vec!["eu-west-1a".to_owned()],
        target_groups: target_groups.iter().map(|name| arn(name)).collect(),
        elb_health: true,
        grace: Duration::from_secs(120),
        suspended: Vec::new(),
    }
}

fn rule(priority: u32, header: Option<(&str, &str)>, weights: &[(&str, u16)]) -> Rule {
    let headers = header.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    let weights = weights.iter().map(|(name, weight)| (arn(name), *weight)).collect();
    Rule {
        id: RuleId::Rule(format!("rule-{priority}")),
        listener: "listener".to_owned(),
        priority: Some(priority),
        conditions: RuleConditions { headers: headers.into_iter().collect(), ..Default::default() },
        forward: Some(Forward { weights, stickiness: None }),
    }
}

fn account(groups: Vec<Group>, rules: Vec<Rule>) -> Account {
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/0123456789abcdef";
    let names = groups.iter().flat_map(|group| group.target_groups.clone());
    let target_groups = names.map(|arn| TargetGroupSummary {
        name: arn.split('/').nth(1).unwrap().to_owned(),
        arn,
        load_balancers: vec![balancer.to_owned()],
        target_type: "instance".to_owned(),
        health_path: "/".to_owned(),
    });
    Account {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        target_groups: target_groups.collect(),
        load_balancers: vec![LoadBalancer {
            arn: balancer.to_owned(),
            dns_name: "front-1.eu-west-1.elb.amazonaws.com".to_owned(),
            zones: vec!["eu-west-1a".to_owned()],
            kind: "application".to_owned(),
        }],
        listeners: Vec::new(),
        rules,
        groups,
        gaps: Vec::new(),
    }
}

fn found(account: &Account) -> Vec<Vec<String>> {
    let services = choose_services(account, &[], None).unwrap();
    let names = |service: &Service| service.groups().iter().map(|g| g.name.clone()).collect();
    services.iter().map(names).collect()
}

fn live(service: &Service) -> Option<Color> {
    match &service.fleet {
        Fleet::Pair { live, .. } => *live,
        Fleet::Single(_) => None,
    }
}

#[test]
fn groups_in_one_weighted_rule_are_a_pair() {
    let account = account(
        vec![
            group("web-b", "t1", &["b"], 0),
            group("web-a", "t2", &["a"], 4),
            group("batch", "t3", &[], 1),
        ],
        vec![rule(10, None, &[("a", 100), ("b", 0)])],
    );
    assert_eq!(found(&account), [vec!["batch".to_owned()], vec!["web-a".into(), "web-b".into()]]);
    let service = choose_services(&account, &["web-b".to_owned()], None).unwrap().remove(0);
    assert_eq!(live(&service), Some(Color::Blue));
}

#[test]
fn groups_of_one_template_are_a_pair_if_only_one_has_traffic() {
    let groups = || vec![group("web-a", "t", &["a"], 4), group("web-b", "t", &["b"], 0)];
    let test = rule(1, Some(("X-Cutover", "next")), &[("b", 1)]);
    let turns = account(groups(), vec![test.clone(), rule(10, None, &[("a", 1)])]);
    let service = choose_services(&turns, &["web-a".to_owned()], None).unwrap().remove(0);
    let header = service.test.as_ref().map(|(_, header)| header.clone());
    assert_eq!(header, Some(("X-Cutover".to_owned(), "next".to_owned())));
    assert_eq!(service.rules.len(), 1);
    let both = account(groups(), vec![rule(9, None, &[("a", 1)]), rule(10, None, &[("b", 1)])]);
    assert_eq!(found(&both), [vec!["web-a".to_owned()], vec!["web-b".to_owned()]]);
}

#[test]
fn a_rule_for_some_browsers_is_no_test_rule() {
    let mobile = rule(1, Some(("User-Agent", "*Mobile*")), &[("a", 1)]);
    let account = account(
        vec![group("web-a", "t", &["a"], 4), group("web-b", "t", &["b"], 0)],
        vec![mobile, rule(10, None, &[("a", 100), ("b", 0)])],
    );
    let service = choose_services(&account, &["web-a".to_owned()], None).unwrap().remove(0);
    assert!(service.test.is_none());
    assert_eq!(service.rules.len(), 2);
}

/// A successful rollout leaves the test rule at the side that is live then.
#[test]
fn a_test_rule_is_found_after_a_rollout_too() {
    let groups = vec![group("a", "t", &["a"], 2), group("b", "t", &["b"], 2)];
    let rules = |header| {
        vec![
            rule(5, Some((header, "next")), &[("b", 100)]),
            rule(10, None, &[("a", 0), ("b", 100)]),
        ]
    };
    let found = |header| {
        let account = account(groups.clone(), rules(header));
        choose_services(&account, &[], None).unwrap().remove(0).test.is_some()
    };
    assert!(found("X-Cutover"));
    assert!(!found("User-Agent"), "a rule of the service's own");
}

#[test]
fn three_groups_behind_one_rule_are_no_pair() {
    let account = account(
        vec![group("a", "t1", &["a"], 1), group("b", "t2", &["b"], 1), group("c", "t3", &["c"], 1)],
        vec![rule(10, None, &[("a", 1), ("b", 1), ("c", 1)])],
    );
    assert_eq!(found(&account).len(), 3);
    let said =
        choose_services(&account, &["a".to_owned(), "c".to_owned()], None).unwrap().remove(0);
    assert_eq!(said.groups().len(), 2);
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let account = account(vec![group("web-a", "t", &["a"], 1)], vec![rule(1, None, &[("a", 1)])]);
    let refused = choose_services(&account, &["web-x".to_owned()], None).unwrap_err();
    assert!(refused.contains("`web-x`") && refused.contains("`web-a`"), "{refused}");
    let refused = choose_services(&account, &[], Some("bakc")).unwrap_err();
    assert!(refused.contains("`front`"), "{refused}");
    let by_dns =
        choose_services(&account, &[], Some("FRONT-1.eu-west-1.elb.amazonaws.com")).unwrap();
    assert_eq!(by_dns.len(), 1);
}

fn launch(script: &str, requests: Option<u64>) -> Launch {
    Launch {
        template: LaunchTemplate {
            id: "lt-t".to_owned(),
            name: "web".to_owned(),
            version: VersionSpec::Number(3),
        },
        version: Some(VersionFacts {
            number: 3,
            description: None,
            created: None,
            user_data: UserData::Bytes(script.as_bytes().to_vec()),
            instance_profile: None,
            image_id: None,
            hop_limit: None,
            tagged: Vec::new(),
        }),
        image: Some(find_image(Some(script.as_bytes()), |_| true)),
        requests,
        unpinned: Vec::new(),
    }
}

fn written(
    account: &Account,
    service: &Service,
    launch: &Launch,
    dockerfile: bool,
) -> (String, Config) {
    let surroundings = ConfigInput { name: "web", dockerfile };
    let text = cutover_yaml(account, service, Some(launch), surroundings).unwrap();
    let config =
        cutover_config::parse(&text, "cutover.yaml").unwrap_or_else(|why| panic!("{why}\n{text}"));
    (text, config)
}

#[test]
fn one_group_rolls_and_a_pair_is_a_canary() {
    let account = account(
        vec![
            group("solo", "s", &["s"], 2),
            group("web-a", "t", &["a"], 4),
            group("web-b", "t", &["b"], 0),
        ],
        vec![rule(9, None, &[("s", 1)]), rule(10, None, &[("a", 100), ("b", 0)])],
    );
    let launch = launch(&format!("docker run {ECR}:v1\n"), Some(2_000));
    let choose =
        |name: &str| choose_services(&account, &[name.to_owned()], None).unwrap().remove(0);
    let (text, config) = written(&account, &choose("solo"), &launch, true);
    assert_eq!(config.strategy, Strategy::Rolling, "{text}");
    assert!(config.image.build.is_some(), "{text}");
    let (text, config) = written(&account, &choose("web-a"), &launch, false);
    assert_eq!(config.strategy, Strategy::Canary, "{text}");
    assert_eq!(config.image.push[0].to_string(), ECR, "{text}");
    assert!(config.judge.errors.is_some(), "errors are judged if there are requests:\n{text}");
    insta::assert_snapshot!("pair", text);
}

#[test]
fn unknown_settings_become_comments() {
    let mut account = account(vec![group("web", "t", &["a"], 1)], Vec::new());
    account.gaps = vec![Gap::denied(
        "elasticloadbalancing:DescribeRules".to_owned(),
        "which rules forward to the groups".to_owned(),
    )];
    let service = choose_services(&account, &[], None).unwrap().remove(0);
    let launch =
        launch("TAG=v1\ndocker run 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:$TAG\n", None);
    assert!(matches!(launch.image, Some(Err(Unpinnable::Refused(..)))));
    let (text, config) = written(&account, &service, &launch, true);
    assert_eq!(config.image.push[0].to_string(), ECR, "{text}");
    insta::assert_snapshot!("gaps", text);
    insta::assert_snapshot!("open", open_questions(&account, &service, Some(&launch)).join("\n"));
}

#[test]
fn the_workflow_builds_or_takes_an_image() {
    let of = |builds| {
        workflow(&Workflow {
            service: "web",
            environment: "production",
            role: "arn:aws:iam::123456789012:role/deploy-web",
            builds,
            packages: builds,
        })
        .unwrap()
    };
    insta::assert_snapshot!("workflow_that_builds", of(true));
    insta::assert_snapshot!("workflow_for_an_image", of(false));
}

proptest! {
    /// Names contain whatever Auto Scaling allows: any characters of any script, except control
    /// characters.
    #[test]
    fn names_survive_a_round_trip(
        blue in "[^\\p{C}]{1,30}", green in "[^\\p{C}]{1,30}", header in "[!-)+->@-~]{1,20}",
    ) {
        prop_assume!(blue != green && !blue.trim().is_empty() && !green.trim().is_empty());
        let account = account(
            vec![group(&blue, "t", &["a"], 4), group(&green, "t", &["b"], 0)],
            vec![rule(1, Some(("X-Cutover", &header)), &[("b", 1)]), rule(10, None, &[("a", 1)])],
        );
        let service = choose_services(&account, &[blue.clone(), green.clone()], None).unwrap().remove(0);
        let launch = launch(&format!("docker run {ECR}:v1\n"), None);
        let (text, config) = written(&account, &service, &launch, false);
        let Configured::Pair(pair) = &config.fleet else { panic!("{text}") };
        let mut names = [pair.blue.group.clone(), pair.green.group.clone()];
        let mut wanted = [blue, green];
        names.sort();
        wanted.sort();
        prop_assert_eq!(names, wanted);
        let route = config.traffic.test.unwrap().header;
        prop_assert_eq!(route, ("X-Cutover".to_owned(), header));
    }
}
