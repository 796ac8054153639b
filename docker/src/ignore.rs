//! `.dockerignore`, as engines read it (Dockerfile reference, "dockerignore file"; moby's patternmatcher):
//! the last pattern that matches a path or one of its parents decides.

use regex::Regex;

/// The patterns that exclude paths from a build's context.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Starts with `!`: what it matches is included again.
    readmits: bool,
    text: String,
    regex: Regex,
}

/// A line that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the ignore file, `{text}`, is not a pattern: {cause}")]
pub struct InvalidPattern {
    /// Counted from 1.
    pub line: usize,
    /// The line as written.
    pub text: String,
    /// What is wrong with it.
    pub cause: String,
}

impl Ignore {
    /// Parses the file's text.
    ///
    /// # Errors
    /// Names the first line that is not a pattern.
    pub fn parse(text: &str) -> Result<Ignore, InvalidPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            // Only a line that starts with `#` is a comment; ` #` is a pattern.
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

    /// Returns whether `path`, relative to the context and with `/`, is excluded.
    pub fn ignores(&self, path: &str) -> bool {
        let mut ignored = false;
        for pattern in &self.patterns {
            // The pattern could not change the result.
            if pattern.readmits != ignored {
                continue;
            }
            if pattern.matches(path) || pattern.matches_above(path) {
                ignored = !pattern.readmits;
            }
        }
        ignored
    }

    /// Returns whether an excluded folder has to be searched: something in it may be included again.
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
            return Err("`!` must be followed by a path".to_owned());
        }
        let text = clean(text);
        let regex = Regex::new(&regex(&text)?).map_err(|_| "its brackets are not closed")?;
        Ok(Pattern { readmits, text, regex })
    }

    fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// Returns whether it matches any parent of `path`.
    fn matches_above(&self, path: &str) -> bool {
        path.match_indices('/').any(|(end, _)| self.matches(&path[..end]))
    }
}

/// Returns the path, relative to the context, without `.`, `..` and superfluous slashes.
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

/// Returns the pattern as a regular expression: `**` crosses folders, `*` and `?` do not.
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
        let reported = |text: &str| Ignore::parse(text).unwrap_err().to_string();
        assert_eq!(
            reported("a\n[b"),
            "line 2 of the ignore file, `[b`, is not a pattern: its brackets are not closed"
        );
        assert!(reported("!").contains("must be followed by a path"));
        assert!(reported("a\\").contains("ends in"));
    }
}
