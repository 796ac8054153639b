//! Deliberate bugs. A test that never fails proves nothing, so the swarm's checkers must find each of these bugs when a
//! test enables it. Outside of tests none of them can be enabled.

/// A bug that a developer could plausibly write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Every gate is open: weights change before targets are healthy.
    WeightsBeforeHealth,
    /// A higher number in the ledger is ignored.
    NoFence,
    /// A run that takes over from an unfinished one starts at once.
    NoWaitAfterTakeover,
    /// A ledger write whose result is unknown is assumed to have succeeded.
    AssumesSuccess,
    /// The scheduled scale-in of a group stays while the group is in use.
    KeepsScheduledScaleIn,
    /// Traffic is restored to the old side regardless of its capacity.
    RestoresWithoutCapacity,
    /// DesiredCapacity is written where only MinSize is meant.
    WritesDesiredCapacity,
    /// The record says that traffic is restored before the weights are changed.
    RecordBeforeWeights,
    /// The old group is scaled in as soon as possible instead of after the rollback window.
    ScalesInTooEarly,
}

/// Returns whether a bug is enabled.
#[cfg(not(any(test, feature = "mutants")))]
pub const fn on(_: Mutant) -> bool {
    false
}

#[cfg(any(test, feature = "mutants"))]
pub use switch::{on, with};

#[cfg(any(test, feature = "mutants"))]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        /// The enabled bug; the swarm runs each test case in one thread.
        static BUG: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Returns whether a bug is enabled in this thread.
    pub fn on(mutant: Mutant) -> bool {
        BUG.get() == Some(mutant)
    }

    /// Runs `work` with a bug enabled.
    pub fn with<R>(mutant: Mutant, work: impl FnOnce() -> R) -> R {
        struct Off;
        impl Drop for Off {
            fn drop(&mut self) {
                BUG.set(None);
            }
        }
        let _off = Off;
        BUG.set(Some(mutant));
        work()
    }
}
