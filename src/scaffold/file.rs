//! A file to write.

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path, relative to the directory that `cutover init` runs in, with `/` as separator.
    pub path: String,
    /// The content.
    pub text: String,
}
