//! Why something may not happen yet, and which parts of an observation were read.

/// Why a condition does not hold, as the end of a sentence: `an instance refresh of web-blue is active`.
///
/// Something that was not read, or that no longer exists, is a reason, too: an absence proves nothing, so `?` stops
/// there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotReady(String);

impl NotReady {
    /// Makes a reason.
    pub fn new(reason: impl Into<String>) -> NotReady {
        NotReady(reason.into())
    }

    /// Fails with `reason` unless the condition holds.
    pub(super) fn unless(holds: bool, reason: impl FnOnce() -> String) -> Result<(), NotReady> {
        if holds { Ok(()) } else { Err(NotReady(reason())) }
    }
}

/// A part of an observation. Not every phase reads everything ([`super::needs`]), and "not read" is not "empty".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading<T> {
    /// It was not read, so nothing is known.
    #[default]
    NotRead,
    /// What was read, which may be empty.
    Read(T),
}

impl<T> Reading<T> {
    /// Returns what was read.
    ///
    /// # Errors
    /// If `what`, a plural, has not been read.
    pub fn get(&self, what: &str) -> Result<&T, NotReady> {
        match self {
            Reading::Read(answer) => Ok(answer),
            Reading::NotRead => Err(NotReady(format!("{what} have not been read"))),
        }
    }
}

#[cfg(test)]
impl<T> Reading<T> {
    /// Returns a part of a test's observation, which has read everything.
    pub(super) fn known(&mut self) -> &mut T {
        match self {
            Reading::Read(answer) => answer,
            Reading::NotRead => panic!("not read"),
        }
    }
}
