//! The bounds of what `cutover.yaml` may say: the last value that is accepted, and the first that is not; and what each
//! key of `image.build` and `image.attach` becomes.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use std::time::Duration;

use cutover_config::{Build, Config, SecretSource};

const REPOSITORY: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web";

/// Returns a configuration with these members of `image`, besides `push`, and these lines.
fn text(image: &str, lines: &str) -> String {
    format!(
        "version: 1\nservice: web\nregion: ap-northeast-2\n\
         image: {{ push: [{REPOSITORY}]{image} }}\nfleet: {{ group: web }}\nstrategy: rolling\n{lines}"
    )
}

fn parse(text: &str) -> Result<Config, String> {
    cutover_config::parse(text, "cutover.yaml").map_err(|error| error.to_string())
}

fn image(members: &str) -> Config {
    parse(&text(members, "")).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that the image with these members is refused, with a message that contains `why`.
fn refused_image(members: &str, why: &str) {
    let error = parse(&text(members, "")).err().unwrap_or_else(|| panic!("{members}"));
    assert!(error.contains(why), "{error}");
}

/// Two groups instead of one.
const PAIR: &str =
    "fleet: { blue: { group: a, target_group: a }, green: { group: b, target_group: b } }";

const FILES: &str = ", files: [{ from: site/, to: /srv/www/ }]";

#[test]
fn a_tag_has_up_to_128_characters() {
    let longest = "a".repeat(128);
    let tags = format!(", tags: [{longest}, _x, \"{{commit}}\"]{FILES}");
    assert_eq!(image(&tags).image.tags, [longest.as_str(), "_x", "{commit}"]);
    refused_image(&format!(", tags: [a{longest}]{FILES}"), "is not a valid tag");
    for tag in [".x", "-x", "a+b", "{sha}", "''"] {
        refused_image(&format!(", tags: [\"{tag}\"]{FILES}"), "is not a valid tag");
    }
}

#[test]
fn a_port_is_from_1_to_65535() {
    let ports =
        image(&format!(", expose: [1, 65535/udp, 8080/tcp]{FILES}")).image.assembly.unwrap();
    assert_eq!(ports.exposed_ports, ["1", "65535/udp", "8080/tcp"]);
    for port in ["0", "65536", "80/sctp"] {
        refused_image(&format!(", expose: [\"{port}\"]{FILES}"), "is not a port");
    }
}

#[test]
fn an_assembled_image_has_what_its_keys_say() {
    let made = image(&format!(
        ", entrypoint: [/serve], cmd: [--port, '80'], user: www, workdir: /srv{FILES}"
    ));
    assert!(made.image.has_source());
    let assembly = made.image.assembly.unwrap();
    assert_eq!(assembly.entrypoint.unwrap(), ["/serve"]);
    assert_eq!(assembly.cmd.unwrap(), ["--port", "80"]);
    assert_eq!(assembly.user.as_deref(), Some("www"));
    assert_eq!(assembly.workdir.as_deref(), Some("/srv"));
    refused_image(&format!(", workdir: srv{FILES}"), "is not an absolute path");
    refused_image(&format!(", workdir: /srv/../etc{FILES}"), "is not an absolute path");
}

#[test]
fn a_build_has_what_its_keys_say() {
    let given = image(
        ", labels: { a: b }, platform: linux/arm64, build: { context: app, dockerfile: D, target: t, \
         args: { A: '1', B: null }, secrets: { s: { env: S }, f: { file: g } }, ssh: [default, x=/sock], \
         cache_from: [c], inline_cache: true, pull: true }",
    );
    assert!(given.image.has_source());
    let secret = |id: &str, from| (id.to_owned(), from);
    let expected = Build {
        context: "app".into(),
        dockerfile: "D".into(),
        target: Some("t".to_owned()),
        args: [("A".to_owned(), Some("1".to_owned())), ("B".to_owned(), None)].into(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        platform: Some("linux/arm64".to_owned()),
        secrets: [
            secret("s", SecretSource::Env("S".to_owned())),
            secret("f", SecretSource::File("g".into())),
        ]
        .into(),
        ssh: [("default".to_owned(), None), ("x".to_owned(), Some("/sock".into()))].into(),
        cache_from: vec!["c".to_owned()],
        inline_cache: true,
        pull: true,
    };
    assert_eq!(given.image.build, Some(expected));
    let plain = image(", build: {}").image.build.unwrap();
    let expected =
        Build { context: ".".into(), dockerfile: "Dockerfile".into(), ..Build::default() };
    assert_eq!(plain, expected);
    refused_image(", build: {}, platforms: [linux/arm64]", "an engine builds for one platform");
    refused_image(", build: {}, cmd: [x]", "has no effect with `build`");
}

#[test]
fn attachments_need_an_image_that_is_made_here() {
    let attached = image(&format!(", attach: {{ sbom: sbom.json, provenance: true }}{FILES}"));
    let attach = attached.image.attach;
    assert_eq!(attach.sbom.as_deref(), Some("sbom.json".as_ref()));
    assert!(attach.provenance);
    let none = image(FILES).image.attach;
    assert_eq!((none.sbom, none.provenance), (None, false));
    refused_image(", attach: { provenance: true }", "cutover does not build or assemble an image");
    refused_image(&format!(", attach: {{ sbom: '' }}{FILES}"), "a file path");
    assert!(!image("").image.has_source());
}

/// Instances pull from the first repository; only there another Region costs time and money.
#[test]
fn another_region_is_refused_for_the_first_repository_of_an_image_that_is_made_here() {
    let push = |first: &str, second: &str, files: &str| {
        let text = text(files, "");
        let registry = |region: &str| REPOSITORY.replace("ap-northeast-2", region);
        parse(&text.replace(REPOSITORY, &format!("{}, {}", registry(first), registry(second))))
    };
    assert!(push("ap-northeast-2", "us-east-1", FILES).is_ok());
    assert!(push("us-east-1", "ap-northeast-2", "").is_ok());
    let refused = push("us-east-1", "ap-northeast-2", FILES).unwrap_err();
    assert!(refused.contains("this registry is in us-east-1"), "{refused}");
}

#[test]
fn rolling_settings_have_bounds() {
    let rolling = |members: &str| parse(&text("", &format!("rolling: {{ {members} }}\n")));
    let widest = rolling("min_healthy: 90, max_healthy: 190, bake: 48h").unwrap().rolling;
    assert_eq!((widest.min_healthy, widest.max_healthy), (90, 190));
    assert_eq!(widest.bake, Duration::from_secs(48 * 3600));
    let refused = rolling("min_healthy: 90, max_healthy: 191").unwrap_err();
    assert!(refused.contains("`max_healthy` is 101 above `min_healthy`"), "{refused}");
    assert!(rolling("bake: 48h1s").unwrap_err().contains("at most 48 hours"));
}

#[test]
fn an_instance_refresh_has_at_most_ten_alarms() {
    let judge = |count: usize| {
        let alarms: Vec<String> = (0..count).map(|n| format!("a{n}")).collect();
        format!("judge: {{ alarms: [{}] }}\n", alarms.join(", "))
    };
    assert_eq!(parse(&text("", &judge(10))).unwrap().judge.alarms.len(), 10);
    let refused = parse(&text("", &judge(11))).unwrap_err();
    assert!(refused.contains("supports at most 10 alarms"), "{refused}");
    // Two groups have no such limit.
    let canary = text("", &judge(11)).replace("fleet: { group: web }", PAIR);
    let canary = parse(&canary.replace("strategy: rolling", "strategy: canary")).unwrap();
    assert_eq!(canary.judge.alarms.len(), 11);
}

#[test]
fn a_test_rule_has_a_header_that_can_be_sent() {
    let header = |header: &str| {
        let lines = format!("traffic: {{ test: {{ header: {{ {header} }} }} }}\n");
        let text = text("", &lines).replace("fleet: { group: web }", PAIR);
        parse(&text.replace("strategy: rolling", "strategy: canary"))
    };
    assert!(header("X-Cutover: next").is_ok());
    for wrong in ["'X Cutover': next", "X-Cutover: \"a\\nb\""] {
        let refused = header(wrong).unwrap_err();
        assert!(refused.contains("is not a valid header"), "{refused}");
    }
}

#[test]
fn a_role_can_be_replaced_within_its_account() {
    let role = |account: &str| format!("arn:aws:iam::{account}:role/other");
    let config = image("");
    assert_eq!(config.account, None);
    let with = config.clone().with_role(&role("123456789012")).unwrap();
    assert_eq!(with.account.as_deref(), Some("123456789012"));
    assert_eq!(with.role.as_deref(), Some(role("123456789012").as_str()));
    assert_eq!(with.clone().with_role(&role("123456789012")).unwrap(), with);
    let refused = with.with_role(&role("210987654321")).unwrap_err();
    assert_eq!(refused, "the role is in account 210987654321, but `account` is 123456789012");
    let none = config.with_role("deploy-web").unwrap_err();
    assert!(none.starts_with("`deploy-web` is not the ARN of a role"), "{none}");
}

/// The smallest configuration without one of its keys; the hint shows how to write the key.
#[test]
fn a_missing_key_is_shown_by_an_example() {
    let canary =
        text(FILES, "smoke: [{ path: /healthz }]\ntraffic: { test: { header: { A: b } } }\n")
            .replace("fleet: { group: web }", PAIR)
            .replace("strategy: rolling", "strategy: canary");
    for (line, example) in [
        ("version: 1\n", "version: 1"),
        ("service: web\n", "service: web"),
        ("region: ap-northeast-2\n", "region: ap-northeast-2"),
        (&format!("{PAIR}\n"), "fleet: { group: web }"),
        ("strategy: canary\n", "strategy: rolling"),
        ("group: a, ", "group: web-blue"),
        ("from: site/, ", "from: site/"),
        (", to: /srv/www/", "to: /srv/www/"),
        ("path: /healthz", "path: /healthz"),
        ("header: { A: b }", "header: { X-Cutover: next }"),
    ] {
        assert!(canary.contains(line), "{line}");
        let error = parse(&canary.replacen(line, "", 1)).unwrap_err();
        assert!(error.contains(example), "without `{line}`:\n{error}");
    }
}
