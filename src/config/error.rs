//! What is wrong with a file, where, and what to do about it.

use std::fmt;

use super::at::Place;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where; `None` where it is no single place.
    pub place: Option<Place>,
    /// What.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Everything that is wrong with one file. Its `Display` is meant for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    name: String,
    text: String,
    mistakes: Vec<Mistake>,
}

impl ConfigError {
    pub(super) fn new(name: &str, text: &str, mut mistakes: Vec<Mistake>) -> ConfigError {
        mistakes.sort_by_key(|mistake| mistake.place);
        ConfigError { name: name.to_owned(), text: text.to_owned(), mistakes }
    }

    pub(super) fn unreadable(name: String, error: &std::io::Error) -> ConfigError {
        let remedy = match error.kind() {
            std::io::ErrorKind::InvalidData => "write it as text in UTF-8",
            std::io::ErrorKind::IsADirectory => "name the file itself with `--config`",
            _ => "run cutover in the folder that holds it, or name it with `--config`",
        };
        let message = format!("cannot be read: {error}");
        let mistake = Mistake { place: None, message, remedy: remedy.into() };
        ConfigError { name, text: String::new(), mistakes: vec![mistake] }
    }

    /// A file that is right in itself, but not for what was asked.
    pub(super) fn unfit(message: &str, remedy: &str) -> ConfigError {
        let mistake =
            Mistake { place: None, message: message.to_owned(), remedy: remedy.to_owned() };
        ConfigError {
            name: "cutover.yaml".to_owned(),
            text: String::new(),
            mistakes: vec![mistake],
        }
    }

    /// How many things are wrong.
    pub fn count(&self) -> usize {
        self.mistakes.len()
    }

    fn render(&self, mistake: &Mistake, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = mistake.place else {
            writeln!(f, "{}: {}", self.name, mistake.message)?;
            return write!(f, "  = {}", mistake.remedy);
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
        write!(f, "{gutter} = {}", mistake.remedy)
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
