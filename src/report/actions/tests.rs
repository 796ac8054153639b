use jiff::{SignedDuration, Timestamp};

use super::*;
use cutover_rollout::model::{
    Counts, Digest, Event, ImageReference, Outcome, PerColor, Status, Strategy, TimedEvent,
};

const START: &str = "2026-11-29T12:00:00Z";

fn at(seconds: i64, event: Event) -> TimedEvent {
    let start: Timestamp = START.parse().unwrap();
    TimedEvent { time: start + SignedDuration::from_secs(seconds), event }
}

fn image() -> ImageReference {
    let repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web".parse().unwrap();
    ImageReference { repository, digest: Digest::of(b"v2") }
}

fn shares(blue: u8, verified: bool) -> Event {
    Event::Traffic { shares: PerColor { blue, green: 100 - blue }, verified }
}

fn judgment(verdict: &'static str, requests: u64, errors: u64) -> Event {
    let message = format!("{errors} of {requests} requests failed");
    Event::Judgment { verdict, counts: Counts { requests, errors }, message }
}

fn outcome(ending: Status, message: &str) -> Event {
    Event::Outcome(Box::new(Outcome {
        strategy: Some(Strategy::Canary),
        image: Some(image()),
        repositories: vec![image().repository, "ghcr.io/acme/web".parse().unwrap()],
        tags: vec!["v2".to_owned(), "main".to_owned()],
        rollout: Some(12),
        commit: Some("5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796".to_owned()),
        previous_commit: Some("0f1e2d3c4b5a697887965b1d2c0f3a7e4d6b8c9a".to_owned()),
        launch_template_version: Some(8),
        previous_version: Some(7),
        shares: Some(PerColor { blue: 0, green: 100 }),
        ..Outcome::new(ending, message)
    }))
}

fn canary() -> Vec<TimedEvent> {
    vec![
        at(
            0,
            Event::Started {
                service: "web".to_owned(),
                strategy: Strategy::Canary,
                claim: 12,
                continues: None,
            },
        ),
        at(
            1,
            Event::Build { line: "#5 ::set-output name=x::y\n::error::no\r##[error]no".to_owned() },
        ),
        at(3, Event::Image { image: image(), uploaded: 5738 }),
        at(4, Event::Phase { phase: "shift", message: "ready for traffic".to_owned() }),
        at(134, shares(90, false)),
        at(136, shares(90, true)),
        at(140, judgment("insufficient", 40, 0)),
        at(300, judgment("pass", 291, 0)),
        at(303, shares(0, true)),
        at(600, outcome(Status::Succeeded, "all traffic is on green")),
    ]
}

fn history(events: &[TimedEvent]) -> RunHistory {
    let mut history = RunHistory::new(START.parse().unwrap(), Status::Succeeded);
    events.iter().for_each(|event| history.note(event));
    history
}

fn links() -> Links {
    Links {
        repository: Some("https://github.com/acme/web".to_owned()),
        run: Some("https://github.com/acme/web/actions/runs/7".to_owned()),
    }
}

#[test]
fn a_log_is_grouped_by_phase_and_foreign_lines_are_not_commands() {
    let mut log = Log::new(Status::Succeeded);
    let text: String = canary().iter().filter_map(|event| log.render(event)).collect();
    let plain = console::strip_ansi_codes(&text);
    insta::assert_snapshot!(plain);
}

#[test]
fn a_summary_shows_the_whole_rollout() {
    insta::assert_snapshot!(summary(&history(&canary()), &links()));
}

#[test]
fn the_chart_shows_the_side_that_traffic_moves_to() {
    let chart = |of_blue: &[u8]| {
        let set = of_blue.iter().map(|blue| at(60, shares(*blue, false)));
        let read = of_blue.iter().map(|blue| at(60, shares(*blue, true)));
        let mut events: Vec<TimedEvent> = set.zip(read).flat_map(<[TimedEvent; 2]>::from).collect();
        let mut done = Outcome::new(Status::Succeeded, "done");
        done.shares = of_blue.last().map(|blue| PerColor { blue: *blue, green: 100 - blue });
        events.push(at(120, Event::Outcome(Box::new(done))));
        summary(&history(&events), &links())
    };
    assert!(chart(&[90, 50, 0]).contains("Traffic on green"));
    assert!(chart(&[10, 100]).contains("Traffic on blue"));
    // The shares that are undone first belong to the previous rollout.
    assert!(chart(&[0, 50, 100]).contains("Traffic on blue"));
    // All at once, as in blue-green and in a rollback.
    assert!(chart(&[0]).contains("Traffic on green") && chart(&[0]).contains("100]"));
    assert!(chart(&[100]).contains("Traffic on blue") && chart(&[100]).contains("100]"));
}

#[test]
fn every_fact_is_a_separate_output() {
    let outputs = outputs(&history(&canary()));
    let text: Vec<String> = outputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    outcome=succeeded
    image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:fb04dcb6970e4c3d1873de51fd5a50d7bb46b3383113602665c350ec40b5f990
    digest=sha256:fb04dcb6970e4c3d1873de51fd5a50d7bb46b3383113602665c350ec40b5f990
    registries=123456789012.dkr.ecr.eu-west-1.amazonaws.com/web
    ghcr.io/acme/web
    tags=v2
    main
    launch-template-version=8
    previous-version=7
    strategy=canary
    shares={"blue":0,"green":100}
    share-blue=0
    share-green=100
    duration=600
    rollout=12
    "#);
    let metadata: serde_json::Value =
        serde_saphyr::from_str(include_str!("../../../action.yml")).unwrap();
    let described: Vec<&String> = metadata["outputs"].as_object().unwrap().keys().collect();
    assert_eq!(outputs.iter().map(|(name, _)| name).collect::<Vec<_>>(), described);
}

#[test]
fn the_tenth_annotation_is_the_outcome() {
    let mut log = Log::new(Status::Succeeded);
    let finding = |n: i64| Event::Finding {
        severity: "error",
        message: format!("error {n}"),
        remedy: "fix it".to_owned(),
        cli: None,
    };
    let mut text = String::new();
    for n in 0..20 {
        text += &log.render(&at(n, finding(n))).unwrap();
    }
    text += &log.render(&at(30, outcome(Status::Refused, "preflight found 20 errors"))).unwrap();
    let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(annotations.len(), 10, "{text}");
    assert!(annotations[0].ends_with("::error 0%0Afix it"), "{}", annotations[0]);
    assert!(annotations[8].contains("see the log"), "{}", annotations[8]);
    assert!(annotations[9].contains("preflight found 20 errors"), "{}", annotations[9]);
}

#[test]
fn a_requested_rollback_is_not_an_error() {
    let rolled_back = outcome(Status::RolledBack, "all traffic is on blue");
    let level = |goal| {
        let text = Log::new(goal).render(&at(0, rolled_back.clone())).unwrap();
        text.lines().find(|line| line.starts_with("::")).unwrap().to_owned()
    };
    assert!(level(Status::RolledBack).starts_with("::notice"));
    assert!(level(Status::Succeeded).starts_with("::error"));
}

#[test]
fn a_wrong_configuration_is_annotated_at_its_place() {
    let message =
        "cutover.yaml:35:1: unknown key `lineal`\n   |\n35 | lineal:\n   = did you mean `linear`?";
    let annotation = outcome_annotation(&Outcome::new(Status::Refused, message), Status::Succeeded);
    assert!(
        annotation.to_string().starts_with(
            "::error title=cutover%3A refused,file=cutover.yaml,line=35,col=1::cutover.yaml:35:1: unknown"
        ),
        "{annotation}"
    );
}

#[test]
fn foreign_text_creates_no_links_and_no_markup() {
    let message = "1. see acme/web#2 and https://evil.example/ `ls \"a|b\"` > *all* <b>";
    let text = summary(&history(&[at(0, outcome(Status::Failed, message))]), &links());
    let shown = "\u{2060}1. see acme/web#\u{2060}2 and https:\u{2060}//evil.example/ `ls \"a\\|b\"` \\> \\*all\\* &lt;b>";
    assert!(text.contains(&shown.replace("&lt;b>", "&lt;b\\>")), "{text}");
}

#[test]
fn a_summary_of_a_long_and_hostile_run_stays_below_a_mebibyte() {
    let mut history = RunHistory::new(START.parse().unwrap(), Status::Succeeded);
    let hostile = "![x](https://evil.example/) @acme/everyone <img src=x> | `` ` | ".repeat(2000);
    for n in 0..100 {
        let message = format!("{n} {hostile}");
        history.note(&at(n, Event::Notice { message: message.clone() }));
        history.note(&at(n, Event::Phase { phase: "bake", message }));
        history.note(&at(n, judgment(if n % 2 == 0 { "pass" } else { "fail" }, 9, 9)));
    }
    history.note(&at(101, outcome(Status::Failed, &hostile)));
    let text = summary(&history, &links());
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(!text.contains("![x]") && !text.contains("<img") && !text.contains("@acme"));
}
