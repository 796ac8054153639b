//! Deliberate bugs. A test that never fails tells nothing: each of these, switched on in a test, must
//! be caught by the swarm's checkers. Outside of tests none of them can be on.

/// A bug that somebody might write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Every gate is open: weights come before health.
    WeightsBeforeHealth,
    /// A higher number in the ledger is not looked at.
    NoFence,
    /// Who takes over from an unfinished run begins at once.
    NoWaitAfterTakeover,
    /// A write to the ledger whose end is unknown is taken for done.
    AssumesSuccess,
    /// Our scheduled retirement of a group stays while the group is used.
    RetirementStands,
    /// Traffic goes back whatever the old side can bear.
    BackIntoAnything,
    /// DesiredCapacity is written where MinSize alone is meant.
    RemembersCapacity,
    /// That traffic is taken back is put on record before it is done.
    RecordBeforeWeights,
    /// The old group is retired as soon as it can be, not after the rollback window.
    RetiresTooEarly,
}

/// Whether a bug is on.
#[cfg(not(test))]
pub(crate) const fn on(_: Mutant) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switch::{on, with};

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        /// The swarm tells a story in one thread.
        static BUG: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Whether a bug is on in this thread.
    pub(crate) fn on(mutant: Mutant) -> bool {
        BUG.get() == Some(mutant)
    }

    /// Works with a bug.
    pub(crate) fn with<R>(mutant: Mutant, work: impl FnOnce() -> R) -> R {
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
