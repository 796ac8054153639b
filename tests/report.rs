//! A rollout's events as they are reported to people and to programs.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

use std::collections::BTreeMap;

use cutover::report::{Reporter, TerminalStyle};
use cutover_rollout::model::{
    Counts, Digest, Event, ImageReference, Outcome, PerColor, RefreshStatus, Requests, Status,
    Strategy, TimedEvent,
};
use jiff::{SignedDuration, Timestamp};

fn image() -> ImageReference {
    let repository = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news".parse().unwrap();
    ImageReference { repository, digest: Digest::of(b"v2") }
}

/// Returns the events of a canary that fails at its first step.
fn events() -> Vec<TimedEvent> {
    let start: Timestamp = "2026-10-01T09:00:00Z".parse().unwrap();
    let at = |seconds: i64| start + SignedDuration::from_secs(seconds);
    let weights = |blue, green| PerColor { blue, green };
    let health =
        |healthy| Event::Health { group: "news-green".into(), healthy, needed: 4, instances: 4 };
    let refresh = |status, reason: &str| Event::Refresh {
        group: "news-green".into(),
        status,
        percent: Some(25),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
    };
    let notice = |message: &str| Event::Notice { message: message.into() };
    let mut outcome = Outcome::new(Status::RolledBack, "all traffic is on version 1 again")
        .hint("see what version 2 answers: `aws ec2 get-console-output --instance-id i-0a`");
    outcome.strategy = Some(Strategy::Canary);
    outcome.image = Some(image());
    outcome.launch_template_version = Some(2);
    outcome.previous_version = Some(1);
    outcome.shares = Some(weights(100, 0));
    outcome.requests = Some(Requests { served: 31_000, failed: 310 });
    outcome.requests_by_version = BTreeMap::from([
        ("v1".to_owned(), Requests { served: 30_000, failed: 0 }),
        ("v2".to_owned(), Requests { served: 1_000, failed: 310 }),
    ]);
    outcome.simulated_seconds = Some(4_000);
    [
        (
            0,
            Event::Started {
                service: "news".into(),
                strategy: Strategy::Canary,
                claim: 8,
                continues: Some(7),
            },
        ),
        (
            1,
            Event::Finding {
                severity: "warning",
                message: "`news-green` has no instance profile".into(),
                remedy: "give the template one, so that instances can pull".into(),
                cli: Some(
                    "aws ec2 describe-launch-template-versions --launch-template-name news".into(),
                ),
            },
        ),
        (2, Event::Image { image: image(), uploaded: 1_234_567 }),
        (3, Event::Version { template: "news".into(), version: 2, previous: 1, created: true }),
        (4, Event::Phase { phase: "refresh", message: "updating news-green to version 2".into() }),
        (
            5,
            refresh(
                RefreshStatus::InProgress,
                "Waiting for remaining instances. For example: i-01.",
            ),
        ),
        (
            9,
            refresh(
                RefreshStatus::InProgress,
                "Waiting for remaining instances. For example: i-02.",
            ),
        ),
        (15, refresh(RefreshStatus::Baking, "Waiting for bake time. There are 20 seconds left.")),
        (20, refresh(RefreshStatus::Baking, "Waiting for bake time. There are 15 seconds left.")),
        (35, refresh(RefreshStatus::Successful, "")),
        (
            60,
            Event::MinSize {
                group: "news-green".into(),
                min: 4,
                message: "to match the live group".into(),
            },
        ),
        (
            61,
            Event::Waiting {
                message: "the new side's targets are not healthy yet".into(),
                until: Some(at(661)),
            },
        ),
        (70, health(2)),
        (75, health(2)),
        (90, health(4)),
        (91, Event::Smoke { path: "/healthz".into(), status: Some(200), passed: true }),
        (
            100,
            Event::Phase {
                phase: "shift",
                message: "shifting 5% of the traffic to news-green".into(),
            },
        ),
        (101, Event::Traffic { shares: weights(95, 5), verified: false }),
        (160, Event::Traffic { shares: weights(95, 5), verified: true }),
        (
            400,
            Event::Judgment {
                verdict: "fail",
                counts: Counts { requests: 1_310, errors: 310 },
                message: "310 of 1310 requests failed (23.66%); the limit is 1.00%".into(),
            },
        ),
        (400, Event::RollingBack { reason: "too many errors".into() }),
        (401, Event::Traffic { shares: weights(100, 0), verified: false }),
        (410, notice("reading again: no response (request 7f3a-01)")),
        (420, notice("reading again: no response (request 7f3a-02)")),
        (490, notice("reading again: no response (request 7f3a-03)")),
        (3_700, Event::ScaleInScheduled { group: "news-green".into(), at: at(5_500), size: 0 }),
        (4_000, Event::Outcome(Box::new(outcome))),
    ]
    .into_iter()
    .map(|(seconds, event)| TimedEvent { time: at(seconds), event })
    .collect()
}

fn rendered(mut reporter: Reporter<Vec<u8>>) -> String {
    for event in events() {
        reporter.emit(&event);
    }
    String::from_utf8(reporter.into_inner()).unwrap()
}

#[test]
fn with_glyphs() {
    let look = TerminalStyle { color: false, glyphs: true };
    insta::assert_snapshot!(rendered(Reporter::human(Vec::new(), look)));
}

#[test]
fn plain() {
    let text = rendered(Reporter::human(Vec::new(), TerminalStyle::PLAIN));
    assert!(!text.contains('\u{1b}'), "no escape sequences");
    insta::assert_snapshot!(text);
}

#[test]
fn colored_output_differs_only_in_colors() {
    let colored =
        rendered(Reporter::human(Vec::new(), TerminalStyle { color: true, glyphs: true }));
    let glyphs =
        rendered(Reporter::human(Vec::new(), TerminalStyle { color: false, glyphs: true }));
    assert!(colored.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&colored), glyphs);
}

#[test]
fn json_lines() {
    let text = rendered(Reporter::json(Vec::new()));
    assert_eq!(text.lines().count(), events().len());
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["time"].is_string() && event["event"].is_string(), "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_closed_reader_stops_nothing() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut reporter = Reporter::json(Closed);
    for event in events() {
        reporter.emit(&event);
    }
}
