//! One call, independent of its protocol.

use super::error::ApiError;
use crate::wire::value::Value;

/// A service that the lab simulates behind an AWS protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Security Token Service (query).
    Sts,
    /// Identity and Access Management (query).
    Iam,
    /// Systems Manager Parameter Store (JSON 1.1).
    Ssm,
    /// Elastic Container Registry (JSON 1.1).
    Ecr,
    /// EC2 (ec2 query).
    Ec2,
    /// EC2 Auto Scaling (query).
    Autoscaling,
    /// Elastic Load Balancing v2 (query).
    Elbv2,
    /// CloudWatch (rpc-v2-cbor, JSON, query).
    Cloudwatch,
}

/// The caller: the session or user behind the access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The twelve-digit account ID.
    pub account: String,
    /// For example `arn:aws:sts::123456789012:assumed-role/deploy/session`; empty for an unsigned call.
    pub arn: String,
}

impl Principal {
    /// Returns the caller of an unsigned call.
    pub fn anonymous() -> Principal {
        Principal { account: String::new(), arn: String::new() }
    }
}

/// One call to one operation.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service, by the credential scope of the signature.
    pub service: Service,
    /// The operation, for example `DescribeAutoScalingGroups`.
    pub operation: String,
    /// The input structure; lists are already lists.
    pub input: Value,
    /// The caller.
    pub caller: Principal,
    /// The Region of the credential scope.
    pub region: String,
}

impl Call {
    /// Returns the error for an operation that the lab does not have.
    pub fn unknown_operation(&self) -> ApiError {
        match self.service {
            Service::Ssm | Service::Ecr => ApiError::sender(
                "UnknownOperationException",
                format!("The operation {} is not known.", self.operation),
            ),
            _ => ApiError::sender(
                "InvalidAction",
                format!("The action {} is not valid for this web service.", self.operation),
            ),
        }
    }
}
