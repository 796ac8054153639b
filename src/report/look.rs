//! What a terminal can show.

use console::Style;

use crate::model::{Colour, Ending};

/// Colours and glyphs, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// ANSI colours.
    pub colour: bool,
    /// Bars and dots beyond ASCII.
    pub glyphs: bool,
}

impl Look {
    /// Neither: for files, pipes and logs.
    pub const PLAIN: Look = Look { colour: false, glyphs: false };

    /// What suits an output that is a `terminal`, or isn't, in an environment: `NO_COLOR` turns
    /// colours off, `CLICOLOR_FORCE` on; glyphs need a UTF-8 locale and a capable `TERM`.
    pub fn choose(terminal: bool, env: impl Fn(&str) -> Option<String>) -> Look {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let capable = terminal && set("TERM").is_none_or(|term| term != "dumb");
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Look {
            colour: (capable || forced) && set("NO_COLOR").is_none(),
            glyphs: capable && (utf8 || cfg!(windows) || cfg!(target_os = "macos")),
        }
    }

    /// A style that is plain where colours are off.
    fn style(self) -> Style {
        Style::new().force_styling(self.colour)
    }

    /// `text` in the colour's colour.
    pub(super) fn tint(self, colour: Colour, text: &str) -> String {
        let style = match colour {
            Colour::Blue => self.style().blue(),
            Colour::Green => self.style().green(),
        };
        style.apply_to(text).to_string()
    }

    /// `text` as an aside.
    pub(super) fn faint(self, text: &str) -> String {
        self.style().dim().apply_to(text).to_string()
    }

    /// `text` as a heading.
    pub(super) fn strong(self, text: &str) -> String {
        self.style().bold().apply_to(text).to_string()
    }

    /// `text` as something good.
    pub(super) fn good(self, text: &str) -> String {
        self.style().green().apply_to(text).to_string()
    }

    /// `text` as something to heed.
    pub(super) fn warn(self, text: &str) -> String {
        self.style().yellow().apply_to(text).to_string()
    }

    /// `text` as something bad.
    pub(super) fn bad(self, text: &str) -> String {
        self.style().red().bold().apply_to(text).to_string()
    }

    /// The glyph, or its plain stand-in.
    pub(super) fn glyph(self, glyph: &'static str, plain: &'static str) -> &'static str {
        if self.glyphs { glyph } else { plain }
    }

    /// `text` as befits the ending.
    pub(super) fn ending(self, ending: Ending, text: &str) -> String {
        match ending {
            Ending::Succeeded => self.style().green().bold().apply_to(text).to_string(),
            Ending::RolledBack | Ending::Superseded | Ending::Interrupted => {
                self.style().yellow().bold().apply_to(text).to_string()
            }
            Ending::Refused | Ending::Failed | Ending::Stuck => self.bad(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(terminal: bool, env: &[(&str, &str)]) -> Look {
        Look::choose(terminal, |name| {
            env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn pipes_are_plain_and_terminals_are_not() {
        let utf8 = ("LANG", "en_GB.UTF-8");
        assert_eq!(choose(true, &[utf8]), Look { colour: true, glyphs: true });
        assert!(!choose(false, &[utf8]).colour && !choose(false, &[utf8]).glyphs);
        assert!(!choose(true, &[utf8, ("NO_COLOR", "1")]).colour);
        assert!(!choose(true, &[("TERM", "dumb")]).colour);
        assert!(choose(false, &[("CLICOLOR_FORCE", "1")]).colour);
    }
}
