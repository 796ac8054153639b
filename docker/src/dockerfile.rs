//! Parses a Dockerfile as far as messages need it: which lines an instruction is on. The engine reports a
//! failed step by name, not by line.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;

use regex::Regex;

/// Lines of context before and after.
const AROUND: usize = 2;

/// An instruction and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instruction {
    /// Counted from 1.
    lines: RangeInclusive<usize>,
    /// In upper case, such as `RUN`.
    keyword: String,
    /// The arguments, on one line.
    rest: String,
    /// Counted from 0; instructions before the first `FROM` belong to stage 0.
    stage: usize,
    /// The name that `FROM … AS` gives its stage.
    stage_name: Option<String>,
}

/// Returns the lines of the step that the engine calls `name`, such as `[build 2/4] RUN make`.
pub(super) fn lines_of(text: &str, name: &str) -> Option<RangeInclusive<usize>> {
    let all = instructions(text);
    if let Some(image) = name.strip_prefix("[internal] load metadata for ") {
        let image = image.trim_start_matches("docker.io/").trim_start_matches("library/");
        let plain = image.strip_suffix(":latest").unwrap_or(image);
        let from = all.iter().find(|i| i.keyword == "FROM" && i.rest.contains(plain))?;
        return Some(from.lines.clone());
    }
    let (stage, rest) = match name.strip_prefix('[') {
        Some(inner) => {
            let (place, rest) = inner.split_once("] ")?;
            (place.rsplit_once(' ').map(|(stage, _)| stage.trim()), rest)
        }
        None => (None, name),
    };
    let (keyword, rest) = rest.split_once(' ')?;
    let mut alike: Vec<&Instruction> =
        all.iter().filter(|i| i.keyword == keyword.to_uppercase()).collect();
    // The engine has substituted the variables.
    alike.retain(|instruction| matches(&instruction.rest, rest));
    let in_stage = |instruction: &&&Instruction| {
        let number = stage.and_then(|stage| stage.strip_prefix("stage-")?.parse().ok());
        number == Some(instruction.stage) || stage == instruction.stage_name.as_deref()
    };
    let found = alike.iter().find(in_stage).or_else(|| alike.first())?;
    Some(found.lines.clone())
}

/// Returns the line that a message of the engine names, as in `parse error on line 2`.
pub(super) fn line_named(message: &str) -> Option<RangeInclusive<usize>> {
    let named = Regex::new(r"parse error (?:on )?line (\d+)").ok()?;
    let line = named.captures(message)?.get(1)?.as_str().parse().ok()?;
    Some(line..=line)
}

/// Returns the lines with some context, as `docker buildx` shows them.
pub(super) fn excerpt(text: &str, path: &Path, lines: RangeInclusive<usize>) -> String {
    let (first, last) = lines.into_inner();
    let mut shown = format!("{}:{first}\n", path.display());
    let from = first.saturating_sub(AROUND).max(1);
    for (index, line) in text.lines().enumerate().skip(from - 1).take(last + AROUND + 1 - from) {
        let number = index + 1;
        let mark = if (first..=last).contains(&number) { ">>>" } else { "   " };
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "{}", format!("{number:4} | {mark} {line}").trim_end());
    }
    shown
}

fn instructions(text: &str) -> Vec<Instruction> {
    let escape = escape(text);
    let mut found: Vec<Instruction> = Vec::new();
    let (mut stage, mut stage_name) = (0, None);
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (first, mut last, mut whole) = (index + 1, index + 1, String::new());
        let mut line = line;
        loop {
            let Some(part) = line.trim_end().strip_suffix(escape) else {
                whole.push_str(line);
                break;
            };
            whole.push_str(part);
            // Comments and empty lines don't end an instruction.
            let goes_on = |line: &str| !line.trim().is_empty() && !line.trim().starts_with('#');
            let Some((index, next)) = lines.by_ref().find(|(_, line)| goes_on(line)) else { break };
            (line, last) = (next, index + 1);
        }
        let (keyword, rest) = whole.split_once(char::is_whitespace).unwrap_or((&whole, ""));
        let keyword = keyword.to_uppercase();
        if matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
            for end in heredocs(rest) {
                let ended = lines.by_ref().find(|(_, line)| line.trim_start_matches('\t') == end);
                last = ended.map_or(last, |(index, _)| index + 1);
            }
        }
        if keyword == "FROM" {
            stage += usize::from(found.iter().any(|i| i.keyword == "FROM"));
            let words: Vec<&str> = rest.split_whitespace().collect();
            let name = words.windows(2).find(|pair| pair[0].eq_ignore_ascii_case("as"));
            stage_name = name.map(|pair| pair[1].to_lowercase());
        }
        let (rest, stage_name) = (rest.trim().to_owned(), stage_name.clone());
        found.push(Instruction { lines: first..=last, keyword, rest, stage, stage_name });
    }
    found
}

/// Returns the character that continues a line: `\`, unless a directive at the top of the file says
/// otherwise.
fn escape(text: &str) -> char {
    let heads = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let mut said = heads.filter_map(|head| head.trim().strip_prefix("escape=")?.chars().next());
    said.next().unwrap_or('\\')
}

/// Returns the delimiters of an instruction's here-documents (`RUN <<EOF`).
fn heredocs(rest: &str) -> Vec<String> {
    let begins = Regex::new(r#"<<-?["']?(\w+)["']?"#);
    let ends = |begins: Regex| begins.captures_iter(rest).map(|c| c[1].to_owned()).collect();
    begins.map(ends).unwrap_or_default()
}

/// Returns whether `written` may have become `named`: any whitespace is equal, and a variable matches
/// anything.
fn matches(written: &str, named: &str) -> bool {
    let variable = Regex::new(r"\\?\$(\{[^}]*\}|\w+)");
    let space = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Ok(variable) = variable else { return false };
    let written = space(written);
    let parts: Vec<String> = variable.split(&written).map(regex::escape).collect();
    let pattern = Regex::new(&format!("^{}$", parts.join("(?s:.*)")));
    pattern.is_ok_and(|pattern| pattern.is_match(&space(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# syntax=docker/dockerfile:1
ARG VERSION=1
FROM alpine:3 AS Build

RUN make \\
    # with a comment
    all
RUN <<EOF
false
EOF
FROM scratch
WORKDIR /srv
COPY --from=build /out-$VERSION /srv/
RUN make all
";

    #[test]
    fn steps_by_their_lines() {
        for (name, lines) in [
            ("[internal] load metadata for docker.io/library/alpine:3", 3..=3),
            ("[build 2/3] RUN make     all", 5..=7),
            ("[build 3/3] RUN <<EOF", 8..=10),
            ("[stage-1 2/4] WORKDIR /srv", 12..=12),
            ("[stage-1 3/4] COPY --from=build /out-2.1 /srv/", 13..=13),
            ("[stage-1 4/4] RUN make all", 14..=14),
            ("[2/2] RUN make all", 14..=14),
        ] {
            assert_eq!(lines_of(TEXT, name), Some(lines), "{name}");
        }
        assert_eq!(lines_of(TEXT, "exporting to image"), None);
        assert_eq!(line_named("dockerfile parse error line 2: unknown"), Some(2..=2));
        assert_eq!(line_named("dockerfile parse error on line 12: x"), Some(12..=12));
    }

    #[test]
    fn lines_are_shown_with_some_around_them() {
        assert_eq!(
            excerpt(TEXT, Path::new("web/Dockerfile"), 12..=12),
            "web/Dockerfile:12\n  10 |     EOF\n  11 |     FROM scratch\n  12 | >>> WORKDIR /srv\n  \
             13 |     COPY --from=build /out-$VERSION /srv/\n  14 |     RUN make all\n"
        );
    }

    #[test]
    fn another_escape() {
        let text = "# escape=`\nFROM a\nRUN dir `\n  C:\\\nRUN x";
        assert_eq!(lines_of(text, "[2/3] RUN dir   C:\\"), Some(3..=4));
        assert_eq!(lines_of(text, "[3/3] RUN x"), Some(5..=5));
    }
}
