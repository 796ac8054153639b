//! Scan findings of images in ECR.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{ImageIdentifier, ImageScanFindings, ImageScanStatus, ScanStatus};

use crate::{Aws, AwsError};
use cutover_rollout::model::{Digest, Findings, ScanState, Severity};

impl Aws {
    /// Returns the state and findings of an image's scan: basic (packages of the operating system) or enhanced
    /// (by Amazon Inspector).
    ///
    /// # Errors
    /// If the repository does not exist or the request fails.
    pub async fn scan(&self, path: &str, digest: &Digest) -> Result<ScanState, AwsError> {
        let image = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.ecr.describe_image_scan_findings().repository_name(path).image_id(image);
        let answer = self.read("ecr:DescribeImageScanFindings", || request.clone().send()).await;
        match answer {
            Ok(answer) => Ok(read(answer.image_scan_status, answer.image_scan_findings)),
            // Right after a push, ECR may not find the image yet.
            Err(error)
                if error.is("ScanNotFoundException") || error.is("ImageNotFoundException") =>
            {
                Ok(ScanState::Missing)
            }
            Err(error) => Err(error),
        }
    }
}

fn read(status: Option<ImageScanStatus>, findings: Option<ImageScanFindings>) -> ScanState {
    let Some(ImageScanStatus { status: Some(status), description, .. }) = status else {
        return ScanState::Missing;
    };
    match status {
        ScanStatus::InProgress | ScanStatus::Pending => ScanState::Running,
        // ACTIVE is an enhanced scan, which continues for as long as the image exists; its first findings are available
        // with this status (user guide, "Enhanced scanning").
        ScanStatus::Complete | ScanStatus::Active => {
            ScanState::Done(findings.map(found).unwrap_or_default())
        }
        other => ScanState::Unable {
            status: other.as_str().to_owned(),
            description: description.unwrap_or_default(),
        },
    }
}

/// Converts findings. The first page is enough: it counts all findings and lists up to a hundred.
fn found(findings: ImageScanFindings) -> Findings {
    let mut counts = BTreeMap::new();
    for (severity, count) in findings.finding_severity_counts.into_iter().flatten() {
        // Inspector's UNTRIAGED is not in the API model.
        let count = u64::try_from(count).unwrap_or_default();
        *counts.entry(Severity::read(severity.as_str())).or_default() += count;
    }
    let basic = findings.findings.into_iter().flatten().filter_map(|finding| {
        let severity = finding.severity.as_ref().map_or("", |severity| severity.as_str());
        Some((Severity::read(severity), finding.name?))
    });
    let enhanced = findings.enhanced_findings.into_iter().flatten().filter_map(|finding| {
        let vulnerability =
            finding.package_vulnerability_details.and_then(|details| details.vulnerability_id);
        let severity = Severity::read(finding.severity.as_deref().unwrap_or_default());
        Some((severity, vulnerability.or(finding.title)?))
    });
    let mut names: Vec<(Severity, String)> = basic.chain(enhanced).collect();
    names.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Findings { counts, names }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::types::{
        EnhancedImageScanFinding, FindingSeverity, ImageScanFinding, PackageVulnerabilityDetails,
    };

    use super::*;

    fn status(status: ScanStatus) -> Option<ImageScanStatus> {
        Some(ImageScanStatus::builder().status(status).description("Why.").build())
    }

    #[test]
    fn basic_and_enhanced_findings_are_one() {
        let findings = ImageScanFindings::builder()
            .finding_severity_counts(FindingSeverity::High, 1)
            .finding_severity_counts(FindingSeverity::from("UNTRIAGED"), 2)
            .findings(
                ImageScanFinding::builder().name("CVE-1").severity(FindingSeverity::Low).build(),
            )
            .enhanced_findings(
                EnhancedImageScanFinding::builder()
                    .severity("HIGH")
                    .title("CVE-2 - openssl")
                    .package_vulnerability_details(
                        PackageVulnerabilityDetails::builder().vulnerability_id("CVE-2").build(),
                    )
                    .build(),
            )
            .build();
        let ScanState::Done(found) = read(status(ScanStatus::Active), Some(findings)) else {
            panic!()
        };
        assert_eq!(found.counts, [(Severity::High, 1), (Severity::Undefined, 2)].into());
        let names = [(Severity::High, "CVE-2".to_owned()), (Severity::Low, "CVE-1".to_owned())];
        assert_eq!(found.names, names);
    }

    #[test]
    fn a_failed_scan_does_not_count_as_no_findings() {
        assert_eq!(read(status(ScanStatus::InProgress), None), ScanState::Running);
        assert_eq!(read(None, None), ScanState::Missing);
        assert!(matches!(
            read(status(ScanStatus::Failed), None),
            ScanState::Unable { status, description } if status == "FAILED" && description == "Why."
        ));
    }
}
