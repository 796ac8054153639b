//! Filters that quote values in templates. The templates of this folder use the filter of the language for
//! every value that they insert, so that no name can end a scalar, a string or a word of that language.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

/// Renders `template`, a minijinja template called `name` in errors, with `values`.
///
/// The filters are `yaml`, `hcl`, `aligned` and `shell`, in addition to minijinja's own. A line that contains
/// only a block is removed.
///
/// # Errors
/// If the template is invalid or uses an undefined value, which is a bug of cutover, or if a value cannot be
/// expressed in the language (a NUL byte in a shell word).
pub fn render(
    name: &'static str,
    template: &'static str,
    values: impl Serialize,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.add_filter("yaml", |text: String| yaml(&text));
    environment.add_filter("hcl", |text: String| hcl(&text));
    environment.add_filter("aligned", |text: String| aligned(&text));
    environment.add_filter("shell", |text: String| shell(&text).map_err(unwritable));
    environment.template_from_named_str(name, template)?.render(Serde(values))
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidOperation, "a value cannot be written in this language")
        .with_source(error)
}

/// Returns `text` as a YAML scalar on one line: plain if every parser of YAML 1.1 and 1.2 reads it as this
/// string, otherwise in double quotes.
pub fn yaml(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Returns true if `text` as a plain scalar is a string also in YAML 1.1, which CloudFormation uses: not a
/// number, date, boolean or null, and without indicators.
fn is_plain(text: &str) -> bool {
    // The words of YAML 1.1's types (yaml.org/type), except those that begin with a digit.
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Returns `text` in YAML's double quotes. Escapes everything that a parser might read as a line break or
/// reject (YAML 1.2.2,
/// 5.1 and 5.4; YAML 1.1 also breaks lines at U+0085, U+2028 and U+2029).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns `text` as an HCL string literal, with `${` and `%{` escaped.
///
/// hcl-rs 0.20 can also write literals, but does not escape the `${` in `%${`.
pub fn hcl(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => literal.extend([c, c]),
            _ if c.is_control() => literal.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Aligns the equals signs of neighboring HCL attributes, as `terraform fmt` does. An attribute whose value
/// continues on the next line is not a neighbor.
///
/// Only for attributes and objects; a heredoc would be changed.
pub fn aligned(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let attributes: Vec<Option<usize>> = lines.iter().map(|line| attribute(line)).collect();
    let mut start = 0;
    for run in attributes.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let width = run.iter().flatten().max().copied().unwrap_or_default();
        for (line, name) in lines[start..].iter_mut().zip(run) {
            if let Some(name) = *name {
                line.insert_str(name, &" ".repeat(width - name));
            }
        }
        start += run.len();
    }
    lines.join("\n")
}

/// Returns the length of indentation and name, if the line is a complete attribute.
fn attribute(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.trim_start().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        || name.trim_start().starts_with('"');
    (is_name && !value.ends_with(['[', '{', '('])).then_some(name.len())
}

/// Returns `text` as one word of a POSIX shell.
///
/// # Errors
/// If it contains a NUL byte, which no argument can contain.
pub fn shell(text: &str) -> Result<String, shlex::QuoteError> {
    shlex::try_quote(text).map(|word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_where_every_reader_agrees() {
        for plain in ["web", "/healthz", "deploy/user-data.sh", "t3.micro", "subnet-0a1b"] {
            assert_eq!(yaml(plain), plain);
        }
        for quoted in
            ["", "no", "On", "~", "1e3", "2026-10-01", "a b", "a: b", "X-Cutover: next", "#a"]
        {
            assert_eq!(yaml(quoted), format!("\"{quoted}\""));
        }
        assert_eq!(yaml("뉴스 그룹\n\u{85}"), r#""뉴스 그룹\n\u0085""#);
    }

    #[test]
    fn names_begin_no_interpolation() {
        assert_eq!(hcl("${var.a} %{ if b } 뉴스"), r#""$${var.a} %%{ if b } 뉴스""#);
        assert_eq!(hcl("%${a}$%{b}$${c}"), r#""%$${a}$%%{b}$$${c}""#);
    }

    #[test]
    fn neighbors_are_aligned() {
        let text =
            "{\n  Sid = \"A\"\n  Effect = \"Allow\"\n  Action = [\n    1,\n  ]\n  NotAction = 2\n}";
        let expected = "{\n  Sid    = \"A\"\n  Effect = \"Allow\"\n  Action = [\n    1,\n  ]\n  NotAction = 2\n}";
        assert_eq!(aligned(text), expected);
    }

    #[test]
    fn values_are_quoted_and_undefined_ones_refused() {
        let values = serde_json::json!({ "name": "it's ${here}" });
        let text = "{{ name | yaml }} {{ name | hcl }} {{ name | shell }}\n";
        let expected = "\"it's ${here}\" \"it's $${here}\" \"it's \"'${here}'\n";
        assert_eq!(render("values", text, &values).unwrap(), expected);
        assert!(render("values", "{{ nam }}", &values).is_err());
        let nul = serde_json::json!({ "name": "a\0b" });
        assert!(render("values", "{{ name | shell }}", &nul).is_err());
    }

    /// Strings of arbitrary characters, with frequent special characters of the languages.
    fn text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            "${",
            "%{",
            "$",
            "{{",
            "}}",
            "\"",
            "'",
            "\\",
            "\n",
            "\r",
            ": ",
            " #",
            "- ",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\t",
            "~",
            "no",
            "0x1",
            "한글",
            "\u{1f600}",
            "\u{7f}",
        ]);
        let part =
            prop_oneof![special.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn yaml_reads_back_what_was_written(text in text()) {
            // In a block and in a flow sequence, where brackets and commas are special.
            let document = format!("block: {0}\nflow: [{0}, x]\n", yaml(&text));
            let read: serde_json::Value = serde_saphyr::from_str(&document).unwrap();
            prop_assert_eq!(&read, &serde_json::json!({ "block": text, "flow": [text, "x"] }));
        }

        #[test]
        fn hcl_reads_back_what_was_written(text in text()) {
            let body: serde_json::Value = hcl::from_str(&format!("a = {}\n", hcl(&text))).unwrap();
            prop_assert_eq!(body["a"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn a_shell_reads_back_one_word(text in text()) {
            let words = shlex::split(&shell(&text.replace('\0', "")).unwrap());
            prop_assert_eq!(words, Some(vec![text.replace('\0', "")]));
        }
    }
}
