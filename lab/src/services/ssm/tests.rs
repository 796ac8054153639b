//! The lock that a ledger stands on, limits and pages.

use super::*;
use crate::wire::{Principal, Service};

fn world() -> World {
    World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
}

fn ask(world: &mut World, operation: &str, input: Value) -> ApiResult<Value> {
    let caller = Principal::nobody();
    let region = world.region.clone();
    let (service, operation) = (Service::Ssm, operation.to_owned());
    call(world, &Call { service, operation, input, caller, region })
}

fn named(name: &str, value: &str) -> Value {
    map([("Name", name.into()), ("Value", value.into()), ("Type", "String".into())])
}

#[test]
fn exactly_one_creates() {
    let mut world = world();
    let first = ask(&mut world, "PutParameter", named("/a/1", "mine")).unwrap();
    assert_eq!(first.int("Version"), Some(1));
    let second = ask(&mut world, "PutParameter", named("/a/1", "yours")).unwrap_err();
    assert_eq!(second.code, "ParameterAlreadyExists");
    assert_eq!(parameter(&world, "/a/1"), Some("mine"));
    let over = named("/a/1", "later").with("Overwrite", true);
    assert_eq!(ask(&mut world, "PutParameter", over).unwrap().int("Version"), Some(2));
    let old = ask(&mut world, "GetParameter", map([("Name", "/a/1:1".into())])).unwrap();
    assert_eq!(old.get("Parameter").str("Value"), Some("mine"));
}

#[test]
fn a_standard_value_has_a_limit() {
    let mut world = world();
    let put =
        |world: &mut World, length| ask(world, "PutParameter", named("/a", &"x".repeat(length)));
    assert_eq!(put(&mut world, 4097).unwrap_err().code, "ValidationException");
    assert!(put(&mut world, 4096).is_ok());
}

#[test]
fn pages_by_path() {
    let mut world = world();
    for n in 0..23 {
        ask(&mut world, "PutParameter", named(&format!("/cutover/news/rollouts/{n:06}"), "v"))
            .unwrap();
    }
    ask(&mut world, "PutParameter", named("/cutover/newsletter/x", "no")).unwrap();
    let (mut seen, mut next) = (Vec::new(), Value::Null);
    loop {
        let input = map([
            ("Path", "/cutover/news".into()),
            ("Recursive", true.into()),
            ("NextToken", next),
        ]);
        let page = ask(&mut world, "GetParametersByPath", input).unwrap();
        seen.extend(page.list("Parameters").iter().map(|p| p.str("Name").unwrap().to_owned()));
        next = page.get("NextToken").clone();
        // What goes meanwhile makes no gap.
        let first = map([("Name", "/cutover/news/rollouts/000000".into())]);
        let _ = ask(&mut world, "DeleteParameter", first);
        if next.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 23);
    assert_eq!(seen[22], "/cutover/news/rollouts/000022");
}
