//! Commands that are printed are to be pasted.

use shlex::Quoter;

/// A word as a POSIX shell takes it. A NUL, which no argument of a program can hold, is left out.
pub fn shell_word(text: &str) -> String {
    let quoted = Quoter::new().allow_nul(true).quote(text);
    quoted.map(|word| word.replace('\0', "")).unwrap_or_default()
}
