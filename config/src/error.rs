//! Errors in the file, with their position and a hint.

use std::fmt;

use super::at::Position;

/// One error in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnostic {
    /// Its position; `None` if there is no single one.
    pub place: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub hint: String,
}

/// All errors in one file. `Display` renders them with source lines, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    name: String,
    text: String,
    mistakes: Vec<Diagnostic>,
}

impl ConfigError {
    pub(super) fn new(name: &str, text: &str, mut mistakes: Vec<Diagnostic>) -> ConfigError {
        mistakes.sort_by_key(|mistake| mistake.place);
        ConfigError { name: name.to_owned(), text: text.to_owned(), mistakes }
    }

    pub(super) fn unreadable(name: String, error: &std::io::Error) -> ConfigError {
        let remedy = match error.kind() {
            std::io::ErrorKind::InvalidData => "save it as UTF-8 text",
            std::io::ErrorKind::IsADirectory => "name a file with `--config`",
            _ => "run cutover in the directory of the file, or name the file with `--config`",
        };
        let message = format!("cannot be read: {error}");
        let mistake = Diagnostic { place: None, message, hint: remedy.into() };
        ConfigError { name, text: String::new(), mistakes: vec![mistake] }
    }

    /// A valid file that lacks something the command needs.
    pub(super) fn incomplete(message: &str, remedy: &str) -> ConfigError {
        let mistake =
            Diagnostic { place: None, message: message.to_owned(), hint: remedy.to_owned() };
        ConfigError {
            name: "cutover.yaml".to_owned(),
            text: String::new(),
            mistakes: vec![mistake],
        }
    }

    fn render(&self, mistake: &Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = mistake.place else {
            writeln!(f, "{}: {}", self.name, mistake.message)?;
            return write!(f, "  = {}", mistake.hint);
        };
        writeln!(f, "{}:{}:{}: {}", self.name, place.line, place.column, mistake.message)?;
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        if let Some(line) = self.text.lines().nth(place.line.saturating_sub(1)) {
            let shown = line.replace('\t', " ");
            let start = place.column.saturating_sub(1);
            let before: String = shown.chars().take(start).collect();
            let room = shown.chars().count().saturating_sub(start).max(1);
            // Columns count characters; a terminal's cells differ where a character is wide.
            let indent = " ".repeat(console::measure_text_width(&before));
            let carets = "^".repeat(place.width.min(room));
            writeln!(f, "{gutter} |\n{number} | {shown}\n{gutter} | {indent}{carets}")?;
        }
        write!(f, "{gutter} = {}", mistake.hint)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.mistakes.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            self.render(mistake, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
