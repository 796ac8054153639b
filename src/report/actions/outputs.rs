//! A step's outputs: each fact apart, so that a secret in one of them blanks no other.
//!
//! The runner drops a job's output that holds a masked value (actions/runner, `JobExtension.cs`). An
//! account id kept as a secret is such a value, and it is in every ECR image and every ARN.

use super::Story;
use crate::model::Colour;

/// The names and values of what is known. What isn't is left out, and reads as an empty string.
pub fn outputs(story: &Story) -> Vec<(&'static str, String)> {
    let Some(outcome) = &story.outcome else { return Vec::new() };
    let image = outcome.image.as_ref().or(story.image.as_ref());
    let repositories = match outcome.repositories.is_empty() {
        true => &story.repositories,
        false => &outcome.repositories,
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let weight = |colour| outcome.weights.map(|weights| weights[colour].to_string());
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
        ("weights", outcome.weights.and_then(|weights| serde_json::to_string(&weights).ok())),
        ("weight-blue", weight(Colour::Blue)),
        ("weight-green", weight(Colour::Green)),
        ("duration", Some(story.seconds().to_string())),
        ("rollout", number(outcome.rollout.or(story.rollout))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
