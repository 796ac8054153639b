//! Which images a policy expires (user guide, "How lifecycle policies work").

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::policy::{Count, Rule, Tags};
use crate::services::registry::{Image, Repository, fits};

/// An image that a rule expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) digest: String,
    /// The rule's priority.
    pub(super) rule: i64,
}

/// What the rules expire at `now`. Every rule sees all its images, also those that an earlier rule
/// expires; an image that an earlier rule is about is out of reach for the later ones. What an index
/// names stays as long as the index.
pub(super) fn expired(repository: &Repository, rules: &[Rule], now: Timestamp) -> Vec<Expired> {
    let (mut expired, mut taken) = (Vec::new(), BTreeSet::new());
    for rule in rules {
        let mut about: Vec<(&str, &Image)> = repository
            .images
            .iter()
            .filter(|(digest, _)| is_about(rule, repository, digest))
            .map(|(digest, image)| (digest.as_str(), image))
            .collect();
        // Youngest first; of those pushed at the same time, in the order of their digests.
        about.sort_by_key(|(_, image)| std::cmp::Reverse(pushed(image)));
        for (place, (digest, image)) in about.into_iter().enumerate() {
            let first_about_it = taken.insert(digest);
            let over = is_over(rule.count, place, image, now);
            if first_about_it && over && !repository.is_referenced(digest) {
                expired.push(Expired { digest: digest.to_owned(), rule: rule.priority });
            }
        }
    }
    expired
}

fn is_about(rule: &Rule, repository: &Repository, digest: &str) -> bool {
    let tags: Vec<&str> = repository.tags_of(digest).collect();
    match &rule.tags {
        Tags::Any => true,
        Tags::Untagged => tags.is_empty(),
        Tags::Patterns(patterns) => {
            patterns.iter().all(|pattern| tags.iter().any(|tag| fits(pattern, tag)))
        }
    }
}

fn is_over(count: Count, place: usize, image: &Image, now: Timestamp) -> bool {
    let older = |at: Timestamp, days: i64| {
        now.duration_since(at) > SignedDuration::from_hours(days.saturating_mul(24).min(1 << 30))
    };
    match count {
        Count::MoreThan(number) => place >= number,
        Count::DaysSincePushed(days) => older(pushed(image), days),
        Count::DaysSincePulled(days) => older(image.pulled.unwrap_or(pushed(image)), days),
    }
}

/// A scenario's images have been there for ever.
fn pushed(image: &Image) -> Timestamp {
    image.pushed.unwrap_or(Timestamp::MIN)
}
