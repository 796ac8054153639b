//! What ECR's scan of an image says.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{ImageIdentifier, ImageScanFindings, ImageScanStatus, ScanStatus};

use crate::cloud::{Cloud, CloudError};
use crate::model::{Digest, Findings, Scan, Severity};

impl Cloud {
    /// How far the scan of an image is, and what it found: basic, with findings of the operating
    /// system's packages, or enhanced, by Amazon Inspector.
    ///
    /// # Errors
    /// Where the repository does not exist or AWS does not answer.
    pub async fn scan(&self, path: &str, digest: &Digest) -> Result<Scan, CloudError> {
        let image = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.ecr.describe_image_scan_findings().repository_name(path).image_id(image);
        let answer = self.read("ecr:DescribeImageScanFindings", || request.clone().send()).await;
        match answer {
            Ok(answer) => Ok(read(answer.image_scan_status, answer.image_scan_findings)),
            // A moment after the push, the image may not be seen yet either.
            Err(error)
                if error.is("ScanNotFoundException") || error.is("ImageNotFoundException") =>
            {
                Ok(Scan::Missing)
            }
            Err(error) => Err(error),
        }
    }
}

fn read(status: Option<ImageScanStatus>, findings: Option<ImageScanFindings>) -> Scan {
    let Some(ImageScanStatus { status: Some(status), description, .. }) = status else {
        return Scan::Missing;
    };
    match status {
        ScanStatus::InProgress | ScanStatus::Pending => Scan::Running,
        // ACTIVE is an enhanced scan that goes on for as long as the image is there; its first findings
        // come with it (user guide, "Enhanced scanning").
        ScanStatus::Complete | ScanStatus::Active => {
            Scan::Done(findings.map(found).unwrap_or_default())
        }
        other => Scan::Unable {
            status: other.as_str().to_owned(),
            description: description.unwrap_or_default(),
        },
    }
}

/// The first page is enough: it counts all findings, and names up to a hundred.
fn found(findings: ImageScanFindings) -> Findings {
    let mut counts = BTreeMap::new();
    for (severity, count) in findings.finding_severity_counts.into_iter().flatten() {
        // Inspector's UNTRIAGED comes as a word that the model does not have.
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
        let Scan::Done(found) = read(status(ScanStatus::Active), Some(findings)) else { panic!() };
        assert_eq!(found.counts, [(Severity::High, 1), (Severity::Undefined, 2)].into());
        let names = [(Severity::High, "CVE-2".to_owned()), (Severity::Low, "CVE-1".to_owned())];
        assert_eq!(found.names, names);
    }

    #[test]
    fn what_did_not_end_well_is_not_taken_for_nothing_found() {
        assert_eq!(read(status(ScanStatus::InProgress), None), Scan::Running);
        assert_eq!(read(None, None), Scan::Missing);
        assert!(matches!(
            read(status(ScanStatus::Failed), None),
            Scan::Unable { status, description } if status == "FAILED" && description == "Why."
        ));
    }
}
