//! A comment as data.

use jiff::Timestamp;

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id, unique within the repository.
    pub id: u64,
    /// The number of the pull request.
    pub pull: u64,
    /// Its text, in Markdown.
    pub body: String,
    /// The account that wrote it.
    pub author: String,
    /// When it was written.
    pub created: Timestamp,
    /// When its body last changed.
    pub updated: Timestamp,
}
