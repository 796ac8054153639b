//! Judges the findings of a scan.

use std::fmt;

use cutover_rollout::model::{Findings, Severity};

/// The most findings to name.
const NAMED: usize = 5;

/// A scan has findings that an image must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SevereFindings {
    /// The lowest severity that counts.
    pub limit: Severity,
    /// The number of findings of each severity that counts, worst first.
    pub counts: Vec<(Severity, u64)>,
    /// Some of their names.
    pub names: Vec<String>,
}

/// Checks whether an image with these findings may be deployed.
///
/// # Errors
/// Fails if a finding is as severe as `limit` or worse.
pub fn judge(findings: &Findings, limit: Severity) -> Result<(), SevereFindings> {
    let counts: Vec<(Severity, u64)> = findings
        .counts
        .range(limit..)
        .rev()
        .filter(|(_, count)| **count > 0)
        .map(|(severity, count)| (*severity, *count))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let bad = findings.names.iter().filter(|(severity, _)| *severity >= limit);
    let names = bad.map(|(_, name)| name.clone()).take(NAMED).collect();
    Err(SevereFindings { limit, counts, names })
}

impl fmt::Display for SevereFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> =
            self.counts.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
        write!(f, "ECR's scan found {}", counts.join(", "))?;
        if !self.names.is_empty() {
            let all: u64 = self.counts.iter().map(|(_, count)| count).sum();
            let more = if all > self.names.len() as u64 { ", …" } else { "" };
            write!(f, " ({}{more})", self.names.join(", "))?;
        }
        write!(
            f,
            ", which `image.ecr.scan.fail_on: {}` does not allow. Update the affected packages",
            self.limit
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(counts: &[(Severity, u64)]) -> Findings {
        let names = counts.iter().rev().flat_map(|(severity, count)| {
            (1..=*count).map(move |n| (*severity, format!("CVE-{severity}-{n}")))
        });
        Findings { counts: counts.iter().copied().collect(), names: names.collect() }
    }

    #[test]
    fn the_limit_itself_is_too_much_and_what_is_below_is_not() {
        let found = findings(&[(Severity::Low, 9), (Severity::Medium, 2), (Severity::High, 0)]);
        assert_eq!(judge(&found, Severity::High), Ok(()));
        assert!(judge(&found, Severity::Medium).is_err());
        assert_eq!(judge(&Findings::default(), Severity::Undefined), Ok(()));
    }

    #[test]
    fn the_worst_comes_first() {
        let found = findings(&[(Severity::Low, 1), (Severity::High, 6), (Severity::Critical, 1)]);
        assert_eq!(
            judge(&found, Severity::High).unwrap_err().to_string(),
            "ECR's scan found 1 critical, 6 high (CVE-critical-1, CVE-high-1, CVE-high-2, \
             CVE-high-3, CVE-high-4, …), which `image.ecr.scan.fail_on: high` does not allow. Update \
             the affected packages"
        );
    }
}
