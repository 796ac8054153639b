//! Shell quoting for printed commands.

use shlex::Quoter;

/// Quotes `text` as one word of a POSIX shell. Omits NUL, which no argument can contain.
pub fn shell_word(text: &str) -> String {
    let quoted = Quoter::new().allow_nul(true).quote(text);
    quoted.map(|word| word.replace('\0', "")).unwrap_or_default()
}
