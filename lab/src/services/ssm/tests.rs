//! The lock that a ledger relies on, limits and pages.

use super::*;
use crate::wire::{Principal, Service, map};

fn world() -> World {
    World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
}

fn ask(world: &mut World, operation: &str, input: Value) -> ApiResult<Value> {
    let caller = Principal::anonymous();
    let region = world.region.clone();
    let (service, operation) = (Service::Ssm, operation.to_owned());
    call(world, &Call { service, operation, input, caller, region })
}

fn named(name: &str, value: &str) -> Value {
    map([("Name", name.into()), ("Value", value.into()), ("Type", "String".into())])
}

#[test]
fn exactly_one_put_creates_a_parameter() {
    let mut world = world();
    let first = ask(&mut world, "PutParameter", named("/a/1", "mine")).unwrap();
    assert_eq!(first.int("Version"), Some(1));
    let second = ask(&mut world, "PutParameter", named("/a/1", "yours")).unwrap_err();
    assert_eq!(second.code, "ParameterAlreadyExists");
    assert_eq!(current_value(&world, "/a/1"), Some("mine"));
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
        // Concurrent deletions cause no gap.
        let first = map([("Name", "/cutover/news/rollouts/000000".into())]);
        let _ = ask(&mut world, "DeleteParameter", first);
        if next.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 23);
    assert_eq!(seen[22], "/cutover/news/rollouts/000022");
}

#[test]
fn labels_name_versions_and_move() {
    let mut world = world();
    for value in ["one", "two"] {
        let input = named("/a", value).with("Overwrite", true);
        ask(&mut world, "PutParameter", input).unwrap();
    }
    let label = |version: i64, label: &str| {
        map([
            ("Name", "/a".into()),
            ("ParameterVersion", version.into()),
            ("Labels", Value::List(vec![label.into()])),
        ])
    };
    ask(&mut world, "LabelParameterVersion", label(1, "live")).unwrap();
    let live = |world: &mut World| {
        let answer = ask(world, "GetParameter", map([("Name", "/a:live".into())]));
        answer.map(|a| a.get("Parameter").str("Value").unwrap().to_owned()).map_err(|e| e.code)
    };
    assert_eq!(live(&mut world), Ok("one".to_owned()));
    ask(&mut world, "LabelParameterVersion", label(2, "live")).unwrap();
    assert_eq!(live(&mut world), Ok("two".to_owned()));
    let bad = ask(&mut world, "LabelParameterVersion", label(2, "1st")).unwrap();
    assert_eq!(bad.list("InvalidLabels").len(), 1);
    ask(&mut world, "UnlabelParameterVersion", label(2, "live")).unwrap();
    assert_eq!(live(&mut world), Err("ParameterVersionNotFound".to_owned()));
    assert_eq!(
        ask(&mut world, "LabelParameterVersion", label(9, "x")).unwrap_err().code,
        "ParameterVersionNotFound"
    );
}

#[test]
fn a_label_keeps_its_version() {
    let mut world = world();
    let put = |world: &mut World| {
        ask(world, "PutParameter", named("/a", "v").with("Overwrite", true)).map_err(|e| e.code)
    };
    put(&mut world).unwrap();
    let label = map([("Name", "/a".into()), ("Labels", Value::List(vec!["old".into()]))]);
    ask(&mut world, "LabelParameterVersion", label).unwrap();
    for _ in 1..100 {
        put(&mut world).unwrap();
    }
    assert_eq!(put(&mut world), Err("ParameterMaxVersionLimitExceeded".to_owned()));
}

#[test]
fn puts_are_validated() {
    let mut world = world();
    let code = |world: &mut World, input: Value| {
        ask(world, "PutParameter", input).map(|_| String::new()).unwrap_or_else(|e| e.code)
    };
    assert_eq!(code(&mut world, named("/a", "")), "ValidationException");
    let odd = map([("Name", "/a".into()), ("Value", "v".into()), ("Type", "Sting".into())]);
    assert_eq!(code(&mut world, odd), "ValidationException");
    let digits = || named("/a", "abc").with("AllowedPattern", "[0-9]+");
    assert_eq!(code(&mut world, digits()), "ParameterPatternMismatchException");
    let broken = named("/a", "abc").with("AllowedPattern", "(");
    assert_eq!(code(&mut world, broken), "InvalidAllowedPatternException");
    let large = || named("/a", &"x".repeat(5000));
    assert_eq!(code(&mut world, large()), "ValidationException");
    assert_eq!(code(&mut world, large().with("Tier", "Intelligent-Tiering")), "");
    let smaller = named("/a", "x").with("Overwrite", true).with("Tier", "Standard");
    assert_eq!(code(&mut world, smaller), "ValidationException", "no downgrade");
    world.params.parameter_update_interval = std::time::Duration::from_millis(100);
    let again = || named("/a", "x").with("Overwrite", true);
    assert_eq!(code(&mut world, again()), "TooManyUpdates");
    world.now += jiff::SignedDuration::from_millis(100);
    assert_eq!(code(&mut world, again()), "");
}

#[test]
fn secure_strings_and_public_parameters() {
    let mut world = world();
    let secret = map([
        ("Name", "/s".into()),
        ("Value", "open sesame".into()),
        ("Type", "SecureString".into()),
    ]);
    ask(&mut world, "PutParameter", secret).unwrap();
    let value = |world: &mut World, name: &str, opened: bool| {
        let input = map([("Name", name.into()), ("WithDecryption", opened.into())]);
        let answer = ask(world, "GetParameter", input).unwrap();
        answer.get("Parameter").str("Value").unwrap().to_owned()
    };
    assert_ne!(value(&mut world, "/s", false), "open sesame");
    assert_eq!(value(&mut world, "/s", true), "open sesame");
    let folder = "/aws/service/ami-amazon-linux-latest";
    let image = value(&mut world, &format!("{folder}/al2023-ami-kernel-default-x86_64"), false);
    assert!(world.ec2.amis.contains_key(&image));
    let all = ask(&mut world, "GetParametersByPath", map([("Path", folder.into())])).unwrap();
    assert!(!all.list("Parameters").is_empty());
}

#[test]
fn listings_have_filters() {
    let mut world = world();
    for name in ["/web/a", "/web/deep/b", "plain"] {
        ask(&mut world, "PutParameter", named(name, "v")).unwrap();
    }
    let mut found = |key: &str, option: &str, value: &str| {
        let filter = map([
            ("Key", key.into()),
            ("Option", option.into()),
            ("Values", Value::List(vec![value.into()])),
        ]);
        let input = map([("ParameterFilters", Value::List(vec![filter]))]);
        ask(&mut world, "DescribeParameters", input)
            .map(|answer| {
                let all = answer.list("Parameters").iter();
                all.map(|p| p.str("Name").unwrap().to_owned()).collect::<Vec<_>>()
            })
            .map_err(|e| e.code)
    };
    assert_eq!(found("Path", "OneLevel", "/web"), Ok(vec!["/web/a".to_owned()]));
    assert_eq!(found("Name", "Contains", "deep"), Ok(vec!["/web/deep/b".to_owned()]));
    assert_eq!(found("Type", "Equals", "String").map(|all| all.len()), Ok(3));
    assert_eq!(found("Color", "Equals", "red"), Err("ValidationException".to_owned()));
    assert_eq!(found("Label", "Equals", "x"), Err("InvalidFilterKey".to_owned()));
    assert_eq!(found("Path", "Equals", "/web"), Err("InvalidFilterOption".to_owned()));
}
