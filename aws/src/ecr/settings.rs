//! Settings of the account's registry.

use aws_sdk_ecr::types::{ScanType, SigningRule};

use crate::{Aws, AwsError};

impl Aws {
    /// Returns true if Amazon Inspector scans the registry's images (enhanced scanning), so that findings come from it.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn scans_enhanced(&self) -> Result<bool, AwsError> {
        let request = self.ecr.get_registry_scanning_configuration();
        let answer =
            self.read("ecr:GetRegistryScanningConfiguration", || request.clone().send()).await?;
        let kind = answer.scanning_configuration.and_then(|found| found.scan_type);
        Ok(kind == Some(ScanType::Enhanced))
    }

    /// Returns the ARNs of the signing profiles with which managed signing signs the repository's images.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn signing_profiles(&self, path: &str) -> Result<Vec<String>, AwsError> {
        let request = self.ecr.get_signing_configuration();
        let answer = self.read("ecr:GetSigningConfiguration", || request.clone().send()).await;
        let rules = match answer {
            Ok(answer) => answer.signing_configuration.map(|found| found.rules).unwrap_or_default(),
            Err(error) if error.is("SigningConfigurationNotFoundException") => Vec::new(),
            Err(error) => return Err(error),
        };
        let applying = rules.iter().filter(|rule| applies(rule, path));
        Ok(applying.map(|rule| rule.signing_profile_arn.clone()).collect())
    }
}

/// Returns true if a rule applies to the repository. Without filters it applies to all repositories (API model).
fn applies(rule: &SigningRule, path: &str) -> bool {
    let filters = rule.repository_filters();
    filters.is_empty() || filters.iter().any(|filter| super::matches(&filter.filter, path))
}
