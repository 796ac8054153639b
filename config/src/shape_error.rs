//! Explains parse errors in terms of `cutover.yaml`.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::at::Position;
use super::error::Diagnostic;

/// The required top-level keys.
const TOP_LEVEL: [&str; 5] = ["version", "service", "region", "fleet", "strategy"];

/// Keys that are known only to be refused: hints don't list them.
const REFUSED: [&str; 4] = ["environments", "proof", "hold_at", "build"];

const EXAMPLES: &str =
    "see the example in the README, or validate the file against cutover.schema.json in an editor";

/// Translates the parser's error into a message and a hint.
pub(super) fn explain(error: &Error) -> Diagnostic {
    let mut place = error.location().and_then(Position::of);
    let (message, remedy) = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), nearest(field, expected, "valid keys are"))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), nearest(variant, expected, "valid values are"))
        }
        Error::SerdeMissingField { field, .. } => {
            // The parser points at the last key that it read: for a missing top-level key, at the
            // end of the file.
            if TOP_LEVEL.contains(field) {
                place = None;
            }
            (format!("the key `{field}` is missing"), format!("add it, as in `{}`", example(field)))
        }
        Error::Unexpected { expected, .. } => (
            match *expected {
                "mapping start" => "expected a mapping, as in `key: value`".to_owned(),
                "sequence start" => "expected a list, as in `[one, two]`".to_owned(),
                "string scalar" => "expected a string".to_owned(),
                other => format!("expected {other}"),
            },
            EXAMPLES.to_owned(),
        ),
        Error::DuplicateMappingKey { key, .. } => (
            format!("the key `{}` appears twice", key.as_deref().unwrap_or("?")),
            "keep one of them".to_owned(),
        ),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("expected {expected}, found {unexpected}"), EXAMPLES.to_owned())
        }
        Error::ExternalMessage { msg, .. } => (
            format!("this is not valid YAML: {msg}"),
            "check the indentation (spaces, not tabs), quotes and brackets around this line"
                .to_owned(),
        ),
        Error::InvalidScalar { .. } => {
            ("this is not an integer".to_owned(), "write digits without a unit".to_owned())
        }
        Error::NullIntoString { .. } => {
            ("the value is missing".to_owned(), "add a value, or remove the key".to_owned())
        }
        Error::Eof { .. } => {
            ("the file is empty".to_owned(), "start it with `version: 1`".to_owned())
        }
        Error::MultipleDocuments { .. } => (
            "a second YAML document begins here".to_owned(),
            "keep one configuration per file: remove the `---`".to_owned(),
        ),
        other => (UserMessageFormatter.format_message(other).into_owned(), EXAMPLES.to_owned()),
    };
    Diagnostic { place, message, hint: remedy }
}

/// Suggests the candidate most similar to `word`, or lists all candidates if none is close.
fn nearest(word: &str, candidates: &[&'static str], lead: &str) -> String {
    let best = candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, candidate)) if likeness > 0.8 => format!("did you mean `{candidate}`?"),
        _ => {
            let served = candidates.iter().filter(|candidate| !REFUSED.contains(candidate));
            let all: Vec<String> = served.map(|candidate| format!("`{candidate}`")).collect();
            format!("{lead} {}", all.join(", "))
        }
    }
}

/// Returns an example line for a required key.
fn example(key: &str) -> &'static str {
    match key {
        "version" => "version: 1",
        "service" => "service: web",
        "region" => "region: ap-northeast-2",
        "fleet" => "fleet: { group: web }",
        "strategy" => "strategy: rolling",
        "group" => "group: web-blue",
        "from" => "from: site/",
        "to" => "to: /srv/www/",
        "path" => "path: /healthz",
        "header" => "header: { X-Cutover: next }",
        _ => "key: value",
    }
}
