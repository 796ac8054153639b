//! The words of docs/glossary.md: where a retired one comes back, this names the file, the line and the word to use.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod tracked;
}

use std::fmt::Write as _;
use std::path::Path;

use regex::Regex;
use support::tracked;

/// Retired words as regular expressions, and what to write instead. They are looked for in whole lines, code included, so
/// that names and messages keep to the same words.
const RETIRED: &[(&str, &str)] = &[
    (r"(?i)\b(an)?other[ _-]hands?\b|OtherHand", "external change"),
    (r"(?i)\b(take|takes|took|taken|taking)[ _]back\b|TakeBack|TakingBack", "roll back"),
    (r"(?i)\b(give|gives|gave|given|giving)[ _]back\b|GiveBack", "restore"),
    (r"(?i)\bgo(es|ne|ing)?[ _]on[ _]with\b", "resume"),
    (r"(?i)\bmend(s|ed|ing)?\b", "fix"),
    (r"(?i)\bput(s|ting)? together\b", "assemble"),
    (r"(?i)\banew\b", "again"),
    (r"(?i)\bbears? (any |all |no |some )?(weight|traffic)\b", "receives traffic"),
    (r"(?i)\b(speak|speaks|stand|stands) against\b", "block"),
    (r"(?i)\bin vain\b", "without success"),
    (r"(?i)\bcolour|PerColour", "color"),
    (r"(?i)\bbehaviour", "behavior"),
    (r"(?i)\bjudgement", "judgment"),
    (r"\b[Cc]ancel(led|ling)\b", "canceled, canceling"),
    (r"(?i)\bretirement\b|\bRETIREMENT\b", "scheduled scale-in"),
    (r"(?i)\bway back\b", "rollback"),
    (r"(?i)\bships? (an?|the|its|v2|it)\b|\bshipment\b|Shipment", "deploy"),
    (r"[0-9}] %( [a-z(—–-]|[.,:;)`]|$)", "10%, without a space"),
    (r"\b[Tt]old\b", "reported"),
    (r"(?i)\bteller\b", "event writer"),
    (r"\bstory\b|\bstories\b|\bStory\b", "test case, history or log"),
    (r"crate::engine\b|src/engine\b", "planner or runner"),
];

/// Files in which a retired word is the subject: the glossary, this list, and the words of others.
const EXEMPT: &[&str] =
    &["docs/glossary.md", "docs/style.md", "tests/language.rs", "Cargo.lock", "LICENSE-APACHE"];

/// The site of the example: other words would change the digests of its images, which documents show.
const EXEMPT_FOLDER: &str = "examples/news/site/";

/// Lines that quote somebody else: AWS's states of an instance refresh are spelled with two l.
const QUOTES: &[&str] = &["Cancelled", "Cancelling", "instances before cancelling"];

/// Returns each retired word in a text as `line: word → replacement`.
fn retired(text: &str, words: &[(Regex, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let own = QUOTES.iter().fold(line.to_owned(), |line, quote| line.replace(quote, ""));
        for (word, instead) in words {
            if let Some(hit) = word.find(&own) {
                found.push(format!("{}: `{}` → {instead}", number + 1, hit.as_str()));
            }
        }
    }
    found
}

fn words() -> Vec<(Regex, &'static str)> {
    RETIRED.iter().map(|(word, instead)| (Regex::new(word).unwrap(), *instead)).collect()
}

#[test]
fn no_retired_word_comes_back() {
    let (words, mut report) = (words(), String::new());
    let exempt = |name: &str| EXEMPT.contains(&name) || name.starts_with(EXEMPT_FOLDER);
    for name in tracked::files(".").iter().filter(|name| !exempt(name)) {
        let Ok(text) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        else {
            // Deleted but not yet committed, or no text.
            continue;
        };
        for line in retired(&text, &words) {
            let _ = writeln!(report, "{name}:{line}");
        }
    }
    assert!(report.is_empty(), "retired words (docs/glossary.md):\n{report}");
}

#[test]
fn a_retired_word_is_found_in_prose_and_in_names() {
    let words = words();
    let found = |line: &str| retired(line, &words).len();
    assert_eq!(found("// Another hand changed it"), 1);
    assert_eq!(found("Phase::TakeBack => {}"), 1);
    assert_eq!(found("let share = format!(\"{percent} % of\");"), 1);
    assert_eq!(found("let rest = a % b;"), 0);
    assert_eq!(found("RefreshStatus::Cancelling"), 0);
    assert_eq!(found("it was cancelled"), 1);
    assert_eq!(found("rolled back by hand"), 0);
}
