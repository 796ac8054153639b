//! The resources in a policy.

/// The account, and the ARNs of everything that a rollout reads or changes. The statement of an empty list is
/// omitted; a list that could not be determined is reported as a [`super::Gap`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// `aws`, `aws-cn` …
    pub partition: String,
    /// The DNS suffix of services: `amazonaws.com`, in China `amazonaws.com.cn`.
    pub dns_suffix: String,
    /// The Region.
    pub region: String,
    /// The account id: twelve digits.
    pub account: String,
    /// The service's name, which is part of the ledger's path.
    pub service: String,
    /// The launch template.
    pub launch_template: Option<String>,
    /// The Auto Scaling groups; see [`Resources::group_arn`].
    pub groups: Vec<String>,
    /// The roles of the instance profiles in the launch template's versions.
    pub instance_roles: Vec<String>,
    /// The resources that the versions tag at launch; see [`Resources::launched_arn`].
    pub launched: Vec<String>,
    /// The SSM parameters of the AMI; see [`Resources::parameter_arn`].
    pub image_parameters: Vec<String>,
    /// The listener rules to change, including the test rule.
    pub rules: Vec<String>,
    /// The listeners whose default action is changed.
    pub listeners: Vec<String>,
    /// The Cognito user pools in the changed rules.
    pub user_pools: Vec<String>,
    /// The ECR repositories.
    pub repositories: Repositories,
    /// The AWS Signer profiles of the registry's managed signing.
    pub signing_profiles: Vec<String>,
}

/// ARNs of ECR repositories by purpose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repositories {
    /// Repositories that are pushed to, in any account and Region.
    pub pushed: Vec<String>,
    /// Repositories in the account's own registry that are pushed to or deployed from.
    pub own: Vec<String>,
    /// Repositories of base images.
    pub bases: Vec<String>,
}

impl Resources {
    /// Makes empty resources of an account in a Region.
    pub fn of(partition: &str, region: &str, account: &str, service: &str) -> Resources {
        let dns_suffix = match partition {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        };
        Resources {
            partition: partition.to_owned(),
            dns_suffix: dns_suffix.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            service: service.to_owned(),
            ..Resources::default()
        }
    }

    /// Makes an ARN in this account and Region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let Resources { partition, region, account, .. } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Returns the ARN of a group by name, with a wildcard for its id, so that the policy also covers a
    /// recreated group.
    pub fn group_arn(&self, name: &str) -> String {
        self.arn("autoscaling", &format!("autoScalingGroup:*:autoScalingGroupName/{name}"))
    }

    /// Returns the ARN of a launch template by id.
    pub fn template_arn(&self, id: &str) -> String {
        self.arn("ec2", &format!("launch-template/{id}"))
    }

    /// Returns the ARN of all resources of a type that is created at launch: `instance`, `volume` …
    pub fn launched_arn(&self, kind: &str) -> String {
        self.arn("ec2", &format!("{kind}/*"))
    }

    /// Returns the ARN of a parameter from the text after `resolve:ssm:` in an image id: a name or an ARN,
    /// optionally with `:` and a version or label (EC2 user guide, "Use a Systems Manager parameter to find an
    /// AMI"). AWS's public parameters do not belong to an account (Systems Manager user guide, "Calling AMI
    /// public parameters").
    pub fn parameter_arn(&self, reference: &str) -> String {
        if let Some(at) = reference.find(":parameter/") {
            let name = at + ":parameter/".len();
            let end = reference[name..].find(':').map_or(reference.len(), |end| name + end);
            return reference[..end].to_owned();
        }
        let name = reference.split(':').next().unwrap_or_default().trim_start_matches('/');
        let Resources { partition, region, account, .. } = self;
        let account = if name.starts_with("aws/") { "" } else { account };
        format!("arn:{partition}:ssm:{region}:{account}:parameter/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_parameter_is_named_in_every_form() {
        let resources = Resources::of("aws", "eu-west-1", "123456789012", "web");
        let arn = "arn:aws:ssm:eu-west-1:210987654321:parameter/golden/ami";
        for (reference, expected) in [
            ("golden", "arn:aws:ssm:eu-west-1:123456789012:parameter/golden"),
            ("/golden/ami:3", "arn:aws:ssm:eu-west-1:123456789012:parameter/golden/ami"),
            (
                "/aws/service/ami-amazon-linux-latest/al2023",
                "arn:aws:ssm:eu-west-1::parameter/aws/service/ami-amazon-linux-latest/al2023",
            ),
            (arn, arn),
            (&format!("{arn}:stable"), arn),
        ] {
            assert_eq!(resources.parameter_arn(reference), expected, "{reference}");
        }
    }
}
