//! Shows that the checkers can fail: they catch each mutant, most of them within a given number of
//! the swarm's seeds. Where seeds seldom draw what a mutant needs, a test case is made for it.

use std::ops::Range;
use std::time::Duration;

use cutover_lab::faults::{CallFault, EventKind, Fault, ScheduledEvent};
use cutover_lab::scenario::Scenario;

use crate::rehearse::demo::{BAD, BLUE_GREEN, CANARY};
use crate::rehearse::process::ProcessCommand;
use crate::rehearse::swarm::{Run, SwarmCase, draw, play};
use cutover_rollout::mutant::{Mutant, with};

/// Runs these seeds' test cases with a mutant until one of them breaks `promise`.
fn caught(mutant: Mutant, seeds: Range<u64>, case: fn(u64) -> SwarmCase, promise: &str) {
    let breaks = |seed| {
        let played = with(mutant, || play(&case(seed))).unwrap();
        played.violations.iter().any(|found| found.promise == promise)
    };
    assert!(seeds.clone().any(breaks), "{mutant:?} is not caught in seeds {seeds:?}");
}

const BLIND: &str = "1 no blind traffic";
const BACK: &str = "3 rollback in one call";
const FENCE: &str = "fence";
const FIGHTS: &str = "6 it does not fight";

fn calm(configuration: String, runs: Vec<Run>) -> SwarmCase {
    let (scenario, propagation) = (Scenario::default(), Duration::from_secs(20));
    SwarmCase { seed: 1, configuration, scenario, propagation, runs, calm: 1800 }
}

fn deploys(begins: u64, version: &str, error_rate: &str) -> Run {
    let labels = [("lab.version", version), ("lab.error-rate", error_rate)];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Run { begins, verb: ProcessCommand::Deploy(labels.into_iter().collect()), skew: 0, cut: None }
}

/// A second rollout, while its idle group is still scheduled to scale in after the first.
fn twice(seed: u64) -> SwarmCase {
    let warm = BLUE_GREEN.replace("rollback_window: 10m", "rollback_window: 40m");
    calm(warm, vec![deploys(0, "v2", "0"), deploys(760 + 40 * seed, "v3", "0")])
}

/// A broken version with half of the traffic, and an operator who shrinks the old group meanwhile.
fn shrunk(seed: u64) -> SwarmCase {
    let canary = CANARY.replace("steps: [10, 50, 100]", "steps: [50, 100]");
    let mut case = calm(canary, vec![deploys(0, "v2", BAD)]);
    let input = serde_json::json!({
        "AutoScalingGroupName": "news-blue", "MinSize": 1, "DesiredCapacity": 1,
    });
    let what = EventKind::Operator { call: "autoscaling:UpdateAutoScalingGroup".to_owned(), input };
    case.scenario.events.push(ScheduledEvent::at(200 + 20 * seed, what));
    case
}

/// A broken version, which is rolled back.
fn broken(_: u64) -> SwarmCase {
    calm(CANARY.to_owned(), vec![deploys(0, "v2", BAD)])
}

/// A claim, or a record, that never arrives, without an error from the connection.
fn unwritten(seed: u64) -> SwarmCase {
    let mut case = calm(BLUE_GREEN.to_owned(), vec![deploys(0, "v2", "0")]);
    let cut = CallFault::of("ssm:PutParameter", Fault::Cut).nth(1 + seed);
    case.scenario.faults.calls.push(cut);
    case
}

#[test]
fn weights_before_health_are_caught() {
    caught(Mutant::WeightsBeforeHealth, 0..12, draw, BLIND);
}

#[test]
fn a_missing_fence_is_caught() {
    caught(Mutant::NoFence, 0..12, draw, FENCE);
}

#[test]
fn a_missing_wait_after_takeover_is_caught() {
    caught(Mutant::NoWaitAfterTakeover, 0..12, draw, FENCE);
}

#[test]
fn success_assumed_without_a_reply_is_caught() {
    caught(Mutant::AssumesSuccess, 0..3, unwritten, FENCE);
}

#[test]
fn a_scale_in_left_scheduled_is_caught() {
    caught(Mutant::KeepsScheduledScaleIn, 0..3, twice, BLIND);
}

#[test]
fn traffic_restored_to_a_shrunk_group_is_caught() {
    caught(Mutant::RestoresWithoutCapacity, 0..6, shrunk, BLIND);
}

#[test]
fn a_remembered_capacity_written_back_is_caught() {
    caught(Mutant::WritesDesiredCapacity, 0..12, draw, FIGHTS);
}

#[test]
fn an_early_scale_in_is_caught() {
    caught(Mutant::ScalesInTooEarly, 0..12, draw, FIGHTS);
}

#[test]
fn recording_before_acting_is_caught() {
    caught(Mutant::RecordBeforeWeights, 0..1, broken, BACK);
}

/// No mutant, but a deployer that rolls everything back.
#[test]
fn a_deployer_that_always_rolls_back_is_caught() {
    let never =
        CANARY.replace("smoke:  [{ path: /healthz }]", "smoke:  [{ path: /healthz, status: 418 }]");
    assert_ne!(never, CANARY);
    let played = play(&calm(never, vec![deploys(0, "v2", "0")])).unwrap();
    assert!(played.violations.iter().any(|found| found.promise == "what can succeed does"));
}

#[test]
fn these_test_cases_pass_without_a_mutant() {
    for case in [unwritten(0), twice(0), broken(0), shrunk(0), shrunk(3)] {
        let played = play(&case).unwrap();
        assert_eq!(played.violations, [], "{:?} {:?}", played.ends, played.reported);
    }
}
