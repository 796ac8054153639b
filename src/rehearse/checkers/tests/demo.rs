//! The demo's rollouts under the checkers, which find nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::scenario::Scenario;

use crate::rehearse::checkers::Violation;
use crate::rehearse::demo::{BAD, BLUE_GREEN, CANARY, ROLLING};
use crate::rehearse::process::ProcessCommand;
use crate::rehearse::swarm::{End, Run, SwarmCase, play};
use cutover_rollout::model::Status;

/// Runs one rollout without faults; returns its outcome and what the checkers found.
fn reported(
    configuration: &str,
    scenario: Scenario,
    bad: bool,
) -> (Option<Status>, Vec<Violation>) {
    let mut labels = BTreeMap::new();
    if bad {
        labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    let run = Run { begins: 0, verb: ProcessCommand::Deploy(labels), skew: 0, cut: None };
    let case = SwarmCase {
        seed: 1,
        configuration: configuration.to_owned(),
        scenario,
        propagation: Duration::from_secs(20),
        runs: vec![run],
        calm: 60,
    };
    let played = play(&case).unwrap();
    let ending = match &played.ends[0].1 {
        End::Outcome(outcome) => Some(outcome.outcome),
        _ => None,
    };
    (ending, played.violations)
}

fn shapes() -> [(&'static str, Scenario); 3] {
    let pair = Scenario::default;
    [(CANARY, pair()), (BLUE_GREEN, pair()), (ROLLING, Scenario::one_group())]
}

#[test]
fn a_successful_rollout_has_no_violation() {
    for (configuration, scenario) in shapes() {
        let reported = reported(configuration, scenario, false);
        assert_eq!(reported, (Some(Status::Succeeded), Vec::new()));
    }
}

#[test]
fn a_rolled_back_rollout_has_no_violation() {
    for (configuration, scenario) in shapes() {
        let reported = reported(configuration, scenario, true);
        assert_eq!(reported, (Some(Status::RolledBack), Vec::new()));
    }
}
