//! A file that is to be written.

/// A file, from the folder that `cutover init` runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, with `/` between folders.
    pub path: String,
    /// All of its text.
    pub text: String,
}
