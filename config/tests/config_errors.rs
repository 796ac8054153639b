//! Every mistake in `cutover.yaml` is reported with its position, what it means and what to do. The
//! snapshots are the catalog: read them as the person who made the mistake.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

/// A configuration without mistakes; each test makes some in it.
const CANARY: &str = r#"version: 1
service: web
region: ap-northeast-2
account: "123456789012"
role: arn:aws:iam::123456789012:role/deploy-web
image:
  push:
    - 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web
  files:
    - { from: site/, to: /srv/www/ }
fleet:
  blue:  { group: web-blue,  target_group: web-blue }
  green: { group: web-green, target_group: web-green }
traffic:
  test: { header: { X-Cutover: next } }
strategy: canary
canary:
  steps: [5, 25, 100]
  bake: 5m
smoke: [{ path: /healthz, status: 200 }]
judge: { errors_5xx: { max: 1%, min_requests: 500 } }
"#;

const ROLLING: &str = "version: 1
service: web
region: ap-northeast-2
fleet: { group: web }
strategy: rolling
";

/// A mistake: its name, and the text that contains it.
type Mistake = (&'static str, String);

/// Returns `CANARY` with `from`, which it must contain, replaced.
fn with(from: &str, to: &str) -> String {
    assert!(CANARY.contains(from), "{from}");
    CANARY.replace(from, to)
}

fn canary_and(lines: &str) -> String {
    format!("{CANARY}{lines}\n")
}

fn rolling_and(lines: &str) -> String {
    format!("{ROLLING}{lines}\n")
}

/// Compares the errors for `mistakes` with the snapshot called `name`.
fn catalogue(name: &str, mistakes: Vec<Mistake>) {
    let mut catalogue = String::new();
    for (name, text) in mistakes {
        let error = match cutover_config::parse(&text, "cutover.yaml") {
            Ok(_) => panic!("{name}: no mistake was found"),
            Err(error) => error,
        };
        catalogue.push_str(&format!("──── {name}\n{error}\n\n"));
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, catalogue);
    });
}

#[test]
fn shape() {
    catalogue(
        "shape",
        vec![
            ("empty", String::new()),
            ("not a mapping", "deploy everything\n".into()),
            ("broken YAML", with("fleet:", "fleet: [")),
            ("a tab", with("  bake: 5m", "\tbake: 5m")),
            ("missing key", with("service: web\n", "")),
            ("mistyped key", with("  steps:", "  setps:")),
            ("unknown key", canary_and("notify: \"#deploys\"")),
            ("mistyped strategy", with("strategy: canary", "strategy: canery")),
            ("the same key twice", canary_and("strategy: linear")),
            ("text instead of a number", with("[5, 25, 100]", "[five, 25, 100]")),
            ("a number with a unit", with("[5, 25, 100]", "[5%, 25%, 100%]")),
            (
                "a list instead of a mapping",
                with("{ errors_5xx: { max: 1%, min_requests: 500 } }", "[5xx]"),
            ),
            ("a mapping instead of text", with("  bake: 5m", "  bake: { minutes: 5 }")),
            ("no value", with("service: web", "service:")),
            ("two documents", canary_and("---\nversion: 1")),
            ("another version", with("version: 1", "version: 2")),
        ],
    );
}

#[test]
fn identity() {
    catalogue(
        "identity",
        vec![
            ("service name", with("service: web", "service: Web Shop")),
            ("region", with("region: ap-northeast-2", "region: Seoul")),
            ("account", with("account: \"123456789012\"", "account: 12345")),
            ("role", with("arn:aws:iam::123456789012:role/deploy-web", "deploy-web")),
            ("role in another account", with("iam::123456789012:role", "iam::210987654321:role")),
        ],
    );
}

const FILES: &str = "  files:\n    - { from: site/, to: /srv/www/ }\n";

#[test]
fn image() {
    catalogue(
        "image",
        vec![
            ("a tag", with("amazonaws.com/web\n", "amazonaws.com/web:latest\n")),
            ("no registry", with("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web", "web")),
            ("another Region", with("ecr.ap-northeast-2", "ecr.us-east-1")),
            (
                "the same repository twice",
                with(
                    "  files:",
                    "    - 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web\n  files:",
                ),
            ),
            (
                "nothing in ECR",
                with(
                    "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web\n",
                    "ghcr.io/acme/web\n  ecr: { create: true }\n",
                ),
            ),
            ("settings without create", with("  files:", "  ecr: { immutable: true }\n  files:")),
            ("severity", with("  files:", "  ecr: { scan: { fail_on: severe } }\n  files:")),
            (
                "no time for the scan",
                with("  files:", "  ecr: { scan: { fail_on: high, wait: 0s } }\n  files:"),
            ),
            (
                "nowhere to push",
                with("  push:\n    - 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web\n", ""),
            ),
            (
                "no files",
                with("  files:\n    - { from: site/, to: /srv/www/ }\n", "  cmd: [serve]\n"),
            ),
            ("relative path", with("to: /srv/www/", "to: srv/www/")),
            ("platform", with("  files:", "  platform: linux/amd46\n  files:")),
            ("port", with("  files:", "  expose: [http]\n  files:")),
            ("tag pattern", with("  files:", "  tags: [\"{sha}\"]\n  files:")),
            ("a base by tag", with("  files:", "  base: docker.io/library/debian:13\n  files:")),
            (
                "a base by half a digest",
                with("  files:", "  base: ghcr.io/a/b@sha256:12\n  files:"),
            ),
            ("a base without registry", with("  files:", "  base: debian\n  files:")),
            ("an owner by name", with("to: /srv/www/", "to: /srv/www/, owner: www-data")),
            ("a mode in letters", with("to: /srv/www/", "to: /srv/www/, mode: rw-r--r--")),
            ("no platforms", with("  files:", "  platforms: []\n  files:")),
            (
                "a platform twice",
                with("  files:", "  platforms: [linux/arm64, linux/arm64]\n  files:"),
            ),
            (
                "the fleet's platform",
                with("  files:", "  platforms: [linux/arm64]\n  platform: linux/amd64\n  files:"),
            ),
            ("files and a build", with("  files:", "  build: { context: . }\n  files:")),
            ("a build's command", with(FILES, "  build: {}\n  cmd: [serve]\n")),
            (
                "a secret without a source",
                with(FILES, "  build: { secrets: { npm: { env: \"\" } } }\n"),
            ),
            ("a secret's value", with(FILES, "  build: { secrets: { npm: hunter2 } }\n")),
            ("no agent", with(FILES, "  build: { ssh: [\"default=\"] }\n")),
            ("no context", with(FILES, "  build: { context: \"\" }\n")),
            ("a file's platform", with("to: /srv/www/", "to: /srv/www/, platform: linux/arm64")),
        ],
    );
}

#[test]
fn fleet() {
    catalogue(
        "fleet",
        vec![
            ("rolling with two groups", with("strategy: canary", "strategy: rolling")),
            ("canary with one group", ROLLING.replace("rolling", "canary")),
            ("one color", with("  green: { group: web-green, target_group: web-green }\n", "")),
            ("a color and a group", with("  green:", "  group: web\n  green:")),
            ("no group", ROLLING.replace("{ group: web }", "{}")),
            ("no target group", with(",  target_group: web-blue", "")),
            ("the same group", with("{ group: web-green,", "{ group: web-blue,")),
            ("the same target group", with("target_group: web-green", "target_group: web-blue")),
        ],
    );
}

#[test]
fn traffic() {
    let rules = |rules: &str| with("traffic:\n", &format!("traffic:\n  rules: {rules}\n"));
    let balancer = "arn:aws:elasticloadbalancing:ap-northeast-2";
    catalogue(
        "traffic",
        vec![
            ("no rules", rules("[]")),
            ("no ARN", rules("[web]")),
            ("target group", rules(&format!("[\"{balancer}:123456789012:targetgroup/web/0123\"]"))),
            ("network", rules(&format!("[\"{balancer}:123456789012:listener/net/web/01/02\"]"))),
            ("account", rules(&format!("[\"{balancer}:210987654321:listener/app/web/01/02\"]"))),
            (
                "region",
                rules(
                    "[\"arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/01/02\"]",
                ),
            ),
            ("two headers", with("{ X-Cutover: next }", "{ X-Cutover: next, X-Color: idle }")),
            ("URL", with("next } }", "next }, url: news.example.com }")),
            (
                "smoke without a test rule",
                with("traffic:\n  test: { header: { X-Cutover: next } }\n", ""),
            ),
            (
                "traffic with one group",
                rolling_and("traffic: { test: { header: { X-Cutover: next } } }"),
            ),
        ],
    );
}

#[test]
fn rollout() {
    catalogue(
        "rollout",
        vec![
            ("steps don't ascend", with("[5, 25, 100]", "[25, 5, 100]")),
            ("steps don't end with 100", with("[5, 25, 100]", "[5, 25]")),
            ("step out of range", with("[5, 25, 100]", "[0, 25, 100]")),
            ("no steps", with("[5, 25, 100]", "[]")),
            ("duration without unit", with("bake: 5m", "bake: 300")),
            ("linear step", canary_and("linear: { step: 0 }")),
            ("healthy bounds", rolling_and("rolling: { min_healthy: 50, max_healthy: 200 }")),
            ("min healthy", rolling_and("rolling: { min_healthy: 120 }")),
            ("checkpoints", rolling_and("rolling: { checkpoints: [20, 80] }")),
            ("bake too long", rolling_and("rolling: { bake: 49h }")),
            ("smoke path", with("path: /healthz", "path: healthz")),
            ("smoke status", with("status: 200", "status: 20")),
            ("share", with("max: 1%", "max: 0.01")),
            ("deadline", canary_and("deadlines: { healthy: 0s }")),
        ],
    );
}

#[test]
fn not_yet_supported() {
    catalogue(
        "not_yet_supported",
        vec![
            ("environments", canary_and("environments:\n  staging: { account: \"210987654321\" }")),
            ("proof", canary_and("proof: { path: /version, json: digest }")),
            ("hold_at", with("  bake: 5m", "  bake: 5m\n  hold_at: [25]")),
            ("proportional", with("traffic:\n", "  size: proportional\ntraffic:\n")),
            ("own template", canary_and("template: { base: web, own: web-cutover }")),
        ],
    );
}

#[test]
fn several_at_once() {
    let text = with("service: web", "service: Web")
        .replace("[5, 25, 100]", "[5, 25]")
        .replace("bake: 5m", "bake: soon")
        .replace("path: /healthz", "path: healthz");
    catalogue("several_at_once", vec![("four mistakes", text)]);
}

proptest::proptest! {
    /// However the text is changed, the result is a configuration, or an error that says what is
    /// wrong with it.
    #[test]
    fn any_text_parses_or_is_reported(
        at in 0..CANARY.len(),
        length in 0..40_usize,
        put in r#"[ \t\n:,\[\]{}&*!|>'"%@`#é\u{1F600}a0-]{0,6}"#,
    ) {
        let mut text = CANARY.to_owned();
        text.replace_range(at..(at + length).min(CANARY.len()), &put);
        if let Err(error) = cutover_config::parse(&text, "cutover.yaml") {
            proptest::prop_assert!(error.to_string().starts_with("cutover.yaml"));
        }
    }
}

#[test]
fn an_unreadable_file_is_reported() {
    let error = |path: &std::path::Path| cutover_config::load(path).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(error("no/such/cutover.yaml".as_ref()), @r"
    no/such/cutover.yaml: cannot be read: No such file or directory (os error 2)
      = run cutover in the directory of the file, or name the file with `--config`
    ");
    let folder = tempfile::tempdir().unwrap();
    assert!(error(folder.path()).to_string().trim_end().ends_with("= name a file with `--config`"));
    let latin = folder.path().join("latin.yaml");
    std::fs::write(&latin, b"service: caf\xe9\n").unwrap();
    assert!(error(&latin).to_string().trim_end().ends_with("= save it as UTF-8 text"));
}
