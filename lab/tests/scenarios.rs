//! Runs each shipped scenario for its length and checks that it shows what it is meant to show.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::scenario::{SHIPPED, Scenario};
use cutover_lab::services::autoscaling::{Group, LifecycleState};
use cutover_lab::world::{World, later};

const START: &str = "2026-01-05T09:00:00Z";

/// A shipped scenario in progress.
struct Run(World);

impl Run {
    fn of(name: &str) -> Run {
        let scenario = Scenario::shipped(name).unwrap().unwrap();
        Run(World::from_scenario(&scenario, 1, START.parse().unwrap()).unwrap())
    }

    /// Advances to this many seconds after the start.
    fn until(&mut self, seconds: u64) -> &mut Run {
        self.0.advance(later(self.0.began, Duration::from_secs(seconds)));
        self
    }

    fn group(&self) -> &Group {
        &self.0.autoscaling.groups["news"]
    }

    /// Returns the number of instances in service by zone.
    fn zones(&self) -> BTreeMap<&str, usize> {
        let mut zones = BTreeMap::new();
        let members = self.group().members.values();
        for member in members.filter(|member| member.state == LifecycleState::InService) {
            *zones.entry(&member.zone[member.zone.len() - 1..]).or_default() += 1;
        }
        zones
    }

    /// Returns the requests served and failed so far.
    fn tally(&self) -> (u64, u64) {
        let totals = self.0.traffic.totals().values();
        totals.fold((0, 0), |(served, failed), t| (served + t.served, failed + t.failed))
    }
}

#[test]
fn all_scenarios_load_and_start_without_failures() {
    for (name, _) in SHIPPED {
        let mut run = Run::of(name);
        run.until(60);
        assert!(run.tally().0 > 0 && run.tally().1 == 0, "{name}: {:?}", run.tally());
    }
}

#[test]
fn course_lab1_grows_and_shrinks() {
    let mut run = Run::of("course-lab1");
    assert_eq!(run.until(600).group().desired, 2, "nothing to do at the start");
    assert_eq!(run.until(1500).group().desired, 6, "as many as MaxSize allows");
    assert_eq!(run.until(2000).group().desired, 6, "scaling in takes its time");
    assert_eq!(run.until(5400).group().desired, 2);
    let (served, failed) = run.tally();
    assert!(failed > 0 && failed * 10 < served, "{served} {failed}");
}

#[test]
fn multi_az_survives_the_loss_of_a_zone() {
    let mut run = Run::of("multi-az");
    assert_eq!(run.until(599).zones(), BTreeMap::from([("a", 2), ("b", 2), ("c", 2)]));
    assert_eq!(run.tally().1, 0);
    assert_eq!(run.until(1799).zones(), BTreeMap::from([("a", 3), ("b", 3)]));
    let (served, failed) = run.tally();
    assert!(failed > 0 && failed * 20 < served, "{served} {failed}");
    assert_eq!(run.until(3600).zones(), BTreeMap::from([("a", 2), ("b", 2), ("c", 2)]));
    assert_eq!(run.tally().1, failed, "its return costs nothing");
}

#[test]
fn news_burst_loses_requests_until_the_group_has_grown() {
    let mut run = Run::of("news-burst");
    run.until(300);
    assert_eq!(run.tally().1, 0);
    let share_lost = |run: &mut Run, from, to| {
        let before = run.until(from).tally();
        let after = run.until(to).tally();
        let (served, failed) = (after.0 - before.0, after.1 - before.1);
        failed as f64 / (served + failed) as f64
    };
    let first = share_lost(&mut run, 310, 400);
    assert!((0.7..0.9).contains(&first), "two instances handle a fifth: {first}");
    let last = share_lost(&mut run, 800, 900);
    assert!(last < 0.01, "twelve instances handle everything: {last}");
    assert_eq!(run.group().desired, 12);
    assert!(run.until(2400).group().desired < 12);
}
