//! Workflow commands, and text that must not become one.
//!
//! The runner treats a line of a step's output as a command if it starts, after blanks, with `::`, or if it
//! contains `##[` anywhere (actions/runner, `ActionCommand.cs`). Lines end at CR, LF and CR LF.

use std::fmt;

/// The severity of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// An error.
    Error,
    /// Something to look into.
    Warning,
    /// Information.
    Notice,
}

/// An annotation, shown on the page of the workflow run and in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The severity.
    pub level: Level,
    /// The heading.
    pub title: String,
    /// The text. The runner shows the first 4,096 characters.
    pub message: String,
    /// The place in a file of the repository, if it is about one.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Place {
    /// Returns the place at the start of a message, as in `cutover.yaml:35:1: unknown key`.
    pub fn of(message: &str) -> Option<Place> {
        let (head, _) = message.lines().next()?.split_once(": ")?;
        let mut parts = head.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        let file = parts.next().filter(|file| !file.is_empty())?.to_owned();
        Some(Place { file, line, column })
    }
}

/// Writes the workflow command, in one line.
impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        write!(f, "::{level} title={}", property(&self.title))?;
        if let Some(Place { file, line, column }) = &self.place {
            write!(f, ",file={},line={line},col={column}", property(file))?;
        }
        write!(f, "::{}", data(&sanitize(&self.message)))
    }
}

/// Returns the command that begins a group of lines, which the log shows folded. Groups do not nest.
pub(super) fn group(title: &str) -> String {
    format!("::group::{}", data(&sanitize(title).replace('\n', " ")))
}

/// The command that ends a group.
pub(super) const END_GROUP: &str = "::endgroup::";

/// Escapes the message of a command, which follows its last `::` (toolkit, `escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property (toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    data(&sanitize(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the text made safe for the log: no line of it is a command, and no character moves the cursor or
/// changes the direction of writing. Colors are kept.
pub fn sanitize(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.split('\n').map(|line| {
        let line = strip_controls(line);
        // Breaking up one prefix never creates another, even in `####[[`.
        let line = line.replace("##[", "# #[");
        let blank = line.len() - line.trim_start().len();
        match line[blank..].starts_with("::") {
            true => format!("{}: {}", &line[..blank], &line[blank + 1..]),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a line without control characters except tabs and colors.
fn strip_controls(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let length = color(rest).unwrap_or(0);
        if length > 0 {
            text.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => text.push(c),
            c if c.is_control() => text.push('\u{fffd}'),
            c if is_bidi_control(c) => {}
            c => text.push(c),
        }
    }
    text
}

/// Returns the length of the escape sequence at the start of `text`, if it sets a color.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// Returns whether a character changes the direction of writing (Unicode 16, "Bidi_Control"), which can disguise
/// a line.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns whether the runner treats any line as a command; written independently from its source.
    fn is_command(output: &str) -> bool {
        let lines = output.split(['\r', '\n']);
        lines.into_iter().any(|line| line.trim_start().starts_with("::") || line.contains("##["))
    }

    #[test]
    fn an_annotation_is_one_line_whatever_it_says() {
        let annotation = Annotation {
            level: Level::Error,
            title: "100%: a, b".to_owned(),
            message: "first\n::set-output name=x::y\r\nlast".to_owned(),
            place: Some(Place { file: "a,b.yaml".to_owned(), line: 3, column: 9 }),
        };
        insta::assert_snapshot!(
            annotation,
            @"::error title=100%25%3A a%2C b,file=a%2Cb.yaml,line=3,col=9::first%0A: :set-output name=x::y%0Alast"
        );
    }

    #[test]
    fn a_place_is_read_from_the_message_of_a_configuration_error() {
        let place =
            Place::of("sub/cutover.yaml:35:1: unknown key `a: b`\n  = did you mean").unwrap();
        assert_eq!(place, Place { file: "sub/cutover.yaml".to_owned(), line: 35, column: 1 });
        assert_eq!(Place::of("no place: 3"), None);
        assert_eq!(Place::of(":3:4: nameless"), None);
    }

    #[test]
    fn colors_stay_and_cursors_do_not_move() {
        assert_eq!(sanitize("\u{1b}[1;32mok\u{1b}[0m"), "\u{1b}[1;32mok\u{1b}[0m");
        assert_eq!(sanitize("a\u{1b}[2Kb\u{7}\u{202e}c"), "a\u{fffd}[2Kb\u{fffd}c");
    }

    proptest! {
        #[test]
        fn no_text_is_a_command(text in r"([ \t\u{a0}:#\[\]\r\n]|::|##\[|\x1b\[0m|[a-z]|\x1b|\u{202e}){0,40}") {
            prop_assert!(!is_command(&sanitize(&text)), "{:?} became {:?}", text, sanitize(&text));
        }

        #[test]
        fn harmless_text_is_unchanged(text in r"[a-zA-Z0-9 .,/@#\-]{0,40}") {
            prop_assert_eq!(sanitize(&text), text);
        }

        #[test]
        fn a_group_and_an_annotation_are_one_command(text in any::<String>()) {
            prop_assert_eq!(group(&text).lines().count(), 1);
            let annotation = Annotation {
                level: Level::Warning, title: text.clone(), message: text, place: None,
            };
            let line = annotation.to_string();
            prop_assert!(!line.contains(['\r', '\n']));
            prop_assert!(!line["::warning".len()..].contains("##["));
        }
    }
}
