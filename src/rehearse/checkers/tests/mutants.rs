//! The checkers can fail: each deliberate bug is caught, most within a stated number of the swarm's seeds.
//! Those that need a situation which seeds seldom draw are shown one, in a story made for it.

use std::ops::Range;
use std::time::Duration;

use cutover_lab::faults::{CallFault, Fault, Happening, What};
use cutover_lab::scenario::Scenario;

use crate::rehearse::demo::{BAD, BLUE_GREEN, CANARY};
use crate::rehearse::process::Verb;
use crate::rehearse::swarm::{Run, Story, draw, play};
use crate::rollout::mutant::{Mutant, with};

/// Tells the stories of these seeds with a bug, until one of them breaks `promise`.
fn caught(mutant: Mutant, seeds: Range<u64>, story: fn(u64) -> Story, promise: &str) {
    let breaks = |seed| {
        let played = with(mutant, || play(&story(seed))).unwrap();
        played.violations.iter().any(|found| found.promise == promise)
    };
    assert!(seeds.clone().any(breaks), "{mutant:?} is not caught in seeds {seeds:?}");
}

const BLIND: &str = "1 no blind traffic";
const BACK: &str = "3 back in one call";
const FENCE: &str = "fence";
const FIGHTS: &str = "6 it does not fight";

fn calm(configuration: String, runs: Vec<Run>) -> Story {
    let (scenario, propagation) = (Scenario::default(), Duration::from_secs(20));
    Story { seed: 1, configuration, scenario, propagation, runs, calm: 1800 }
}

fn deploys(begins: u64, version: &str, error_rate: &str) -> Run {
    let labels = [("lab.version", version), ("lab.error-rate", error_rate)];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Run { begins, verb: Verb::Deploy(labels.into_iter().collect()), skew: 0, cut: None }
}

/// A second rollout, while the group that it brings up waits for its retirement after the first.
fn twice(seed: u64) -> Story {
    let warm = BLUE_GREEN.replace("rollback_window: 10m", "rollback_window: 40m");
    calm(warm, vec![deploys(0, "v2", "0"), deploys(760 + 40 * seed, "v3", "0")])
}

/// A broken version with half of the traffic, and a hand that shrinks the old group meanwhile.
fn shrunk(seed: u64) -> Story {
    let canary = CANARY.replace("steps: [10, 50, 100]", "steps: [50, 100]");
    let mut story = calm(canary, vec![deploys(0, "v2", BAD)]);
    let input = serde_json::json!({
        "AutoScalingGroupName": "news-blue", "MinSize": 1, "DesiredCapacity": 1,
    });
    let what = What::Hand { call: "autoscaling:UpdateAutoScalingGroup".to_owned(), input };
    story.scenario.happenings.push(Happening::at(200 + 20 * seed, what));
    story
}

/// A broken version, which is taken back.
fn broken(_: u64) -> Story {
    calm(CANARY.to_owned(), vec![deploys(0, "v2", BAD)])
}

/// A claim, or a record, that never arrives, while the connection says nothing of it.
fn unwritten(seed: u64) -> Story {
    let mut story = calm(BLUE_GREEN.to_owned(), vec![deploys(0, "v2", "0")]);
    let cut = CallFault::of("ssm:PutParameter", Fault::Cut).nth(1 + seed);
    story.scenario.faults.calls.push(cut);
    story
}

#[test]
fn weights_before_health() {
    caught(Mutant::WeightsBeforeHealth, 0..12, draw, BLIND);
}

#[test]
fn no_fence() {
    caught(Mutant::NoFence, 0..12, draw, FENCE);
}

#[test]
fn no_waiting_after_a_takeover() {
    caught(Mutant::NoWaitAfterTakeover, 0..12, draw, FENCE);
}

#[test]
fn success_assumed_on_an_unknown_reply() {
    caught(Mutant::AssumesSuccess, 0..3, unwritten, FENCE);
}

#[test]
fn a_retirement_left_standing() {
    caught(Mutant::RetirementStands, 0..3, twice, BLIND);
}

#[test]
fn traffic_back_into_a_fleet_that_scaled_in() {
    caught(Mutant::BackIntoAnything, 0..6, shrunk, BLIND);
}

#[test]
fn remembered_capacity_written_back() {
    caught(Mutant::RemembersCapacity, 0..12, draw, FIGHTS);
}

#[test]
fn retired_too_early() {
    caught(Mutant::RetiresTooEarly, 0..12, draw, FIGHTS);
}

#[test]
fn on_record_before_it_is_done() {
    caught(Mutant::RecordBeforeWeights, 0..1, broken, BACK);
}

/// No bug at all, but a deployer that never brings anything to its end.
#[test]
fn one_that_always_takes_back() {
    let never =
        CANARY.replace("smoke:  [{ path: /healthz }]", "smoke:  [{ path: /healthz, status: 418 }]");
    assert_ne!(never, CANARY);
    let played = play(&calm(never, vec![deploys(0, "v2", "0")])).unwrap();
    assert!(played.violations.iter().any(|found| found.promise == "what can succeed does"));
}

#[test]
fn those_stories_are_harmless_without_a_bug() {
    for story in [unwritten(0), twice(0), broken(0), shrunk(0), shrunk(3)] {
        let played = play(&story).unwrap();
        assert_eq!(played.violations, [], "{:?} {:?}", played.ends, played.told);
    }
}
