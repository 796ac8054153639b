//! Selects the images that a policy expires (user guide, "How lifecycle policies work").

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::repository_lifecycle::ExpiredImage;
use super::rule::{CountType, LifecycleRule, TagSelection};
use crate::services::registry::store::{Image, Repository};
use crate::services::registry::wildcard::matches_wildcard;

/// Returns the images that the rules expire at `now`. Every rule counts all images that it applies to, including
/// those that an earlier rule expires; but an image that an earlier rule applies to can't be expired by later
/// ones. An image that an index names stays as long as the index.
pub(super) fn expired(
    repository: &Repository,
    rules: &[LifecycleRule],
    now: Timestamp,
) -> Vec<ExpiredImage> {
    let (mut expired, mut taken) = (Vec::new(), BTreeSet::new());
    for rule in rules {
        let mut about: Vec<(&str, &Image)> = repository
            .images
            .iter()
            .filter(|(digest, _)| applies_to(rule, repository, digest))
            .map(|(digest, image)| (digest.as_str(), image))
            .collect();
        // Youngest first; those pushed at the same time by digest.
        about.sort_by_key(|(_, image)| std::cmp::Reverse(pushed(image)));
        for (place, (digest, image)) in about.into_iter().enumerate() {
            let first_about_it = taken.insert(digest);
            let over = exceeds_count(rule.count, place, image, now);
            if first_about_it && over && !repository.is_referenced(digest) {
                expired.push(ExpiredImage { digest: digest.to_owned(), rule: rule.priority });
            }
        }
    }
    expired
}

fn applies_to(rule: &LifecycleRule, repository: &Repository, digest: &str) -> bool {
    let tags: Vec<&str> = repository.tags_of(digest).collect();
    match &rule.tags {
        TagSelection::Any => true,
        TagSelection::Untagged => tags.is_empty(),
        TagSelection::Patterns(patterns) => {
            patterns.iter().all(|pattern| tags.iter().any(|tag| matches_wildcard(pattern, tag)))
        }
    }
}

fn exceeds_count(count: CountType, place: usize, image: &Image, now: Timestamp) -> bool {
    let older = |at: Timestamp, days: i64| {
        now.duration_since(at) > SignedDuration::from_hours(days.saturating_mul(24).min(1 << 30))
    };
    match count {
        CountType::MoreThan(number) => place >= number,
        CountType::DaysSincePushed(days) => older(pushed(image), days),
        CountType::DaysSincePulled(days) => older(image.pulled.unwrap_or(pushed(image)), days),
    }
}

/// Returns when an image was pushed. A scenario's images count as older than any other.
fn pushed(image: &Image) -> Timestamp {
    image.pushed.unwrap_or(Timestamp::MIN)
}
