//! The accounts of `tests/worlds` are ones that cutover deploys to, with a `cutover.yaml` written by
//! hand: where `cutover init` fails in one, the fault is in `init`.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
    pub(crate) mod worlds;
}

use serde_json::json;
use support::project::Project;
use support::worlds::{Service, World};

/// `cutover.yaml` for a service, its first group blue.
fn configuration(world: &World, service: &Service) -> String {
    let (built, name) = (&world.built, &service.service);
    let member = |n: usize| {
        let group = &service.groups[n];
        format!("{{ group: {}, target_group: {} }}", json!(group.group), group.target_group)
    };
    let (region, account) = (&built.region, &built.account);
    let mut yaml =
        format!("version: 1\nservice: {name}\nregion: {region}\naccount: \"{account}\"\n");
    if service.groups.len() == 1 {
        yaml += &format!("fleet: {}\nstrategy: rolling\nrolling: {{ bake: 1m }}\n", member(0));
        return yaml;
    }
    yaml += &format!("fleet: {{ blue: {}, green: {} }}\n", member(0), member(1));
    yaml += "strategy: canary\ncanary: { steps: [50, 100], bake: 1m }\n";
    if let Some((name, value)) = &service.test {
        yaml += &format!("traffic: {{ test: {{ header: {{ {name}: {} }} }} }}\n", json!(value));
    }
    yaml
}

/// A folder with that `cutover.yaml`.
fn project(world: &World, service: &Service) -> Project {
    let project = Project::empty();
    project.write("cutover.yaml", &configuration(world, service));
    project
}

/// Verifies, plans and deploys version 2 of every service of a world.
fn deploys(world: &'static str) {
    if let Some(world) = World::build(world) {
        each_service_deploys(&world);
    }
}

fn each_service_deploys(world: &World) {
    for service in &world.built.services {
        let (project, image) = (project(world, service), service.v2.as_str());
        let verified = project.run(&world.lab, &["verify"]);
        assert_eq!(verified.exited(0)["outcome"], "succeeded", "{}", verified.text());
        let planned = project.run(&world.lab, &["plan", "--image", image]);
        assert_eq!(planned.exited(0)["previous_version"], 1, "{}", planned.text());
        let deployed = project.run(&world.lab, &["deploy", "--image", image]);
        assert_eq!(deployed.exited(0)["outcome"], "succeeded", "{}", deployed.text());
    }
}

/// What every verb refuses, until `cutover adopt` has been run.
fn is_refused(world: &'static str) {
    let Some(world) = World::build(world) else { return };
    let (project, service) = (project(&world, world.service()), world.service());
    for verb in [&["verify"][..], &["deploy", "--image", &service.v2]] {
        let ended = project.run(&world.lab, verb);
        assert_eq!(ended.exited(2)["outcome"], "refused");
        assert!(ended.text().contains("$Latest is 1 now"), "{}", ended.text());
    }
}

#[test]
fn two_groups_with_names_of_their_own() {
    deploys("pair");
}

#[test]
fn names_at_the_edge_of_what_the_apis_take() {
    deploys("names");
}

#[test]
fn groups_of_mixed_instances() {
    deploys("mixed");
}

#[test]
fn several_listeners_with_several_rules() {
    deploys("listeners");
}

#[test]
fn two_services_in_one_account() {
    deploys("two-services");
}

#[test]
fn three_services_behind_one_load_balancer() {
    deploys("shared");
}

#[test]
fn one_group() {
    deploys("one-group");
}

#[test]
fn a_sticky_rule() {
    deploys("sticky");
}

#[test]
fn two_groups_at_the_latest_version() {
    is_refused("latest");
}

#[test]
fn one_group_at_the_latest_version() {
    is_refused("latest-one-group");
}

#[test]
fn an_account_of_ansible() {
    let Some(world) = World::build("ansible") else { return };
    let again = world.build_again();
    assert_eq!(again.services[0].changed, Some(0), "the second run changed something");
    each_service_deploys(&world);
}
