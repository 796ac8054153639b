//! The demo's rollouts under the checkers: nothing to tell.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::scenario::Scenario;

use crate::model::Ending;
use crate::rehearse::checkers::Violation;
use crate::rehearse::demo::{BAD, BLUE_GREEN, CANARY, ROLLING};
use crate::rehearse::process::Verb;
use crate::rehearse::swarm::{End, Run, Story, play};

/// One rollout in calm weather, and what the checkers found.
fn told(configuration: &str, scenario: Scenario, bad: bool) -> (Option<Ending>, Vec<Violation>) {
    let mut labels = BTreeMap::new();
    if bad {
        labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    let run = Run { begins: 0, verb: Verb::Deploy(labels), skew: 0, cut: None };
    let story = Story {
        seed: 1,
        configuration: configuration.to_owned(),
        scenario,
        propagation: Duration::from_secs(20),
        runs: vec![run],
        calm: 60,
    };
    let played = play(&story).unwrap();
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
fn nothing_is_found_in_a_rollout_that_goes_well() {
    for (configuration, scenario) in shapes() {
        let told = told(configuration, scenario, false);
        assert_eq!(told, (Some(Ending::Succeeded), Vec::new()));
    }
}

#[test]
fn nothing_is_found_in_one_that_is_taken_back() {
    for (configuration, scenario) in shapes() {
        let told = told(configuration, scenario, true);
        assert_eq!(told, (Some(Ending::RolledBack), Vec::new()));
    }
}
