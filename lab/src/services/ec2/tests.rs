//! Tests of the launch template operations.

use super::call;
use crate::wire::{ApiResult, Call, Principal, Service, Value, map};
use crate::world::World;

fn world() -> World {
    let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
    let data = map([("ImageId", "ami-1".into()), ("InstanceType", "t3.micro".into())]);
    ok(&mut world, "CreateLaunchTemplate", map([("LaunchTemplateData", data)]));
    world
}

fn send(world: &mut World, operation: &str, input: Value) -> ApiResult<Value> {
    let call_ = Call {
        service: Service::Ec2,
        operation: operation.to_owned(),
        input: input.with("LaunchTemplateName", "web"),
        caller: Principal::anonymous(),
        region: "ap-northeast-2".to_owned(),
    };
    call(world, &call_)
}

fn ok(world: &mut World, operation: &str, input: Value) -> Value {
    send(world, operation, input).unwrap()
}

fn refused(world: &mut World, operation: &str, input: Value) -> String {
    send(world, operation, input).unwrap_err().code
}

fn data(machine: &str) -> Value {
    map([("LaunchTemplateData", map([("InstanceType", machine.into())]))])
}

fn describe(world: &mut World, versions: &[&str]) -> Vec<i64> {
    let versions = versions.iter().map(|v| (*v).into()).collect::<Vec<Value>>();
    let input = map([("LaunchTemplateVersion", versions.into())]);
    let answer = ok(world, "DescribeLaunchTemplateVersions", input);
    let items = answer.list("launchTemplateVersionSet");
    items.iter().filter_map(|item| item.int("versionNumber")).collect()
}

#[test]
fn versions_are_numbered_and_found_by_number_or_name() {
    let world = &mut world();
    for machine in ["t3.small", "t3.medium"] {
        ok(world, "CreateLaunchTemplateVersion", data(machine).with("SourceVersion", "1"));
    }
    assert_eq!(describe(world, &[]), [3, 2, 1]);
    assert_eq!(describe(world, &["$Latest", "$Default", "2"]), [3, 1, 2]);
    ok(world, "ModifyLaunchTemplate", map([("SetDefaultVersion", "3".into())]));
    assert_eq!(describe(world, &["$Default"]), [3]);
    let missing = map([("LaunchTemplateVersion", Value::List(vec!["9".into()]))]);
    let code = refused(world, "DescribeLaunchTemplateVersions", missing);
    assert_eq!(code, "InvalidLaunchTemplateId.VersionNotFound");
}

#[test]
fn a_version_without_a_source_has_only_the_given_data() {
    let world = &mut world();
    let machine_image = |answer: &Value| {
        let data = answer.get("launchTemplateVersion").get("launchTemplateData").clone();
        data.str("imageId").map(str::to_owned)
    };
    let bare = ok(world, "CreateLaunchTemplateVersion", data("t3.small"));
    assert_eq!(machine_image(&bare), None);
    let merged =
        ok(world, "CreateLaunchTemplateVersion", data("t3.small").with("SourceVersion", "1"));
    assert_eq!(machine_image(&merged).as_deref(), Some("ami-1"));
}

#[test]
fn a_client_token_makes_one_version() {
    let world = &mut world();
    let operation = "CreateLaunchTemplateVersion";
    let number = |answer: Value| answer.get("launchTemplateVersion").int("versionNumber");
    let first = ok(world, operation, data("t3.small").with("ClientToken", "t"));
    let again = ok(world, operation, data("t3.small").with("ClientToken", "t"));
    assert_eq!((number(first), number(again)), (Some(2), Some(2)));
    let code = refused(world, operation, data("t3.large").with("ClientToken", "t"));
    assert_eq!(code, "IdempotentParameterMismatch");
}

#[test]
fn the_default_version_is_kept_and_numbers_are_not_reused() {
    let world = &mut world();
    ok(world, "CreateLaunchTemplateVersion", data("t3.small"));
    let versions = Value::List(vec!["1".into(), "2".into()]);
    let input = map([("LaunchTemplateVersion", versions)]);
    let answer = ok(world, "DeleteLaunchTemplateVersions", input);
    assert_eq!(answer.list("successfullyDeletedLaunchTemplateVersionSet").len(), 1);
    let kept = &answer.list("unsuccessfullyDeletedLaunchTemplateVersionSet")[0];
    assert_eq!(kept.int("versionNumber"), Some(1));
    ok(world, "CreateLaunchTemplateVersion", data("t3.small"));
    assert_eq!(describe(world, &[]), [3, 1]);
}

#[test]
fn versions_come_in_pages() {
    let world = &mut world();
    for _ in 0..4 {
        ok(world, "CreateLaunchTemplateVersion", data("t3.small"));
    }
    let page = |token: Option<&str>| map([("MaxResults", "2".into()), ("NextToken", token.into())]);
    let mut seen = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let answer = ok(world, "DescribeLaunchTemplateVersions", page(token.as_deref()));
        seen.extend(
            answer.list("launchTemplateVersionSet").iter().filter_map(|v| v.int("versionNumber")),
        );
        token = answer.str("nextToken").map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}
