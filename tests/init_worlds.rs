//! From an account that others built to a rollout, without writing a line by hand: `init`,
//! `verify`, `plan`, `deploy`.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
    pub(crate) mod worlds;
}

use std::fs;

use serde_json::{Value, json};
use support::project::{Ended, Project};
use support::worlds::{Group, Service, World};

/// Runs `init` in an empty folder and checks what it reports to have found.
fn found(world: &World, service: &Service, flags: [&str; 2]) -> (Project, Value) {
    let project = Project::empty();
    let [option, name] = flags;
    let ended = project.run(&world.lab, &["init", option, name, "--repository", "acme/shop"]);
    let found = ended.exited(0).clone();
    assert_eq!(found["complete"], true, "{}", ended.text());
    let mut names: Vec<&str> = service.groups.iter().map(|group| group.group.as_str()).collect();
    names.sort_unstable();
    assert_eq!(found["groups"], json!(names), "{}", ended.text());
    (project, found)
}

fn verified(world: &World, project: &Project) {
    let ended = project.run(&world.lab, &["verify"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
}

/// Plans and deploys an image that is in the repository. `found` is what `init` reported.
fn deployed(world: &World, service: &Service, project: &Project, found: &Value) -> Ended {
    let image = service.v2.as_str();
    let plan = project.run(&world.lab, &["plan", "--image", image]);
    assert_eq!(plan.exited(0)["image"], image, "{}", plan.text());
    let ended = project.run(&world.lab, &["deploy", "--image", image]);
    let outcome = ended.exited(0);
    assert_eq!(outcome["outcome"], "succeeded", "{}", ended.text());
    // `groups` are blue's and green's: the live one no longer has traffic.
    if found["groups"].as_array().unwrap().len() == 2 {
        let (old, new) = match found["groups"][0] == service.live.as_str() {
            true => ("blue", "green"),
            false => ("green", "blue"),
        };
        assert_eq!(outcome["shares"], json!({ old: 0, new: 100 }), "{}", ended.text());
    }
    ended
}

/// For each service of a world, `init` by its load balancer, unless other services share it,
/// followed by `verify`; and `init` by a group, followed by a deployment.
fn each_service_deploys(world: &World) {
    let services = &world.built.services;
    for service in services {
        let is_theirs = |other: &&Service| other.load_balancer == service.load_balancer;
        if services.iter().filter(is_theirs).count() == 1 {
            let (project, found) =
                found(world, service, ["--load-balancer", &service.load_balancer]);
            assert_eq!(found["notes"], json!([]));
            verified(world, &project);
        }
        let (project, found) = found(world, service, ["--group", &service.live]);
        assert_eq!(found["notes"], json!([]));
        verified(world, &project);
        deployed(world, service, &project, &found);
    }
}

fn deploys(world: &'static str) {
    if let Some(world) = World::build(world) {
        each_service_deploys(&world);
    }
}

#[test]
fn the_two_groups_of_the_lab() {
    if let Some(world) = World::of_the_lab("two-groups") {
        each_service_deploys(&world);
    }
}

#[test]
fn the_one_group_of_the_lab() {
    if let Some(world) = World::of_the_lab("one-group") {
        each_service_deploys(&world);
    }
}

#[test]
fn two_groups_with_names_of_their_own() {
    deploys("pair");
}

#[test]
fn names_at_the_limits_of_the_apis() {
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
    let Some(world) = World::build("shared") else { return };
    let ended = Project::empty().run(&world.lab, &["init", "--load-balancer", "acme"]);
    assert_eq!(ended.exited(2)["outcome"], "refused");
    for option in ["--group docs", "--group news", "--group shop-a"] {
        assert!(ended.text().contains(option), "{}", ended.text());
    }
    each_service_deploys(&world);
}

#[test]
fn one_group() {
    deploys("one-group");
}

#[test]
fn a_sticky_rule() {
    deploys("sticky");
}

/// Returns the IDs of the instances of all groups.
fn instances(world: &World) -> Value {
    world.lab.boto(
        "groups = client('autoscaling').describe_auto_scaling_groups()['AutoScalingGroups']
result = sorted(instance['InstanceId'] for group in groups for instance in group['Instances'])",
    )
}

/// Groups at `$Latest` and a tag in the user data: `verify` refuses them until `adopt` has pinned
/// both.
fn deploys_after_adopt(world: &'static str) {
    let Some(world) = World::build(world) else { return };
    let service = world.service();
    let (project, found) = found(&world, service, ["--group", &service.live]);
    let notes = found["notes"].to_string();
    for reason in ["at $Latest", "by the tag `latest`"] {
        assert!(notes.contains(reason), "{notes}");
    }
    let refused = project.run(&world.lab, &["verify"]);
    assert_eq!(refused.exited(2)["outcome"], "refused");

    let before = instances(&world);
    let ended = project.run(&world.lab, &["adopt"]);
    let adopted = ended.exited(0);
    let version = json!({ "number": 2, "source": 1, "tag": "latest", "image": service.v1 });
    assert_eq!(adopted["version"], version, "{}", ended.text());
    let groups = service
        .groups
        .iter()
        .map(|Group { group, .. }| json!({ "group": group, "from": "$Latest", "to": 2 }));
    assert_eq!(adopted["groups"], groups.collect::<Value>(), "{}", ended.text());
    let again = project.run(&world.lab, &["adopt"]);
    assert_eq!(again.exited(0)["groups"], json!([]), "{}", again.text());
    assert_eq!(instances(&world), before, "an instance was replaced");

    verified(&world, &project);
    deployed(&world, service, &project, &found);
}

#[test]
fn two_groups_at_the_latest_version() {
    deploys_after_adopt("latest");
}

#[test]
fn one_group_at_the_latest_version() {
    deploys_after_adopt("latest-one-group");
}

#[test]
fn an_account_built_by_ansible() {
    let Some(world) = World::build("ansible") else { return };
    let again = world.build_again();
    assert_eq!(again.services[0].changed, Some(0), "the second run changed something");
    each_service_deploys(&world);
}

#[test]
fn an_account_with_nothing_but_networks() {
    let Some(world) = World::build("empty") else { return };
    let project = Project::empty();
    let ended = project.run(&world.lab, &["init"]);
    assert_eq!(ended.exited(2)["outcome"], "refused");
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 0);
}
