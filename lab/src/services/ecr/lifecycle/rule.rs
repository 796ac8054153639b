//! The rules of a lifecycle policy, as data.

/// A rule that expires images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LifecycleRule {
    /// The order in which rules are evaluated, lowest first; unique.
    pub(super) priority: i64,
    pub(super) tags: TagSelection,
    pub(super) count: CountType,
}

/// Which images a rule applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TagSelection {
    /// All images.
    Any,
    /// Images without a tag.
    Untagged,
    /// Images that have a matching tag for each of these patterns.
    Patterns(Vec<String>),
}

/// Which of a rule's images expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountType {
    /// All but this many of the youngest.
    MoreThan(usize),
    /// Those pushed more than this many days ago.
    DaysSincePushed(i64),
    /// Those last pulled more than this many days ago; for an image never pulled, the push counts.
    DaysSincePulled(i64),
}
