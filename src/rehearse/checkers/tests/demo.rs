//! The demo's rollouts under the checkers: nothing to tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_lab::doors::InProcess;
use cutover_lab::scenario::Scenario;
use cutover_lab::world::World;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::config;
use crate::engine::Stop;
use crate::model::Ending;
use crate::rehearse::checkers::{Checkers, FleetNames, Tolerance, Totals, Violation};
use crate::rehearse::demo::{BAD, BLUE_GREEN, CANARY, ROLLING};
use crate::rehearse::process::{Process, Verb};

const QUIET: Duration = Duration::from_secs(900);

/// One rollout under the checkers, and a quiet quarter of an hour after it.
async fn checked(scenario: &Scenario, text: &str, bad: bool) -> (Ending, Vec<Violation>) {
    let config = config::parse(text, "cutover.yaml").unwrap();
    let start: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let world = World::from_scenario(scenario, 1, start).unwrap();
    let names = FleetNames::of(&config, &world).unwrap();
    let checkers = Checkers::new(&world, &names, Tolerance::default());
    let checkers = Arc::new(Mutex::new(checkers));
    let door = InProcess::new(world);
    let watcher = checkers.clone();
    door.watch(move |world, moment| watcher.lock().unwrap().see(world, moment));
    let mut labels = BTreeMap::new();
    if bad {
        labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    let process = Process {
        holder: "run-1".to_owned(),
        config: &config,
        verb: Verb::Deploy(labels),
        skew: SignedDuration::ZERO,
        sent: watch::Sender::default(),
    };
    let (_, stop) = Stop::pair();
    checkers.lock().unwrap().began(door.now(), "run-1");
    let outcome = process.run(&door.named("run-1"), stop, &mut |_| ()).await.unwrap();
    let ended = |world: &mut World| checkers.lock().unwrap().ended(world, "run-1", &outcome);
    door.world(ended);
    tokio::time::sleep(QUIET).await;
    let finish = |world: &mut World| checkers.lock().unwrap().finish(world, &Totals::default());
    (outcome.outcome, door.world(finish))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_in_a_rollout_that_goes_well() {
    for (scenario, text) in [
        (Scenario::default(), CANARY),
        (Scenario::default(), BLUE_GREEN),
        (Scenario::one_group(), ROLLING),
    ] {
        let (ending, found) = checked(&scenario, text, false).await;
        assert_eq!((ending, found), (Ending::Succeeded, Vec::new()));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_in_one_that_is_taken_back() {
    for (scenario, text) in [
        (Scenario::default(), CANARY),
        (Scenario::default(), BLUE_GREEN),
        (Scenario::one_group(), ROLLING),
    ] {
        let (ending, found) = checked(&scenario, text, true).await;
        assert_eq!((ending, found), (Ending::RolledBack, Vec::new()));
    }
}
