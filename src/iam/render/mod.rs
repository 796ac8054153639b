//! Renders a deploy role as AWS CLI commands, CloudFormation, Terraform or JSON.

pub mod cloudformation;
pub mod commands;
pub mod terraform;

use serde_json::{Value, json};

use super::{GITHUB, Policy, Trust, trust};

/// A deploy role, and what of it already exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRole {
    /// The role's name.
    pub name: String,
    /// The role's path: `/`, or one that begins and ends with a slash.
    pub path: String,
    /// The service that it deploys.
    pub service: String,
    /// The Region.
    pub region: String,
    /// Which jobs may assume it.
    pub trust: Trust,
    /// The permissions policy.
    pub permissions: Policy,
    /// Whether the account has GitHub's OIDC provider; `None` if that could not be read.
    pub provider_exists: Option<bool>,
    /// Whether the role exists; `None` if that could not be read.
    pub role_exists: Option<bool>,
}

/// Returns the issuer's URL, with which the provider is created.
pub(super) fn issuer() -> String {
    format!("https://{GITHUB}")
}

impl DeployRole {
    /// Returns a JSON object with the role's name and both documents.
    pub fn json(&self) -> Value {
        json!({
            "role": self.name,
            "trust": trust(&self.trust),
            "permissions": self.permissions,
        })
    }
}

/// Indents all lines of `text` except the first by `columns`.
fn indented(text: &str, columns: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(columns)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::fixture::everything;
    use crate::iam::{Feature, Features, Job, Repository, permissions};

    /// Returns a role with the permissions for a canary.
    fn role() -> DeployRole {
        let repository =
            Repository { owner_id: Some(1), id: Some(2), ..Repository::parse("acme/web").unwrap() };
        let uses = [Feature::TwoGroups, Feature::Rules, Feature::Push, Feature::InstanceProfile];
        DeployRole {
            name: "deploy-web".to_owned(),
            path: "/".to_owned(),
            service: "web".to_owned(),
            region: "eu-west-1".to_owned(),
            trust: Trust {
                provider: Trust::provider("aws", "123456789012"),
                repository,
                job: Job::Environment("production".to_owned()),
            },
            permissions: permissions(&Features::of(uses), &everything()),
            provider_exists: Some(false),
            role_exists: Some(false),
        }
    }

    /// Returns a role whose permissions exceed an inline policy.
    fn large() -> DeployRole {
        let mut known = everything();
        let rule = known.rules[0].clone();
        known.rules = (0..200).map(|n| format!("{rule}{n:016x}")).collect();
        let permissions = permissions(&Features::of([Feature::TwoGroups, Feature::Rules]), &known);
        DeployRole { permissions, ..role() }
    }

    #[test]
    fn a_role_as_commands() {
        insta::assert_snapshot!(commands::text(&role()));
    }

    #[test]
    fn a_role_as_a_template() {
        insta::assert_snapshot!(cloudformation::template(&role()));
    }

    #[test]
    fn a_role_as_terraform() {
        insta::assert_snapshot!(terraform::file(&role()).unwrap());
    }

    #[test]
    fn what_exists_is_not_created() {
        let there = DeployRole { provider_exists: Some(true), role_exists: Some(true), ..role() };
        let commands = commands::text(&there);
        assert!(!commands.contains("create-"), "{commands}");
        assert!(commands.contains("aws iam update-assume-role-policy --role-name deploy-web"));
        assert!(cloudformation::template(&there).contains("Default: \"false\""));
        let terraform = terraform::file(&there).unwrap();
        assert!(terraform.contains("data \"aws_iam_openid_connect_provider\" \"github\""));
        assert!(terraform.contains("Federated = data.aws_iam_openid_connect_provider.github.arn"));
        assert!(
            terraform.contains("import {\n  to = aws_iam_role.deploy\n  id = \"deploy-web\"\n}")
        );
    }

    #[test]
    fn what_could_not_be_read_is_created_or_replaced() {
        let unknown = DeployRole { provider_exists: None, role_exists: None, ..role() };
        let commands = commands::text(&unknown);
        let line = |start: &str| commands.lines().find(|line| line.starts_with(start)).unwrap();
        let provider = line("aws iam get-open-id-connect-provider ");
        assert!(provider.contains(" || aws iam create-open-id-connect-provider "), "{provider}");
        let role = line("aws iam create-role ");
        assert!(role.contains(" || aws iam update-assume-role-policy "), "{role}");
    }

    #[test]
    fn a_role_keeps_its_path() {
        let role = DeployRole { path: "/ci/web/".to_owned(), ..role() };
        assert!(
            commands::text(&role).contains("create-role --role-name deploy-web --path /ci/web/ ")
        );
        assert!(
            cloudformation::template(&role)
                .contains("      RoleName: deploy-web\n      Path: /ci/web/\n")
        );
        assert!(terraform::file(&role).unwrap().contains("  path               = \"/ci/web/\"\n"));
    }

    #[test]
    fn what_is_too_long_is_attached_in_parts() {
        let commands = commands::text(&large());
        assert!(commands.contains("aws iam create-policy --policy-name deploy-web-1 "));
        assert!(commands.contains(" || aws iam create-policy-version --policy-arn "));
        assert!(commands.contains("--policy-arn arn:aws:iam::123456789012:policy/deploy-web-1\n"));
        assert!(!commands.contains("put-role-policy"));
        let template = cloudformation::template(&large());
        assert!(template.contains("  Permissions2:\n    Type: AWS::IAM::ManagedPolicy\n"));
        let terraform: hcl::Body = terraform::file(&large()).unwrap().parse().unwrap();
        let attached = terraform.blocks().filter(|block| {
            block.labels().first().is_some_and(|l| l.as_str() == "aws_iam_role_policy_attachment")
        });
        assert!(attached.count() >= 3);
    }
}
