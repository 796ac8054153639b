//! A VPC as data.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

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
