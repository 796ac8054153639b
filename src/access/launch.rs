//! The launch template, and the permissions that launching from its versions needs: tags, a role, a parameter.

use std::collections::BTreeSet;

use super::Survey;
use crate::iam::Feature;
use cutover_aws::{AwsError, ErrorClass, TemplateFacts, VersionFacts};
use cutover_rollout::model::{Group, LaunchTemplate, VersionSpec};

const TEMPLATES: &str = "ec2:DescribeLaunchTemplates";
const VERSIONS: &str = "ec2:DescribeLaunchTemplateVersions";

impl Survey<'_> {
    pub(super) async fn launch(&mut self, groups: Option<&[Group]>) -> Result<(), AwsError> {
        let used: Vec<&LaunchTemplate> =
            groups.unwrap_or_default().iter().filter_map(|g| g.source.template()).collect();
        let Some(template) = self.template(&used).await? else { return Ok(()) };
        let arn = self.resources.template_arn(&template.id);
        self.resources.launch_template = Some(arn);
        // A rollout creates its version from the live one, and a rollback launches a saved one.
        let of_template = used.iter().filter(|used| used.id == template.id);
        let numbers: BTreeSet<u64> =
            of_template.map(|used| template.number(used.version)).collect();
        for number in numbers.into_iter().filter(|number| *number > 0) {
            let read = self.cloud.version(&template.id, number).await;
            let without = format!(
                "the tags, instance profile and AMI of version {number} of `{}` (the policy lacks ec2:CreateTags, iam:PassRole \
                 and ssm:GetParameters)",
                template.name
            );
            match self.known(read, without)? {
                Some(Some(version)) => self.version(&template.name, &version).await?,
                Some(None) => self.gap(
                    VERSIONS,
                    format!("version {number} of `{}` does not exist", template.name),
                ),
                None => {}
            }
        }
        Ok(())
    }

    /// Returns the configured launch template, or the one that the groups use.
    async fn template(
        &mut self,
        used: &[&LaunchTemplate],
    ) -> Result<Option<TemplateFacts>, AwsError> {
        let configured = self.config.template.name.clone();
        let first = used.first();
        let name = configured.or_else(|| first.map(|used| used.name.clone()));
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            if self.gaps.is_empty() {
                self.gap(TEMPLATES, "no group uses a launch template");
            }
            return Ok(None);
        };
        let read = self.cloud.template(&name).await;
        // A group's specification also contains the id.
        let known = first.filter(|used| used.name == name && !used.id.is_empty());
        let numbered = used.iter().all(|used| matches!(used.version, VersionSpec::Number(_)));
        match (read, known) {
            (Err(error), Some(used)) if error.class == ErrorClass::Denied && numbered => {
                let (id, name) = (used.id.clone(), used.name.clone());
                Ok(Some(TemplateFacts { id, name, default: 0, latest: 0 }))
            }
            (read, _) => {
                let without = format!(
                    "the id of the launch template `{name}` (the policy lacks everything that launches from it)"
                );
                let found = self.known(read, without)?;
                if found == Some(None) {
                    self.gap(TEMPLATES, format!("the launch template `{name}` does not exist"));
                }
                Ok(found.flatten())
            }
        }
    }

    async fn version(&mut self, template: &str, version: &VersionFacts) -> Result<(), AwsError> {
        for kind in &version.tagged {
            self.uses.insert(Feature::LaunchTags);
            let arn = self.resources.launched_arn(kind);
            self.resources.launched.push(arn);
        }
        self.add_user_data_repositories(version.user_data.bytes().unwrap_or_default());
        let image = version.image_id.as_deref().unwrap_or_default();
        if let Some(parameter) = image.strip_prefix("resolve:ssm:") {
            self.uses.insert(Feature::ImageParameter);
            let arn = self.resources.parameter_arn(parameter);
            self.resources.image_parameters.push(arn);
        }
        let Some(profile) = &version.instance_profile else { return Ok(()) };
        let read = self.cloud.instance_role(profile).await;
        if read.as_ref().is_err_and(|error| error.class == ErrorClass::NotFound) {
            let what = format!(
                "the instance profile `{profile}` of version {} of `{template}` does not exist",
                version.number
            );
            self.gap("iam:GetInstanceProfile", what);
            return Ok(());
        }
        let without =
            format!("the role of the instance profile `{profile}` (the policy lacks iam:PassRole)");
        if let Some(role) = self.known(read, without)?.flatten() {
            self.uses.insert(Feature::InstanceProfile);
            self.resources.instance_roles.push(role);
        }
        Ok(())
    }
}
