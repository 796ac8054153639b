//! The errors that EC2's operations share. The codes are those of the API reference, "Error codes for the
//! Amazon EC2 API"; the messages follow those observed from the service.

use crate::wire::{ApiError, ApiResult, Value};

/// A kind of resource: the prefix of its ids, and the wording of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResourceKind {
    /// `vpc` in `vpc-0abc…`.
    pub(super) prefix: &'static str,
    /// The words before the id in an error message.
    pub(super) noun: &'static str,
    /// The error code without `.NotFound`, such as `InvalidVpcID`.
    code: &'static str,
    /// The error code for a malformed id. The API reference has none for some kinds; those are guessed by
    /// analogy.
    malformed: &'static str,
    /// Its `resource-type` in tags.
    pub(super) resource_type: &'static str,
}

const fn kind(
    prefix: &'static str,
    noun: &'static str,
    code: &'static str,
    malformed: &'static str,
    tagged_as: &'static str,
) -> ResourceKind {
    ResourceKind { prefix, noun, code, malformed, resource_type: tagged_as }
}

pub(super) const VPC: ResourceKind =
    kind("vpc", "vpc ID", "InvalidVpcID", "InvalidVpcId.Malformed", "vpc");
pub(super) const SUBNET: ResourceKind =
    kind("subnet", "subnet ID", "InvalidSubnetID", "InvalidSubnetId.Malformed", "subnet");
pub(super) const GATEWAY: ResourceKind = kind(
    "igw",
    "internetGateway ID",
    "InvalidInternetGatewayID",
    "InvalidInternetGatewayId.Malformed",
    "internet-gateway",
);
pub(super) const ROUTE_TABLE: ResourceKind = kind(
    "rtb",
    "routeTable ID",
    "InvalidRouteTableID",
    "InvalidRouteTableId.Malformed",
    "route-table",
);
pub(super) const SECURITY_GROUP: ResourceKind =
    kind("sg", "security group", "InvalidGroup", "InvalidGroupId.Malformed", "security-group");
pub(super) const SECURITY_RULE: ResourceKind = kind(
    "sgr",
    "security group rule ID",
    "InvalidSecurityGroupRuleId",
    "InvalidSecurityGroupRuleId.Malformed",
    "security-group-rule",
);
pub(super) const INSTANCE: ResourceKind =
    kind("i", "instance ID", "InvalidInstanceID", "InvalidInstanceID.Malformed", "instance");
pub(super) const IMAGE: ResourceKind =
    kind("ami", "image id", "InvalidAMIID", "InvalidAMIID.Malformed", "image");
pub(super) const KEY_PAIR: ResourceKind =
    kind("key", "key pair ID", "InvalidKeyPair", "InvalidKeyPairId.Malformed", "key-pair");
pub(super) const LAUNCH_TEMPLATE: ResourceKind = kind(
    "lt",
    "launch template ID",
    "InvalidLaunchTemplateId",
    "InvalidLaunchTemplateId.Malformed",
    "launch-template",
);
pub(super) const INTERFACE: ResourceKind = kind(
    "eni",
    "networkInterface ID",
    "InvalidNetworkInterfaceID",
    "InvalidNetworkInterfaceId.Malformed",
    "network-interface",
);

/// The kinds that can have tags.
pub(super) const KINDS: &[ResourceKind] = &[
    VPC,
    SUBNET,
    GATEWAY,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SECURITY_RULE,
    INSTANCE,
    IMAGE,
    KEY_PAIR,
    LAUNCH_TEMPLATE,
    INTERFACE,
];

impl ResourceKind {
    /// Returns the common prefix of its error codes.
    pub(super) fn code(self) -> &'static str {
        self.code
    }

    /// Returns the error for an id that doesn't exist: not found, or malformed if no resource could have it.
    pub(super) fn not_found(self, id: &str) -> ApiError {
        let ResourceKind { prefix, noun, code, malformed, .. } = self;
        let digits = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
        let is_id =
            digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_alphanumeric()));
        if !is_id {
            let message = format!("Invalid id: \"{id}\" (expecting \"{prefix}-...\")");
            return ApiError::sender(malformed, message);
        }
        let id = if prefix == "ami" { format!("[{id}]") } else { id.to_owned() };
        ApiError::sender(format!("{code}.NotFound"), format!("The {noun} '{id}' does not exist"))
    }
}

/// Reads a required string member.
pub(super) fn required_str<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    input.str(key).filter(|text| !text.is_empty()).ok_or_else(|| missing_parameter(key))
}

/// `MissingParameter`.
pub(super) fn missing_parameter(key: &str) -> ApiError {
    ApiError::sender("MissingParameter", format!("The request must contain the parameter {key}"))
}

/// `InvalidParameterValue`.
pub(super) fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// `DependencyViolation`; `what` is the kind of resource, such as `subnet`.
pub(super) fn has_dependencies(what: &str, id: &str) -> ApiError {
    dependency(format!("The {what} '{id}' has dependencies and cannot be deleted."))
}

/// `DependencyViolation` with a message of its own.
pub(super) fn dependency(message: impl Into<String>) -> ApiError {
    ApiError::sender("DependencyViolation", message)
}
