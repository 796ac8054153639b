//! What a terminal can show.

use console::Style;

use cutover_rollout::model::{Color, Status};

/// Whether colors and glyphs are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// ANSI colors.
    pub color: bool,
    /// Characters beyond ASCII, for bars, dots and marks.
    pub glyphs: bool,
}

impl TerminalStyle {
    /// Neither colors nor glyphs: for files, pipes and logs.
    pub const PLAIN: TerminalStyle = TerminalStyle { color: false, glyphs: false };

    /// Returns what an output can show. `NO_COLOR` turns colors off, `CLICOLOR_FORCE` turns them on; glyphs need
    /// a `terminal`, a UTF-8 locale, and a `TERM` that is not `dumb`.
    pub fn choose(terminal: bool, env: impl Fn(&str) -> Option<String>) -> TerminalStyle {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let capable = terminal && set("TERM").is_none_or(|term| term != "dumb");
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        TerminalStyle {
            color: (capable || forced) && set("NO_COLOR").is_none(),
            glyphs: capable && (utf8 || cfg!(windows) || cfg!(target_os = "macos")),
        }
    }

    /// Returns a style that is plain if colors are off.
    fn style(self) -> Style {
        Style::new().force_styling(self.color)
    }

    /// Returns `text` in a side's color.
    pub(super) fn tint(self, color: Color, text: &str) -> String {
        let style = match color {
            Color::Blue => self.style().blue(),
            Color::Green => self.style().green(),
        };
        style.apply_to(text).to_string()
    }

    /// Returns `text` dimmed.
    pub(super) fn faint(self, text: &str) -> String {
        self.style().dim().apply_to(text).to_string()
    }

    /// Returns `text` as a heading.
    pub(super) fn strong(self, text: &str) -> String {
        self.style().bold().apply_to(text).to_string()
    }

    /// Returns `text` as good news.
    pub(super) fn good(self, text: &str) -> String {
        self.style().green().apply_to(text).to_string()
    }

    /// Returns `text` as a warning.
    pub(super) fn warn(self, text: &str) -> String {
        self.style().yellow().apply_to(text).to_string()
    }

    /// Returns `text` as bad news.
    pub(super) fn bad(self, text: &str) -> String {
        self.style().red().bold().apply_to(text).to_string()
    }

    /// Returns the glyph, or its ASCII replacement.
    pub(super) fn glyph(self, glyph: &'static str, plain: &'static str) -> &'static str {
        if self.glyphs { glyph } else { plain }
    }

    /// Returns `text` in the style of an outcome.
    pub(super) fn ending(self, ending: Status, text: &str) -> String {
        match ending {
            Status::Succeeded => self.style().green().bold().apply_to(text).to_string(),
            Status::RolledBack | Status::Superseded | Status::Interrupted => {
                self.style().yellow().bold().apply_to(text).to_string()
            }
            Status::Refused | Status::Failed | Status::Stuck => self.bad(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(terminal: bool, env: &[(&str, &str)]) -> TerminalStyle {
        TerminalStyle::choose(terminal, |name| {
            env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn pipes_are_plain_and_terminals_are_not() {
        let utf8 = ("LANG", "en_GB.UTF-8");
        assert_eq!(choose(true, &[utf8]), TerminalStyle { color: true, glyphs: true });
        assert!(!choose(false, &[utf8]).color && !choose(false, &[utf8]).glyphs);
        assert!(!choose(true, &[utf8, ("NO_COLOR", "1")]).color);
        assert!(!choose(true, &[("TERM", "dumb")]).color);
        assert!(choose(false, &[("CLICOLOR_FORCE", "1")]).color);
    }
}
