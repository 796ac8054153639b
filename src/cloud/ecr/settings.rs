//! What is set on the account's registry as a whole.

use aws_sdk_ecr::types::{ScanType, SigningRule};

use crate::cloud::{Cloud, CloudError};

impl Cloud {
    /// Whether Amazon Inspector scans the registry's images, so that findings are read from it.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn scans_enhanced(&self) -> Result<bool, CloudError> {
        let request = self.ecr.get_registry_scanning_configuration();
        let answer =
            self.read("ecr:GetRegistryScanningConfiguration", || request.clone().send()).await?;
        let kind = answer.scanning_configuration.and_then(|found| found.scan_type);
        Ok(kind == Some(ScanType::Enhanced))
    }

    /// The ARNs of the profiles that managed signing signs images of the repository with.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn signing_profiles(&self, path: &str) -> Result<Vec<String>, CloudError> {
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

/// Without filters, a rule is about all repositories (API model).
fn applies(rule: &SigningRule, path: &str) -> bool {
    let filters = rule.repository_filters();
    filters.is_empty() || filters.iter().any(|filter| super::matches(&filter.filter, path))
}
