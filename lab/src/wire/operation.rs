//! The name of an operation.

use crate::wire::call::Service;

/// A service and an operation, named as in the actions of IAM policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The signing name of an AWS service, or `registry` (ECR and GHCR), `storage` (the bytes of their
    /// blobs), `github`, `site` for a user's request, `lab` for the lab's health check, `other` for a
    /// service that the lab does not have.
    pub service: &'static str,
    /// AWS's name of the operation. For the other services, the method and what it is for:
    /// `PutManifest`, `PatchUpload`, `GetBlob`, `GetToken`, `PostDeployment`, `GetPage`.
    pub operation: String,
}

impl Service {
    /// Returns the name that requests to it are signed with (API models).
    pub fn signing_name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Iam => "iam",
            Service::Ssm => "ssm",
            Service::Ecr => "ecr",
            Service::Ec2 => "ec2",
            Service::Autoscaling => "autoscaling",
            Service::Elbv2 => "elasticloadbalancing",
            Service::Cloudwatch => "monitoring",
        }
    }
}
