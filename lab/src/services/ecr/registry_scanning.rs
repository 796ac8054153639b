//! The settings of the registry, as data: its policy, and how images are scanned.

use crate::services::registry::wildcard::matches_wildcard;

/// The registry's settings, except for its creation templates.
#[derive(Debug, Clone, Default)]
pub(super) struct RegistrySettings {
    pub(super) policy: Option<String>,
    pub(super) enhanced: bool,
    pub(super) rules: Vec<ScanRule>,
    /// The account setting BASIC_SCAN_TYPE_VERSION; the default is the newer one (user guide, "Basic scanning").
    pub(super) basic_version: Option<String>,
}

/// Which scanner checks images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanType {
    /// ECR's own: checks operating system packages, on push or on request.
    Basic,
    /// Amazon Inspector.
    Enhanced,
}

/// When images are scanned (API model, `ScanFrequency`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanFrequency {
    Manual,
    OnPush,
    Continuous,
}

/// A rule that says how often the images of matching repositories are scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScanRule {
    pub(super) frequency: ScanFrequency,
    pub(super) filters: Vec<String>,
}

impl ScanFrequency {
    pub(super) fn name(self) -> &'static str {
        match self {
            ScanFrequency::Manual => "MANUAL",
            ScanFrequency::OnPush => "SCAN_ON_PUSH",
            ScanFrequency::Continuous => "CONTINUOUS_SCAN",
        }
    }
}

impl RegistrySettings {
    pub(super) fn scan_type(&self) -> ScanType {
        if self.enhanced { ScanType::Enhanced } else { ScanType::Basic }
    }

    /// Returns how often the registry's rules scan a repository's images. A continuous rule wins (user guide,
    /// "Enhanced scanning").
    pub(super) fn frequency(&self, repository: &str) -> ScanFrequency {
        self.rule(repository).map_or(ScanFrequency::Manual, |(rule, _)| rule.frequency)
    }

    /// Returns the rule that applies to a repository, with the filter that matches it.
    pub(super) fn rule(&self, repository: &str) -> Option<(&ScanRule, &String)> {
        let mut rules: Vec<&ScanRule> = self.rules.iter().collect();
        rules.sort_by_key(|rule| rule.frequency != ScanFrequency::Continuous);
        rules.into_iter().find_map(|rule| {
            // A filter without `*` matches any name that contains it (user guide, "Filters").
            let applies = |filter: &&String| match filter.contains('*') {
                true => matches_wildcard(filter, repository),
                false => repository.contains(filter.as_str()),
            };
            rule.filters.iter().find(applies).map(|filter| (rule, filter))
        })
    }
}
