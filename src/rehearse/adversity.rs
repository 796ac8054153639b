//! Scenarios over the whole engine in the lab, with a hand in the wire. Each states what should hold.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cutover_lab::doors::InProcess;
use cutover_lab::scenario::Scenario;
use cutover_lab::world::World;
use http::{Request, Response};
use http_body_util::BodyExt;
use jiff::Timestamp;
use tower::ServiceExt;

use super::demo::*;
use super::lab::settings;
use super::site;
use crate::cloud::Cloud;
use crate::config;
use crate::engine::{Caller, Session, Stop};
use crate::image::assemble_entries;
use crate::model::{Ending, Event, ImageReference, Outcome, PerColour, Stamped};
use crate::net::{Body, Clock, Net, Transport, full};

/// What a hand in the wire does with a request.
enum Does {
    Pass,
    Delay(Duration),
    Answer(u16, &'static str),
}

type Hand = Arc<dyn Fn(&str, &str) -> Does + Send + Sync>;

fn lab() -> (InProcess, Timestamp) {
    let start: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let world = World::from_scenario(&Scenario::default(), 1, start).unwrap();
    (InProcess::new(world), start)
}

async fn handed(
    door: InProcess,
    hand: Hand,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let operation = parts
        .headers
        .get("x-amz-target")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned)
        .or_else(|| {
            let of = text.split('&').find_map(|p| p.strip_prefix("Action="))?;
            Some(of.to_owned())
        })
        .unwrap_or_else(|| parts.uri.path().to_owned());
    match hand(&operation, &text) {
        Does::Pass => {}
        Does::Delay(time) => tokio::time::sleep(time).await,
        Does::Answer(status, body) => {
            return Ok(Response::builder().status(status).body(full(body)).unwrap());
        }
    }
    let answer =
        door.oneshot(Request::from_parts(parts, http_body_util::Full::new(body))).await.unwrap();
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, full(body.collect().await.unwrap().to_bytes())))
}

/// The wire to a door with a hand in it, which sees the operation and the body.
fn wire(door: &InProcess, clock: Clock, hand: Hand) -> Net {
    let door = door.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (door, hand) = (door.clone(), hand.clone());
        Box::pin(handed(door, hand, request))
            as std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>
    });
    Net { transport: Transport::from_service(service), clock }
}

async fn ship(net: &Net, label: &str, bad: bool, tell: &mut dyn FnMut(Stamped)) -> Outcome {
    let config = config::parse(CANARY, "cutover.yaml").unwrap();
    let cloud = Cloud::connect(net, &settings(&config)).await.unwrap();
    let (repository, assembly) = config.assembly().unwrap();
    let mut assembly = assembly.clone();
    assembly.files.clear();
    assembly.labels.insert("lab.version".to_owned(), label.to_owned());
    if bad {
        assembly.labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    let image = assemble_entries(&site::entries(), &assembly).unwrap();
    let reference =
        ImageReference { repository: repository.clone(), digest: image.digest().clone() };
    let (_stopper, stop) = Stop::pair();
    let caller = Caller { holder: label.to_owned(), workflow: None, commit: None, force: false };
    let session = Session { net, cloud: &cloud, config: &config, caller, stop };
    session.deploy(reference, Some(image), tell).await
}

fn told(log: &Mutex<Vec<Stamped>>) -> String {
    let log = log.lock().unwrap();
    let all: Vec<String> = log.iter().map(|s| format!("{} {:?}", s.time, s.event)).collect();
    all[all.len().saturating_sub(25)..].join("\n")
}

/// The one write of the last record fails once.
#[tokio::test(start_paused = true)]
async fn one_failed_write_of_the_last_record_does_not_hang_the_run() {
    let (door, start) = lab();
    let failed = Arc::new(AtomicBool::new(false));
    let hand: Hand = Arc::new(move |operation, body| {
        if operation.ends_with("PutParameter")
            && body.contains(r#"\"phase\":\"done\""#)
            && !failed.swap(true, Ordering::SeqCst)
        {
            return Does::Answer(
                400,
                r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
            );
        }
        Does::Pass
    });
    let net = wire(&door, Clock::virtual_from(start), hand);
    let log = Mutex::new(Vec::new());
    let mut tell = |s: Stamped| log.lock().unwrap().push(s);
    let day = Duration::from_secs(24 * 3600);
    let ended = tokio::time::timeout(day, ship(&net, "v2", false, &mut tell)).await;
    assert!(ended.is_ok(), "no end within a day:\n{}", told(&log));
}

/// Somebody deletes the test rule while a broken canary bears weight.
#[tokio::test(start_paused = true)]
async fn a_deleted_test_rule_does_not_blind_the_watch_over_a_broken_canary() {
    let (door, start) = lab();
    let split = Arc::new(AtomicBool::new(false));
    let gone = split.clone();
    let hand: Hand = Arc::new(move |operation, body| {
        if operation == "DescribeRules"
            && body.contains("f5e04a60fdbfc0f9")
            && gone.load(Ordering::SeqCst)
        {
            return Does::Answer(
                400,
                "<ErrorResponse><Error><Type>Sender</Type><Code>RuleNotFound</Code><Message>One or more rules not found</Message></Error><RequestId>r</RequestId></ErrorResponse>",
            );
        }
        Does::Pass
    });
    let net = wire(&door, Clock::virtual_from(start), hand);
    let log = Mutex::new(Vec::new());
    let mut tell = |s: Stamped| {
        if let Event::Weights { verified: true, .. } = s.event {
            split.store(true, Ordering::SeqCst);
        }
        log.lock().unwrap().push(s);
    };
    let outcome = ship(&net, "v2", true, &mut tell).await;
    assert_eq!(outcome.outcome, Ending::RolledBack, "{outcome:?}\n{}", told(&log));
}

/// Every answer takes 1.3 s from the moment when a broken canary bears weight.
#[tokio::test(start_paused = true)]
async fn slow_reads_do_not_keep_a_broken_canary_in_traffic() {
    let (door, start) = lab();
    let split = Arc::new(AtomicBool::new(false));
    let slow = split.clone();
    let hand: Hand = Arc::new(move |_, _| {
        if slow.load(Ordering::SeqCst) {
            Does::Delay(Duration::from_millis(1300))
        } else {
            Does::Pass
        }
    });
    let net = wire(&door, Clock::virtual_from(start), hand);
    let log = Mutex::new(Vec::new());
    let mut tell = |s: Stamped| {
        if let Event::Weights { verified: true, .. } = s.event {
            split.store(true, Ordering::SeqCst);
        }
        log.lock().unwrap().push(s);
    };
    let outcome = ship(&net, "v2", true, &mut tell).await;
    assert_eq!(outcome.outcome, Ending::RolledBack, "{outcome:?}\n{}", told(&log));
}

/// B reads the account while A is finishing, and claims when A has finished.
#[tokio::test(start_paused = true)]
async fn a_deploy_that_checked_during_anothers_end_does_not_revert_it() {
    let (door, start) = lab();
    let clock = Clock::virtual_from(start);
    let settling = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicBool::new(false));
    let a = wire(&door, clock, Arc::new(|_, _| Does::Pass));
    let looks = AtomicUsize::new(0);
    let finished = done.clone();
    let b = wire(
        &door,
        clock,
        Arc::new(move |operation, _| {
            // The ledger is read first; what is read after it takes some seconds.
            if operation.ends_with("GetParametersByPath") {
                looks.fetch_add(1, Ordering::SeqCst);
            } else if looks.load(Ordering::SeqCst) == 1 && !finished.load(Ordering::SeqCst) {
                return Does::Delay(Duration::from_secs(2));
            }
            Does::Pass
        }),
    );
    let (now_settling, now_done) = (settling.clone(), done.clone());
    let first = async {
        let mut tell = |s: Stamped| {
            if matches!(&s.event, Event::Phase { phase: "verify", .. }) {
                now_settling.store(true, Ordering::SeqCst);
            }
        };
        let outcome = ship(&a, "v2", false, &mut tell).await;
        now_done.store(true, Ordering::SeqCst);
        outcome
    };
    let log = Mutex::new(Vec::new());
    let second = async {
        while !settling.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut tell = |s: Stamped| log.lock().unwrap().push(s);
        ship(&b, "v3", false, &mut tell).await
    };
    let hours = Duration::from_secs(3600);
    let ended = tokio::time::timeout(hours, Box::pin(async { tokio::join!(first, second) })).await;
    assert!(ended.is_ok(), "no end within an hour:\n{}", told(&log));
    let (first, second) = ended.unwrap();
    assert_eq!(first.outcome, Ending::Succeeded);
    assert_eq!(second.outcome, Ending::Succeeded, "{second:?}\n{}", told(&log));
}

/// The change that takes traffic back is refused: the outcome must tell where traffic is.
#[tokio::test(start_paused = true)]
async fn the_outcome_tells_weights_that_were_seen() {
    let (door, start) = lab();
    let split = Arc::new(AtomicBool::new(false));
    let deny = split.clone();
    let hand: Hand = Arc::new(move |operation, _| {
        if operation.starts_with("Modify") && deny.load(Ordering::SeqCst) {
            return Does::Answer(
                403,
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>",
            );
        }
        Does::Pass
    });
    let net = wire(&door, Clock::virtual_from(start), hand);
    let log = Mutex::new(Vec::new());
    let mut tell = |s: Stamped| {
        if let Event::Weights { verified: true, .. } = s.event {
            split.store(true, Ordering::SeqCst);
        }
        log.lock().unwrap().push(s);
    };
    let outcome = ship(&net, "v2", true, &mut tell).await;
    assert_eq!(outcome.outcome, Ending::Stuck, "{outcome:?}");
    assert_eq!(outcome.weights, Some(PerColour { blue: 90, green: 10 }), "{}", told(&log));
}
