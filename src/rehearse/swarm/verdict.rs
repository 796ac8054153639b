//! What came of a seed, and of many.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::play::{End, Played, play};
use super::{Story, draw};
use crate::rehearse::checkers::Violation;
use crate::rehearse::demo::Unrehearsed;

/// One seed's story, and what came of it.
#[derive(Debug)]
pub struct Verdict {
    /// The story.
    pub story: Story,
    /// What happened.
    pub played: Played,
}

impl Verdict {
    /// Tells the story of a seed.
    ///
    /// # Errors
    /// Where the swarm itself is broken: no seed may draw a story that cannot be told.
    pub fn of(seed: u64) -> Result<Verdict, Unrehearsed> {
        let story = draw(seed);
        let played = play(&story)?;
        Ok(Verdict { story, played })
    }

    /// The promises that did not hold.
    pub fn violations(&self) -> &[Violation] {
        &self.played.violations
    }
}

/// Sums over many seeds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Stories told.
    pub seeds: u64,
    /// Stories in which a promise did not hold.
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
    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            End::Outcome(outcome) => outcome.outcome.name(),
            End::Unbegun(_) => "unbegun",
            End::Killed => "killed",
            End::Never => "endless",
        }
    }
}

/// Tells the stories of all `seeds`, on as many threads as `jobs`, showing each as it ends.
///
/// # Errors
/// The first seed that could not be told at all.
pub fn swarm(
    seeds: Range<u64>,
    jobs: NonZero<usize>,
    show: &mut (dyn FnMut(&Verdict) + Send),
) -> Result<Tally, Box<(u64, Unrehearsed)>> {
    let next = AtomicU64::new(seeds.start);
    let done = Mutex::new((Tally::default(), show, None));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let told = Verdict::of(seed);
            let Ok(mut done) = done.lock() else { return };
            match told {
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
