//! Why a file has not the shape of a configuration, in this program's words.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::at::Place;
use super::error::Mistake;

/// The keys that every file has.
const TOP_LEVEL: [&str; 5] = ["version", "service", "region", "fleet", "strategy"];

/// The keys that are known, but only to be refused.
const REFUSED: [&str; 4] = ["environments", "proof", "hold_at", "build"];

const EXAMPLES: &str =
    "see the example in the README, or let an editor check against cutover.schema.json";

/// Explains the parser's error.
pub(super) fn explain(error: &Error) -> Mistake {
    let mut place = error.location().and_then(Place::of);
    let (message, remedy) = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), nearest(field, expected, "the keys here are"))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), nearest(variant, expected, "it may be"))
        }
        Error::SerdeMissingField { field, .. } => {
            // The parser points at the last key before it noticed, which for a top-level key is
            // the end of the file.
            if TOP_LEVEL.contains(field) {
                place = None;
            }
            (format!("the key `{field}` is missing"), format!("add it, as in `{}`", example(field)))
        }
        Error::Unexpected { expected, .. } => (
            match *expected {
                "mapping start" => "a mapping belongs here, as in `key: value`".to_owned(),
                "sequence start" => "a list belongs here, as in `[one, two]`".to_owned(),
                "string scalar" => "a plain text belongs here".to_owned(),
                other => format!("{other} belongs here"),
            },
            EXAMPLES.to_owned(),
        ),
        Error::DuplicateMappingKey { key, .. } => (
            format!("the key `{}` is here twice", key.as_deref().unwrap_or("?")),
            "keep one of them".to_owned(),
        ),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("this is {unexpected}, where {expected} belongs"), EXAMPLES.to_owned())
        }
        Error::ExternalMessage { msg, .. } => (
            format!("this is no YAML: {msg}"),
            "check the indentation (spaces, never tabs), quotes and brackets near here".to_owned(),
        ),
        Error::InvalidScalar { .. } => {
            ("this is no whole number".to_owned(), "write it in digits, without a unit".to_owned())
        }
        Error::NullIntoString { .. } => {
            ("there is no value".to_owned(), "write one, or leave the key out".to_owned())
        }
        Error::Eof { .. } => {
            ("the file is empty".to_owned(), "begin it with `version: 1`".to_owned())
        }
        Error::MultipleDocuments { .. } => (
            "a second YAML document begins here".to_owned(),
            "keep one configuration a file: remove the `---`".to_owned(),
        ),
        other => (UserMessageFormatter.format_message(other).into_owned(), EXAMPLES.to_owned()),
    };
    Mistake { place, message, remedy }
}

/// "did you mean" the candidate that is nearest to `word`, or else all candidates.
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

/// What a key that must be there looks like.
fn example(key: &str) -> &'static str {
    match key {
        "version" => "version: 1",
        "service" => "service: web",
        "region" => "region: ap-northeast-2",
        "fleet" => "fleet: { group: web }",
        "strategy" => "strategy: rolling",
        "group" => "group: web-blue",
        "target_group" => "target_group: web-blue",
        "from" => "from: site/",
        "to" => "to: /srv/www/",
        "path" => "path: /healthz",
        "header" => "header: { X-Cutover: next }",
        "file" => "file: deploy/user-data.sh",
        _ => "key: value",
    }
}
