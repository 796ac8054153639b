//! A VPC as data.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::super::errors::invalid_value;
use crate::wire::ApiResult;

/// A virtual private cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Its IPv4 CIDR block.
    pub cidr: Ipv4Net,
    /// Whether it is the account's default VPC.
    pub is_default: bool,
    /// The attribute enableDnsSupport.
    pub dns_support: bool,
    /// The attribute enableDnsHostnames: whether instances get public DNS names.
    pub dns_hostnames: bool,
}

/// Returns the address at offset `place` in a CIDR block.
pub(super) fn address(cidr: Ipv4Net, place: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(cidr.network()).saturating_add(place))
}

/// Reads an IPv4 CIDR block, which must not have host bits set.
pub(super) fn read_cidr(text: &str) -> ApiResult<Ipv4Net> {
    let cidr = text.parse::<Ipv4Net>().ok().filter(|cidr| cidr.addr() == cidr.network());
    cidr.ok_or_else(|| {
        invalid_value(format!(
            "Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ))
    })
}
