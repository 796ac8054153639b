//! What `cutover.yaml` means: the documentation's examples, the defaults and the JSON Schema.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use std::time::Duration;

use cutover_config::{Fleet, ScaleIn, UserData};
use cutover_rollout::model::{RuleId, Strategy};

const MINIMAL: &str = "version: 1
service: web
region: ap-northeast-2
role: arn:aws:iam::123456789012:role/deploy-web
image: { push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web] }
fleet: { group: web }
strategy: rolling
";

const FULL: &str = r#"version: 1
service: web
region: ap-northeast-2
account: "123456789012"
role: arn:aws:iam::123456789012:role/deploy-web
image:
  push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web]
  tags: ["{commit}"]
  base: docker.io/library/debian:13@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  files:
    - { from: site/, to: /srv/www/, owner: 33, mode: 0640 }
    - { from: serve-arm, to: /srv/serve, platform: linux/arm64 }
  entrypoint: [/srv/serve]
  env: { PORT: "8080" }
  platforms: [linux/arm64, linux/amd64]
template:
  base: web
  own: web
  user_data: { file: deploy/user-data.sh }
fleet:
  blue:  { group: web-blue,  target_group: web-blue }
  green: { group: web-green, target_group: web-green }
  size: match
traffic:
  rules: ["arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener-rule/app/web/1/2/3"]
  test: { header: { X-Cutover: next }, url: "https://www.example.com/" }
strategy: canary
canary:  { steps: [5, 25, 50, 100], bake: 5m }
linear:  { step: 10, every: 2m }
rolling: { min_healthy: 100, max_healthy: 150, checkpoints: [20, 100], bake: 10m }
smoke:   [{ path: /healthz, status: 200 }]
judge:   { errors_5xx: { max: 1%, min_requests: 500 }, alarms: [web-p99] }
rollback_window: 1h30m
scale_in: manual
deadlines: { refresh: 20m, healthy: 10m, evidence: 30m }
"#;

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

#[test]
fn the_minimal_file_gets_every_default() {
    let config = cutover_config::parse(MINIMAL, "cutover.yaml").unwrap();
    assert_eq!(config.strategy, Strategy::Rolling);
    assert_eq!(config.account.as_deref(), Some("123456789012"), "from the role");
    assert_eq!(config.groups(), ["web"]);
    assert_eq!(config.steps(), []);
    assert_eq!((config.rolling.min_healthy, config.rolling.max_healthy), (100, 150));
    assert_eq!(config.rolling.bake, minutes(5));
    assert_eq!(config.deadlines.refresh, minutes(20));
    assert_eq!(config.rollback_window, minutes(30));
    assert_eq!(config.scale_in, ScaleIn::Scheduled);
    assert_eq!(config.template.user_data, UserData::Rewrite);
    let error = config.assembly().unwrap_err();
    insta::assert_snapshot!(error, @r"
    cutover.yaml: the configuration does not define an image
      = add `image.push`, and `image.files` or `image.build: {}`, or deploy an image that is already in the registry with `--image repository@sha256:…`
    ");
}

#[test]
fn the_full_file_means_what_it_says() {
    let config = cutover_config::parse(FULL, "cutover.yaml").unwrap();
    let Fleet::Pair(pair) = &config.fleet else { panic!("two groups") };
    assert_eq!(pair.green.target_group, "web-green");
    let rules = config.traffic.rules.clone().unwrap();
    assert!(matches!(&rules[..], [RuleId::Rule(arn)] if arn.ends_with("/3")));
    let test = config.traffic.test.clone().unwrap();
    assert_eq!(test.header, ("X-Cutover".to_owned(), "next".to_owned()));
    assert_eq!(test.url.as_deref(), Some("https://www.example.com"));
    let percents: Vec<u8> = config.steps().iter().map(|step| step.percent).collect();
    assert_eq!(percents, [5, 25, 50, 100]);
    assert_eq!(config.judge.errors.unwrap().share, 0.01);
    assert_eq!(config.rollback_window, minutes(90));
    let (push, assembly) = config.assembly().unwrap();
    assert_eq!(push.path(), "web");
    assert_eq!(assembly.platform.to_string(), "linux/arm64");
    assert_eq!(assembly.platforms.len(), 2);
    assert_eq!(assembly.base.as_ref().unwrap().repository.path(), "library/debian");
    let site = &assembly.files[0];
    assert_eq!((site.owner.unwrap().gid, site.mode.unwrap().to_string()), (33, "0640".to_owned()));
    assert_eq!(assembly.files[1].platform.as_ref(), Some(&assembly.platform));
}

#[test]
fn strategies_become_steps() {
    let percents = |strategy: &str| {
        let text = FULL.replace("strategy: canary", &format!("strategy: {strategy}"));
        let config =
            cutover_config::parse(&text.replace("step: 10", "step: 30"), "cutover.yaml").unwrap();
        config.steps().iter().map(|step| (step.percent, step.bake)).collect::<Vec<_>>()
    };
    assert_eq!(percents("blue-green"), [(100, minutes(5))]);
    let two = minutes(2);
    assert_eq!(percents("linear"), [(30, two), (60, two), (90, two), (100, two)]);
}

#[test]
fn the_hash_depends_only_on_the_meaning() {
    let hash =
        |text: &str| cutover_config::hash(&cutover_config::parse(text, "cutover.yaml").unwrap());
    let commented = format!("# a comment\n{MINIMAL}rollback_window: 30m\n");
    assert_eq!(hash(MINIMAL), hash(&commented));
    assert_ne!(hash(MINIMAL), hash(&format!("{MINIMAL}rollback_window: 31m\n")));
    assert_ne!(
        hash(FULL),
        hash(&FULL.replace("  tags:", "  attach: { provenance: true }\n  tags:"))
    );
    let ecr = FULL.replace("  tags:", "  ecr: { create: true }\n  tags:");
    assert_ne!(hash(FULL), hash(&ecr));
    // A later version of cutover resumes what this one has begun: a key that is not set must not change the hash.
    let known = "40c06076a82be81891216faaac5cae7fd91129f582864db14261c14fbe78a55a";
    assert_eq!(hash(MINIMAL), known);
}

/// In YAML 1.1 `no` and `yes` are booleans, too.
#[test]
fn only_true_and_false_are_booleans() {
    let text = MINIMAL.replace("service: web", "service: no");
    assert_eq!(cutover_config::parse(&text, "cutover.yaml").unwrap().service, "no");
    let pull = |value: &str| {
        let build = format!("amazonaws.com/web], build: {{ pull: {value} }} }}");
        cutover_config::parse(&MINIMAL.replace("amazonaws.com/web] }", &build), "cutover.yaml")
    };
    assert!(pull("true").is_ok_and(|config| config.image.build.unwrap().pull));
    assert!(pull("yes").is_err());
}

/// `UPDATE_SCHEMA=1 cargo test -p cutover-config` writes the file.
#[test]
fn the_json_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../cutover.schema.json");
    let current = serde_json::to_string_pretty(&cutover_config::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == current, "cutover.schema.json is stale: run again with UPDATE_SCHEMA=1");
}

#[test]
fn an_image_goes_to_several_registries() {
    let text = FULL.replace(
        "push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web]",
        "push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web, ghcr.io/acme/web]\n  ecr: { create: true, scan: { fail_on: high } }",
    );
    let config = cutover_config::parse(&text, "cutover.yaml").unwrap();
    let hosts: Vec<_> = config.image.push.iter().map(|to| to.registry()).collect();
    assert_eq!(hosts, ["123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", "ghcr.io"]);
    assert_eq!(config.assembly().unwrap().0, &config.image.push[0]);
    let ecr = config.image.ecr;
    assert!(ecr.create.is_some_and(|new| new.scan_on_push && !new.immutable));
    assert_eq!(ecr.scan.unwrap().wait, minutes(5));
}
