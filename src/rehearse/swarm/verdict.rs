//! The results of one seed, and of many.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::runner::{CaseResult, End, play};
use super::{SwarmCase, draw};
use crate::rehearse::SimulationError;
use crate::rehearse::checkers::Violation;

/// One seed's test case and its result.
#[derive(Debug)]
pub struct Verdict {
    /// The test case.
    pub case: SwarmCase,
    /// What happened.
    pub played: CaseResult,
}

impl Verdict {
    /// Runs the test case of a seed.
    ///
    /// # Errors
    /// If the swarm itself is broken: every seed's test case can be run.
    pub fn of(seed: u64) -> Result<Verdict, SimulationError> {
        let case = draw(seed);
        let played = play(&case)?;
        Ok(Verdict { case, played })
    }

    /// Returns the promises that did not hold.
    pub fn violations(&self) -> &[Violation] {
        &self.played.violations
    }
}

/// Totals over many seeds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Test cases run.
    pub seeds: u64,
    /// Test cases in which a promise did not hold.
    pub violated: u64,
    /// Processes by how they ended.
    pub runs: BTreeMap<String, u64>,
    /// Calls to the lab.
    pub calls: u64,
    /// Hours that passed in the lab.
    pub hours: u64,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.seeds += 1;
        self.violated += u64::from(!verdict.violations().is_empty());
        for (_, end) in &verdict.played.ends {
            *self.runs.entry(end.name().to_owned()).or_default() += 1;
        }
        self.calls += verdict.played.calls;
        self.hours += verdict.played.lasted.as_secs() / 3600;
    }
}

impl End {
    /// Returns it in one or two words.
    pub fn name(&self) -> &'static str {
        match self {
            End::Outcome(outcome) => outcome.outcome.name(),
            End::NotStarted(_) => "not started",
            End::Killed => "killed",
            End::TimedOut => "timed out",
        }
    }
}

/// Runs the test cases of all `seeds` in `jobs` threads, showing each as it ends.
///
/// # Errors
/// The first seed whose test case could not be run at all.
pub fn swarm(
    seeds: Range<u64>,
    jobs: NonZero<usize>,
    show: &mut (dyn FnMut(&Verdict) + Send),
) -> Result<Tally, Box<(u64, SimulationError)>> {
    let next = AtomicU64::new(seeds.start);
    let done = Mutex::new((Tally::default(), show, None));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let reported = Verdict::of(seed);
            let Ok(mut done) = done.lock() else { return };
            match reported {
                Ok(verdict) => {
                    done.0.add(&verdict);
                    (done.1)(&verdict);
                }
                Err(error) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    done.2.get_or_insert_with(|| Box::new((seed, error)));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(work);
        }
    });
    let (tally, _, failed) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.map_or(Ok(tally), Err)
}
