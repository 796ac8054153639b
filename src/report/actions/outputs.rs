//! A step's outputs: one per fact, so that a secret in one of them does not affect the others.
//!
//! The runner drops a job output that contains a masked value (actions/runner, `JobExtension.cs`). An account ID
//! that is stored as a secret is such a value, and it is part of every ECR image reference and every ARN.

use super::RunHistory;
use cutover_rollout::model::Color;

/// Returns the names and values of the known facts. The others are left out, and read as empty strings.
pub fn outputs(history: &RunHistory) -> Vec<(&'static str, String)> {
    let Some(outcome) = &history.outcome else { return Vec::new() };
    let image = outcome.image.as_ref().or(history.image.as_ref());
    let repositories = match outcome.repositories.is_empty() {
        true => &history.repositories,
        false => &outcome.repositories,
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let share = |color| outcome.shares.map(|shares| shares[color].to_string());
    let lines = |lines: Vec<String>| (!lines.is_empty()).then(|| lines.join("\n"));
    [
        ("outcome", Some(outcome.outcome.name().to_owned())),
        ("image", image.map(ToString::to_string)),
        ("digest", image.map(|image| image.digest.to_string())),
        ("registries", lines(repositories.iter().map(ToString::to_string).collect())),
        ("tags", lines(outcome.tags.clone())),
        ("launch-template-version", number(outcome.launch_template_version)),
        ("previous-version", number(outcome.previous_version)),
        ("strategy", outcome.strategy.map(|strategy| strategy.to_string())),
        ("shares", outcome.shares.and_then(|shares| serde_json::to_string(&shares).ok())),
        ("share-blue", share(Color::Blue)),
        ("share-green", share(Color::Green)),
        ("duration", Some(history.seconds().to_string())),
        ("rollout", number(outcome.rollout.or(history.rollout))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
