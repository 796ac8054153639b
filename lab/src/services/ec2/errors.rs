//! The errors that EC2's operations share. Codes by the API reference, "Error codes for the Amazon EC2
//! API"; wordings as the service is seen to give them.

use crate::wire::{ApiError, ApiResult, Value};

/// A kind of resource: how its identifiers begin, and what an error about it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// `vpc` in `vpc-0abc…`.
    pub(super) prefix: &'static str,
    /// The word in front of the identifier in an error.
    pub(super) noun: &'static str,
    /// `InvalidVpcID`, to which `.NotFound` is added.
    code: &'static str,
    /// The code for an identifier of another form; for some kinds the list of codes has none, and it
    /// is a guess by analogy.
    malformed: &'static str,
    /// The `resource-type` of its tags.
    pub(super) tagged_as: &'static str,
}

const fn kind(
    prefix: &'static str,
    noun: &'static str,
    code: &'static str,
    malformed: &'static str,
    tagged_as: &'static str,
) -> Kind {
    Kind { prefix, noun, code, malformed, tagged_as }
}

pub(super) const VPC: Kind = kind("vpc", "vpc ID", "InvalidVpcID", "InvalidVpcId.Malformed", "vpc");
pub(super) const SUBNET: Kind =
    kind("subnet", "subnet ID", "InvalidSubnetID", "InvalidSubnetId.Malformed", "subnet");
pub(super) const GATEWAY: Kind = kind(
    "igw",
    "internetGateway ID",
    "InvalidInternetGatewayID",
    "InvalidInternetGatewayId.Malformed",
    "internet-gateway",
);
pub(super) const ROUTE_TABLE: Kind = kind(
    "rtb",
    "routeTable ID",
    "InvalidRouteTableID",
    "InvalidRouteTableId.Malformed",
    "route-table",
);
pub(super) const SECURITY_GROUP: Kind =
    kind("sg", "security group", "InvalidGroup", "InvalidGroupId.Malformed", "security-group");
pub(super) const SECURITY_RULE: Kind = kind(
    "sgr",
    "security group rule ID",
    "InvalidSecurityGroupRuleId",
    "InvalidSecurityGroupRuleId.Malformed",
    "security-group-rule",
);
pub(super) const INSTANCE: Kind =
    kind("i", "instance ID", "InvalidInstanceID", "InvalidInstanceID.Malformed", "instance");
pub(super) const IMAGE: Kind =
    kind("ami", "image id", "InvalidAMIID", "InvalidAMIID.Malformed", "image");
pub(super) const KEY_PAIR: Kind =
    kind("key", "key pair ID", "InvalidKeyPair", "InvalidKeyPairId.Malformed", "key-pair");
pub(super) const LAUNCH_TEMPLATE: Kind = kind(
    "lt",
    "launch template ID",
    "InvalidLaunchTemplateId",
    "InvalidLaunchTemplateId.Malformed",
    "launch-template",
);
pub(super) const INTERFACE: Kind = kind(
    "eni",
    "networkInterface ID",
    "InvalidNetworkInterfaceID",
    "InvalidNetworkInterfaceId.Malformed",
    "network-interface",
);

/// Every kind that can have tags.
pub(super) const KINDS: &[Kind] = &[
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

impl Kind {
    /// What the codes of its errors begin with.
    pub(super) fn code(self) -> &'static str {
        self.code
    }

    /// The error for an identifier that nothing has: malformed where nothing could have it.
    pub(super) fn missing(self, id: &str) -> ApiError {
        let Kind { prefix, noun, code, malformed, .. } = self;
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

/// The text of a required member.
pub(super) fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
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

/// `DependencyViolation`: `what` as in "The subnet 'subnet-0abc'".
pub(super) fn in_use(what: &str, id: &str) -> ApiError {
    dependency(format!("The {what} '{id}' has dependencies and cannot be deleted."))
}

/// `DependencyViolation` in other words.
pub(super) fn dependency(message: impl Into<String>) -> ApiError {
    ApiError::sender("DependencyViolation", message)
}
