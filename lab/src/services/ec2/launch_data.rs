//! Launch template data: sent as `RequestLaunchTemplateData`, returned as `ResponseLaunchTemplateData`.
//! The two differ in the names of their lists (API model).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::{ApiError, ApiResult, Value};

/// The maximum size of user data before encoding, in bytes (user guide).
const USER_DATA_LIMIT: usize = 16 * 1024;

/// The lists whose name in a response isn't just the lowercased name in the request (API model).
const LISTS: &[(&str, &str)] = &[
    ("AcceleratorManufacturer", "acceleratorManufacturerSet"),
    ("AcceleratorName", "acceleratorNameSet"),
    ("AcceleratorType", "acceleratorTypeSet"),
    ("AllowedInstanceType", "allowedInstanceTypeSet"),
    ("BlockDeviceMapping", "blockDeviceMappingSet"),
    ("CpuManufacturer", "cpuManufacturerSet"),
    ("ElasticGpuSpecification", "elasticGpuSpecificationSet"),
    ("ElasticInferenceAccelerator", "elasticInferenceAcceleratorSet"),
    ("ExcludedInstanceType", "excludedInstanceTypeSet"),
    ("InstanceGeneration", "instanceGenerationSet"),
    ("Ipv4Prefix", "ipv4PrefixSet"),
    ("Ipv6Addresses", "ipv6AddressesSet"),
    ("Ipv6Prefix", "ipv6PrefixSet"),
    ("LicenseSpecification", "licenseSet"),
    ("LocalStorageType", "localStorageTypeSet"),
    ("NetworkInterface", "networkInterfaceSet"),
    ("PrivateIpAddresses", "privateIpAddressesSet"),
    ("SecondaryInterface", "secondaryInterfaceSet"),
    ("SecurityGroup", "securityGroupSet"),
    ("SecurityGroupId", "securityGroupIdSet"),
    ("Tag", "tagSet"),
    ("TagSpecification", "tagSpecificationSet"),
];

/// Returns the `LaunchTemplateData` of a request with the member names of responses; it must not be empty.
pub(super) fn from_request(input: &Value) -> ApiResult<Value> {
    match to_response_form(input.get("LaunchTemplateData"))? {
        Value::Map(members) if !members.is_empty() => Ok(Value::Map(members)),
        _ => Err(ApiError::sender(
            "MissingParameter",
            "The request must contain the parameter LaunchTemplateData",
        )),
    }
}

/// Returns launch data with the member names of responses, or EC2's error for user data that is too long or
/// isn't base64.
pub(super) fn to_response_form(data: &Value) -> ApiResult<Value> {
    if let Some(user_data) = data.str("UserData") {
        let bytes = STANDARD.decode(user_data).map_err(|_| {
            ApiError::sender("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
        })?;
        if bytes.len() > USER_DATA_LIMIT {
            let message = format!("User data is limited to {USER_DATA_LIMIT} bytes");
            return Err(ApiError::sender("InvalidParameterValue", message));
        }
    }
    // API model: 1 to 64. Containers need 2.
    if let Some(hops) = data.get("MetadataOptions").int("HttpPutResponseHopLimit")
        && !(1..=64).contains(&hops)
    {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!(
                "Value ({hops}) for parameter HttpPutResponseHopLimit is invalid. It must be between 1 and 64."
            ),
        ));
    }
    Ok(renamed(data, ""))
}

/// Merges `over` into `base`: each top-level member of `over` replaces that of `base` as a whole (user guide).
pub(super) fn merged(base: &Value, over: Value) -> Value {
    match (base, over) {
        (Value::Map(base), Value::Map(over)) => Value::Map(
            base.iter()
                .filter(|(key, _)| over.iter().all(|(other, _)| other != key))
                .cloned()
                .chain(over.iter().cloned())
                .collect(),
        ),
        (_, over) => over,
    }
}

/// Returns the decoded user data of launch template data; empty if it has none.
pub(super) fn user_data(data: &Value) -> String {
    data.str("userData")
        .and_then(|text| STANDARD.decode(text).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// Returns the tags that launch template data specifies for instances.
pub(super) fn instance_tags(data: &Value) -> Vec<(String, String)> {
    data.list("tagSpecificationSet")
        .iter()
        .filter(|specification| specification.str("resourceType") == Some("instance"))
        .flat_map(|specification| specification.list("tagSet"))
        .filter_map(|tag| Some((tag.str("key")?.to_owned(), tag.str("value")?.to_owned())))
        .collect()
}

fn renamed(value: &Value, parent: &str) -> Value {
    match value {
        Value::Map(members) => Value::Map(
            members.iter().map(|(key, v)| (rename(key, parent, v), renamed(v, key))).collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| renamed(item, parent)).collect()),
        other => other.clone(),
    }
}

fn rename(key: &str, parent: &str, value: &Value) -> Cow<'static, str> {
    if matches!(value, Value::List(_)) {
        if parent == "NetworkInterface" && key == "SecurityGroupId" {
            return Cow::Borrowed("groupSet");
        }
        if let Some((_, name)) = LISTS.iter().find(|(name, _)| *name == key) {
            return Cow::Borrowed(name);
        }
    }
    let mut name = key.to_owned();
    if let Some(first) = name.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::map;

    #[test]
    fn a_member_replaces_the_whole_of_the_source() {
        let tags = |key: &str| {
            let tag = map([("Key", key.into()), ("Value", "x".into())]);
            Value::List(vec![map([("Tag", Value::List(vec![tag]))])])
        };
        let data = |members| map([("LaunchTemplateData", members)]);
        let base = data(map([("ImageId", "ami-1".into()), ("TagSpecification", tags("a"))]));
        let over = data(map([("TagSpecification", tags("b"))]));
        let merged = merged(&from_request(&base).unwrap(), from_request(&over).unwrap());
        assert_eq!(merged.str("imageId"), Some("ami-1"));
        let specifications = merged.list("tagSpecificationSet");
        assert_eq!(specifications.len(), 1);
        assert_eq!(specifications[0].list("tagSet")[0].str("key"), Some("b"));
    }

    #[test]
    fn the_metadata_hop_limit_is_at_most_64() {
        let request = |hops: &str| {
            let options = map([("HttpPutResponseHopLimit", hops.into())]);
            from_request(&map([("LaunchTemplateData", map([("MetadataOptions", options)]))]))
        };
        assert!(request("1").is_ok() && request("64").is_ok());
        for hops in ["0", "65"] {
            assert_eq!(request(hops).unwrap_err().code, "InvalidParameterValue");
        }
    }

    #[test]
    fn user_data_is_base64_and_at_most_16_kilobytes() {
        let request = |text: &str| map([("LaunchTemplateData", map([("UserData", text.into())]))]);
        let code = |text: &str| from_request(&request(text)).unwrap_err().code;
        assert_eq!(code("not base64!"), "InvalidUserData.Malformed");
        assert_eq!(code(&STANDARD.encode(vec![b'x'; 16_385])), "InvalidParameterValue");
        assert!(from_request(&request(&STANDARD.encode(vec![b'x'; 16_384]))).is_ok());
    }
}
