//! `cutover verify` against the lab: what it reads over the wire is what it checks.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use cutover::preflight::{self, Finding};
use cutover::rehearse::lab;
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_lab::scenario::{GroupSpec, Scenario};
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;

const EXAMPLE: &str = include_str!("../examples/news/cutover.yaml");

fn example() -> Config {
    cutover_config::parse(EXAMPLE, "cutover.yaml").unwrap()
}

/// Returns the findings in the lab's world of `scenario`, abbreviated.
async fn found(scenario: &Scenario, config: &Config) -> Vec<String> {
    let start = "2026-10-01T09:00:00Z".parse().unwrap();
    let world = World::from_scenario(scenario, 1, start).unwrap();
    let net = lab::net(&InProcess::new(world));
    let cloud = Aws::connect(&net, &lab::settings(config)).await.unwrap();
    let facts = preflight::gather(&cloud, config, &config.image.push, None).await.unwrap();
    let brief = |finding: Finding| format!("{}, {}", finding.severity.name(), finding.topic);
    preflight::findings(config, &facts).into_iter().map(brief).collect()
}

/// Returns the default world with one of its groups changed.
fn with_group_changed(group: usize, spoil: impl FnOnce(&mut GroupSpec)) -> Scenario {
    let mut scenario = Scenario::default();
    spoil(&mut scenario.groups[group]);
    scenario
}

#[tokio::test(start_paused = true)]
async fn the_example_fits_the_labs_default_world() {
    assert_eq!(found(&Scenario::default(), &example()).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_group_fits_too() {
    let text = "version: 1
service: news
region: ap-northeast-2
fleet: { group: news }
strategy: rolling
";
    let config = cutover_config::parse(text, "cutover.yaml").unwrap();
    assert_eq!(found(&Scenario::one_group(), &config).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn problems_in_the_account_are_found() {
    let config = example();
    let no_room = with_group_changed(1, |green| green.max = 3);
    assert_eq!(found(&no_room, &config).await, ["error, capacity"]);

    let no_grace = with_group_changed(0, |blue| blue.grace = 0);
    assert_eq!(found(&no_grace, &config).await, ["warning, colors", "error, health checks"]);

    let mut split = Scenario::default();
    split.rules[1].forward = vec![("news-blue".to_owned(), 75), ("news-green".to_owned(), 25)];
    assert_eq!(found(&split, &config).await, ["error, weights"]);

    let mut untested = Scenario::default();
    untested.rules.remove(0);
    assert_eq!(found(&untested, &config).await, ["error, test rule"]);
}

#[tokio::test(start_paused = true)]
async fn missing_resources_are_found() {
    let elsewhere = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        cutover_config::parse(&EXAMPLE.replace(from, to), "cutover.yaml").unwrap()
    };
    let world = Scenario::default();
    let group = elsewhere("group: news-green,", "group: news-gren,");
    assert_eq!(found(&world, &group).await, ["error, group"]);
    let target_group = elsewhere("target_group: news-green", "target_group: news-gren");
    assert_eq!(found(&world, &target_group).await, ["error, target group"]);
    let repository = elsewhere("amazonaws.com/news]", "amazonaws.com/olds]");
    assert_eq!(found(&world, &repository).await, ["error, registry"]);
    let alarm = elsewhere("judge:  { ", "judge:  { alarms: [news-p99], ");
    assert_eq!(found(&world, &alarm).await, ["error, alarms"]);
}
