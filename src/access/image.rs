//! The ECR repositories of the image, and the settings of their registry.

use super::Survey;
use crate::iam::Feature;
use cutover_aws::AwsError;
use cutover_rollout::model::Repository;

impl Survey<'_> {
    pub(super) async fn image(&mut self) -> Result<(), AwsError> {
        let image = &self.config.image;
        let own: Vec<&Repository> =
            image.push.iter().filter(|repository| self.cloud.owns(repository)).collect();
        let pushed: Vec<String> = image.push.iter().filter_map(arn).collect();
        if !own.is_empty() {
            self.uses.insert(Feature::OwnRepository);
            self.resources.repositories.own.extend(own.iter().filter_map(|own| arn(own)));
        }
        if !image.has_source() {
            if !own.is_empty() {
                self.uses.insert(Feature::DeployPushed);
            }
            return Ok(());
        }
        let base = image.assembly.as_ref().and_then(|assembly| assembly.base.as_ref());
        if let Some(base) = base.and_then(|base| arn(&base.repository)) {
            self.uses.insert(Feature::Base);
            self.resources.repositories.bases.push(base);
        }
        if pushed.is_empty() {
            return Ok(());
        }
        self.uses.insert(Feature::Push);
        self.resources.repositories.pushed = pushed;
        if image.build.is_some() {
            self.uses.insert(Feature::Build);
        }
        if own.is_empty() {
            return Ok(());
        }
        if image.ecr.create.is_some() {
            self.uses.insert(Feature::CreateRepository);
        }
        if image.ecr.scan.is_some() {
            self.uses.insert(Feature::Scan);
            let read = self.cloud.scans_enhanced().await;
            let without = "whether Amazon Inspector scans the registry (the policy lacks inspector2:ListFindings and \
                           inspector2:ListCoverage)";
            if self.known(read, without)? == Some(true) {
                self.uses.insert(Feature::EnhancedScan);
            }
        }
        for repository in own {
            let read = self.cloud.signing_profiles(repository.path()).await;
            let without =
                "whether the registry signs pushed images (the policy lacks signer:SignPayload)";
            let profiles = self.known(read, without)?.unwrap_or_default();
            if !profiles.is_empty() {
                self.uses.insert(Feature::Signing);
                self.resources.signing_profiles.extend(profiles);
            }
        }
        Ok(())
    }
}

impl Survey<'_> {
    /// Adds the repositories in the user data if the configuration has none. `deploy --image` reads from these:
    /// an image in another repository could not be launched.
    pub(super) fn add_user_data_repositories(&mut self, user_data: &[u8]) {
        if !self.config.image.push.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(user_data);
        let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        for word in text.split(|c: char| !part_of_a_name(c)) {
            let name = word.split('@').next().unwrap_or_default();
            let name = name.split(':').next().unwrap_or_default();
            let Ok(repository) = name.parse::<Repository>() else { continue };
            if let Some(arn) = arn(&repository).filter(|_| self.cloud.owns(&repository)) {
                self.uses.insert(Feature::OwnRepository);
                self.uses.insert(Feature::DeployPushed);
                self.resources.repositories.own.push(arn);
            }
        }
    }
}

/// Returns the ARN of a repository, if it is in ECR.
fn arn(repository: &Repository) -> Option<String> {
    repository.ecr().map(|ecr| ecr.arn(repository.path()))
}
