//! Loads scenarios from files, and explains what is wrong with a file.

use std::fmt;
use std::path::Path;

use serde_saphyr::{Error, Location};

use super::document::Scenario;
use crate::faults::EventKind;

/// The scenarios that ship with the lab, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("course-lab1", include_str!("../../scenarios/course-lab1.yaml")),
    ("multi-az", include_str!("../../scenarios/multi-az.yaml")),
    ("news-burst", include_str!("../../scenarios/news-burst.yaml")),
];

/// Why a text is not a scenario. Its `Display` is meant for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file.
    pub name: String,
    /// Line and column, from 1; `None` if there is no single place.
    pub location: Option<(u64, u64)>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Scenario {
    /// Loads the scenario in the file at `path`, or the shipped one of that name if there is no such
    /// file.
    ///
    /// # Errors
    /// Returns the first problem, with its place and a hint.
    pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Scenario::parse(&text, &name),
            Err(error) => match Scenario::shipped(&name) {
                Some(scenario) => scenario,
                None => Err(ScenarioError::unreadable(name, &error)),
            },
        }
    }

    /// Returns the shipped scenario with a name, if there is one.
    pub fn shipped(name: &str) -> Option<Result<Scenario, ScenarioError>> {
        let (name, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
        Some(Scenario::parse(text, &format!("lab/scenarios/{name}.yaml")))
    }

    /// Parses `text` as if from a file called `name`.
    ///
    /// # Errors
    /// Returns the first problem, with its place and a hint.
    pub fn parse(text: &str, name: &str) -> Result<Scenario, ScenarioError> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let scenario = serde_saphyr::from_str_with_options::<Scenario>(text, options)
            .map_err(|error| ScenarioError::of(name, &error))?;
        scenario.check().map_err(|(message, remedy)| ScenarioError {
            name: name.to_owned(),
            location: None,
            message,
            hint: remedy,
        })?;
        Ok(scenario)
    }

    /// Checks that its parts fit each other, where AWS's own checks would not notice.
    fn check(&self) -> Result<(), (String, String)> {
        for (index, event) in self.events.iter().enumerate() {
            let zone = match &event.what {
                EventKind::ZoneLost { zone } | EventKind::ZoneBack { zone } => Some(zone),
                EventKind::Shortage { zone, .. } => zone.as_ref(),
                _ => None,
            };
            let known = |zone: &String| {
                let letter = zone.strip_prefix(&self.region).unwrap_or(zone);
                self.zones.iter().any(|known| known == letter)
            };
            if let Some(zone) = zone.filter(|zone| !known(zone)) {
                return Err((
                    format!(
                        "`events[{index}]` names the zone `{zone}`, which the scenario does not have"
                    ),
                    format!("use one of {}, or add it to `zones`", self.zones.join(", ")),
                ));
            }
        }
        self.job.check()?;
        let group = |name: &String| self.groups.iter().any(|group| group.name == *name);
        let forwards = self.rules.iter().flat_map(|rule| &rule.forward);
        if let Some((name, _)) = forwards.into_iter().find(|(name, _)| !group(name)) {
            return Err((
                format!("a rule forwards to `{name}`, which is not a group"),
                "use the name of one of `groups`: a target group has the name of its group"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

impl ScenarioError {
    fn unreadable(name: String, error: &std::io::Error) -> ScenarioError {
        let shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        ScenarioError {
            name,
            location: None,
            message: format!("cannot be read: {error}"),
            hint: format!("name a file, or one of {}", shipped.join(", ")),
        }
    }

    fn of(name: &str, error: &Error) -> ScenarioError {
        let place = error.location().filter(|location| *location != Location::UNKNOWN);
        let listed = |names: &[&str]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let reference = || "see lab/scenarios/README.md, which describes every key".to_owned();
        let (message, remedy) = match error.without_snippet() {
            Error::SerdeUnknownField { field, expected, .. } => {
                (format!("unknown key `{field}`"), format!("use one of {}", listed(expected)))
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                (format!("unknown value `{variant}`"), format!("use one of {}", listed(expected)))
            }
            Error::SerdeMissingField { field, .. } => {
                (format!("the key `{field}` is missing"), reference())
            }
            Error::SerdeInvalidType { unexpected, expected, .. }
            | Error::SerdeInvalidValue { unexpected, expected, .. } => {
                (format!("expected {expected}, found {unexpected}"), reference())
            }
            Error::ExternalMessage { msg, .. } => (
                format!("this is not valid YAML: {msg}"),
                "check indentation, quotes and brackets near here".to_owned(),
            ),
            other => (plain(other), reference()),
        };
        ScenarioError {
            name: name.to_owned(),
            location: place.map(|place| (place.line(), place.column())),
            message,
            hint: remedy,
        }
    }
}

/// Returns the parser's own message.
fn plain(error: &Error) -> String {
    use serde_saphyr::MessageFormatter as _;
    serde_saphyr::UserMessageFormatter.format_message(error).into_owned()
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((line, column)) = self.location {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}\n  = {}", self.message, self.hint)
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(text: &str) -> String {
        Scenario::parse(text, "my.yaml").unwrap_err().to_string()
    }

    #[test]
    fn errors_have_a_location_and_a_hint() {
        let unknown = reported("service: news\nfaults:\n  cals: []\n");
        assert_eq!(
            unknown,
            "my.yaml:3:3: unknown key `cals`\n  = use one of `calls`, `throttling`, `stale_seconds`"
        );
        let chance =
            reported("faults:\n  calls:\n    - { call: \"*\", probability: 2, fault: cut }\n");
        assert!(chance.starts_with("my.yaml:3:"), "{chance}");
        assert!(chance.contains("expected a number from 0 to 1"), "{chance}");
        let call = reported("faults:\n  calls:\n    - { call: elb:ModifyRule, fault: cut }\n");
        assert!(call.starts_with("my.yaml:3:") && call.contains("elasticloadbalancing"), "{call}");
        let zone = reported("events:\n  - { at: 1, what: { zone_lost: { zone: q } } }\n");
        assert!(zone.contains("events[0]") && zone.contains("a, c"), "{zone}");
        let group = reported("rules: [{ priority: 1, when: { path: /* }, forward: [[blue, 1]] }]");
        assert!(group.contains("`blue`, which is not a group"), "{group}");
        let broken = reported("service: \"news");
        assert!(broken.contains("this is not valid YAML"), "{broken}");
    }

    #[test]
    fn a_name_is_a_file_or_a_shipped_scenario() {
        assert!(Scenario::load(Path::new("news-burst")).is_ok());
        let nothing = Scenario::load(Path::new("no-such")).unwrap_err().to_string();
        assert!(nothing.contains("course-lab1, multi-az, news-burst"), "{nothing}");
    }
}
