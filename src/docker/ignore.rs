//! `.dockerignore`, as engines read it (Dockerfile reference, "dockerignore file"; moby's
//! patternmatcher): the last pattern that matches a path, or a folder above it, decides.

use regex::Regex;

/// What is left out of a build's context.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Begins with `!`: what it matches is taken in again.
    readmits: bool,
    text: String,
    regex: Regex,
}

/// A line that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the ignore file, `{text}`, is no pattern: {cause}")]
pub struct InvalidPattern {
    /// Counted from 1.
    pub line: usize,
    /// As it is written.
    pub text: String,
    /// What is wrong with it.
    pub cause: String,
}

impl Ignore {
    /// Reads the file's text.
    ///
    /// # Errors
    /// At the first line that is no pattern.
    pub fn parse(text: &str) -> Result<Ignore, InvalidPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            // Only what begins with it is a comment; ` #` is a pattern.
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let pattern = Pattern::parse(line.trim()).map_err(|cause| InvalidPattern {
                line: index + 1,
                text: line.to_owned(),
                cause,
            })?;
            patterns.push(pattern);
        }
        Ok(Ignore { patterns })
    }

    /// Whether `path`, relative to the context and with `/`, is left out.
    pub fn ignores(&self, path: &str) -> bool {
        let mut ignored = false;
        for pattern in &self.patterns {
            // It could not change anything.
            if pattern.readmits != ignored {
                continue;
            }
            if pattern.matches(path) || pattern.matches_above(path) {
                ignored = !pattern.readmits;
            }
        }
        ignored
    }

    /// Whether a folder that is left out has to be looked into all the same: something in it may be
    /// taken in again.
    pub fn may_readmit_below(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        let names_it = |text: &str| text.starts_with(&below) || text.contains(['*', '?', '[']);
        self.patterns.iter().any(|pattern| pattern.readmits && names_it(&pattern.text))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, String> {
        let (readmits, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        if text.is_empty() {
            return Err("`!` takes a path".to_owned());
        }
        let text = clean(text);
        let regex = Regex::new(&regex(&text)?).map_err(|_| "its brackets are not closed")?;
        Ok(Pattern { readmits, text, regex })
    }

    fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// Any folder above `path`.
    fn matches_above(&self, path: &str) -> bool {
        path.match_indices('/').any(|(end, _)| self.matches(&path[..end]))
    }
}

/// The path without `.`, `..`, doubled slashes and those at its ends: relative to the context.
fn clean(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

/// The pattern as a regular expression: `**` goes over folders, `*` and `?` do not.
fn regex(pattern: &str) -> Result<String, String> {
    let mut regex = String::from("^");
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                regex.push_str(if rest.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' | ']' | '^' | '-' => regex.push(c),
            '\\' => {
                let literal = rest.next().ok_or("it ends in `\\`")?;
                regex.push_str(&regex::escape(&literal.to_string()));
            }
            c => regex.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex.push('$');
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(text: &str, path: &str) -> bool {
        Ignore::parse(text).unwrap().ignores(path)
    }

    #[test]
    fn each_pattern_by_what_it_leaves_out() {
        for (text, out, left) in [
            ("a", "a", "b"),
            ("a", "a/b/c", "b/a"),
            ("/a/", "a/b", "b/a"),
            ("./a/../b", "b", "a"),
            ("*.md", "README.md", "docs/README.md"),
            ("**/*.md", "docs/README.md", "README.mdx"),
            ("**/*.md", "README.md", "md"),
            ("*/temp*", "x/temporary", "temp"),
            ("*/*/temp*", "x/y/temporary", "x/temporary"),
            ("temp?", "tempa", "temp"),
            ("a/**", "a/b/c", "a"),
            ("a/**/c", "a/x/y/c", "a/x"),
            ("**/foo/bar", "foo/bar", "bar"),
            ("**/node_modules", "a/b/node_modules/c", "a/b/modules"),
            ("[ab]x", "ax", "cx"),
            ("[^ab]x", "cx", "ax"),
            ("[a-c]x", "bx", "dx"),
            (r"\*", "*", "a"),
            ("a.c", "a.c", "abc"),
            ("(a)+", "(a)+", "a"),
            ("$x", "$x", "x"),
            (" a ", "a", " a "),
        ] {
            assert!(ignored(text, out), "`{text}` leaves out {out}");
            assert!(!ignored(text, left), "`{text}` does not leave out {left}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let text = "docs\n!docs/README.md\ndocs/README.md.bak\n";
        assert!(ignored(text, "docs/a.md"));
        assert!(!ignored(text, "docs/README.md"));
        assert!(ignored("!README.md\n*.md", "README.md"));
        assert!(!ignored("*.md\n!README*", "README.md"));
    }

    #[test]
    fn comments_blank_lines_and_the_mark_of_an_editor_are_nothing() {
        let ignore = Ignore::parse("\u{feff}a\n# b\n\n   \r\nc\r\n").unwrap();
        let left_out = ["a", "# b", "b", "c"].map(|path| ignore.ignores(path));
        assert_eq!(left_out, [true, false, false, true]);
    }

    #[test]
    fn folders_are_looked_into_for_what_may_be_taken_in_again() {
        let ignore = Ignore::parse("node_modules\n!node_modules/ours/x\ntarget\n").unwrap();
        assert!(ignore.may_readmit_below("node_modules"));
        assert!(!ignore.may_readmit_below("target"));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_line() {
        let told = |text: &str| Ignore::parse(text).unwrap_err().to_string();
        assert_eq!(
            told("a\n[b"),
            "line 2 of the ignore file, `[b`, is no pattern: its brackets are not closed"
        );
        assert!(told("!").contains("takes a path"));
        assert!(told("a\\").contains("ends in"));
    }
}
