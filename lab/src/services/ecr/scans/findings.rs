//! Vulnerabilities as both kinds of scan report them. They are made up, but always the same.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::wire::{Value, map};

/// The severities, worst first (API model, `FindingSeverity`).
const SEVERITIES: [&str; 6] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"];

/// The most findings of one severity, so that a typo in a label can't fill the memory.
const MAX_PER_SEVERITY: usize = 1000;

/// The number of an image's findings by severity, worst first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Findings(Vec<(&'static str, usize)>);

impl Findings {
    /// Parses `HIGH:2,LOW:5` and skips malformed parts.
    pub(super) fn of(label: &str) -> Findings {
        let mut counts = Vec::new();
        for severity in SEVERITIES {
            let count: usize = label
                .split(',')
                .filter_map(|part| part.trim().split_once(':'))
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case(severity))
                .filter_map(|(_, count)| count.trim().parse::<usize>().ok())
                .map(|count| count.min(MAX_PER_SEVERITY))
                .sum();
            if count > 0 {
                counts.push((severity, count));
            }
        }
        Findings(counts)
    }

    /// Returns `findingSeverityCounts`.
    pub(super) fn counts(&self) -> Value {
        let counts = self.0.iter();
        Value::Map(
            counts.map(|(name, count)| (Cow::Borrowed(*name), (*count as i64).into())).collect(),
        )
    }

    /// Returns the findings of a basic scan.
    pub(super) fn basic(&self) -> Vec<Value> {
        self.each(|number, severity| {
            let name = cve(number);
            let attribute = |key: &'static str, value: &str| {
                map([("key", key.into()), ("value", value.into())])
            };
            map([
                ("description", format!("Made-up vulnerability {number}.").into()),
                ("uri", format!("https://cve.mitre.org/cgi-bin/cvename.cgi?name={name}").into()),
                ("name", name.into()),
                ("severity", severity.into()),
                (
                    "attributes",
                    Value::List(vec![
                        attribute("package_version", "1.0.0"),
                        attribute("package_name", "lab-package"),
                    ]),
                ),
            ])
        })
    }

    /// Returns the findings of an enhanced scan of the image with this ARN.
    pub(super) fn enhanced(&self, account: &str, image: &str, at: Timestamp) -> Vec<Value> {
        let region = image.split(':').nth(3).unwrap_or_default();
        self.each(|number, severity| {
            let name = cve(number);
            let package = map([
                ("name", "lab-package".into()),
                ("version", "1.0.0".into()),
                ("epoch", 0_i64.into()),
            ]);
            let details = map([
                ("vulnerabilityId", name.as_str().into()),
                ("source", "NVD".into()),
                ("vendorSeverity", severity.into()),
                ("vulnerablePackages", Value::List(vec![package])),
            ]);
            let resource = map([("id", image.into()), ("type", "AWS_ECR_CONTAINER_IMAGE".into())]);
            let arn = format!("arn:aws:inspector2:{region}:{account}:finding/{number:032x}");
            map([
                ("awsAccountId", account.into()),
                ("findingArn", arn.into()),
                ("description", format!("Made-up vulnerability {number}.").into()),
                ("firstObservedAt", at.into()),
                ("lastObservedAt", at.into()),
                ("updatedAt", at.into()),
                ("packageVulnerabilityDetails", details),
                ("resources", Value::List(vec![resource])),
                ("severity", severity.into()),
                ("status", "ACTIVE".into()),
                ("title", format!("{name} - lab-package").into()),
                ("type", "PACKAGE_VULNERABILITY".into()),
            ])
        })
    }

    /// Returns one value for each finding, worst first and numbered from 1.
    fn each(&self, of: impl Fn(usize, &'static str) -> Value) -> Vec<Value> {
        let severities =
            self.0.iter().flat_map(|(severity, count)| std::iter::repeat_n(*severity, *count));
        severities.enumerate().map(|(index, severity)| of(index + 1, severity)).collect()
    }
}

fn cve(number: usize) -> String {
    format!("CVE-2026-{:05}", 90_000 + number)
}

#[cfg(test)]
mod tests {
    use super::Findings;

    #[test]
    fn a_label_counts_by_severity() {
        let findings = Findings::of("low:5, HIGH:2,NONSENSE:9,MEDIUM:x,");
        assert_eq!(findings.0, [("HIGH", 2), ("LOW", 5)]);
        let all = findings.basic();
        assert_eq!((all.len(), all[0].str("severity")), (7, Some("HIGH")));
    }
}
