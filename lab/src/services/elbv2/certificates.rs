//! Certificates of HTTPS listeners, stored by ARN. The lab doesn't simulate ACM to look them up in, and encrypts
//! nothing.

use super::errors::validation;
use super::{find, paging};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most certificates, not counting default ones (quota; AWS counts per load balancer, the lab per
/// listener).
const QUOTA: usize = 25;

/// Reads `Certificates`. An ARN that can't be a certificate of ACM or IAM is refused: CertificateNotFound.
pub(super) fn read(input: &Value) -> ApiResult<Vec<String>> {
    let read_one = |given: &Value| {
        let arn = given.need_str("CertificateArn")?;
        let is_one = arn.starts_with("arn:aws:acm:") || arn.contains(":server-certificate/");
        if is_one {
            return Ok(arn.to_owned());
        }
        Err(ApiError::sender("CertificateNotFound", format!("Certificate '{arn}' not found")))
    };
    input.list("Certificates").iter().map(read_one).collect()
}

/// `AddListenerCertificates`.
pub(super) fn add(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    find::listener(world, arn)?;
    let given = read(input)?;
    if given.is_empty() {
        return Err(validation("Certificates cannot be empty"));
    }
    if let Some(listener) = world.elbv2.listeners.get_mut(arn) {
        let new = given.iter().filter(|c| !listener.certificates.contains(c)).count();
        if listener.certificates.len() + new > QUOTA + 1 {
            return Err(ApiError::sender(
                "TooManyCertificates",
                "The maximum number of certificates has been reached",
            ));
        }
        for certificate in &given {
            if !listener.certificates.contains(certificate) {
                listener.certificates.push(certificate.clone());
            }
        }
    }
    let written = given
        .iter()
        .map(|arn| map([("CertificateArn", arn.as_str().into()), ("IsDefault", false.into())]));
    Ok(map([("Certificates", Value::List(written.collect()))]))
}

/// `RemoveListenerCertificates`: refused for the default certificate.
pub(super) fn remove(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    find::listener(world, arn)?;
    let given = read(input)?;
    if let Some(listener) = world.elbv2.listeners.get_mut(arn) {
        if listener.certificates.first().is_some_and(|default| given.contains(default)) {
            return Err(ApiError::sender(
                "OperationNotPermitted",
                "Default certificates cannot be removed",
            ));
        }
        listener.certificates.retain(|certificate| !given.contains(certificate));
    }
    Ok(map([]))
}

/// `DescribeListenerCertificates`: the default certificate first.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let listener = find::listener(world, input.need_str("ListenerArn")?)?;
    let written = listener.certificates.iter().enumerate().map(|(place, arn)| {
        map([("CertificateArn", arn.as_str().into()), ("IsDefault", (place == 0).into())])
    });
    paging::page("Certificates", written.collect(), input)
}
