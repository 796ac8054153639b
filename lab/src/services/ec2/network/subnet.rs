//! A subnet as data.

use ipnet::Ipv4Net;

use super::vpc::address;

/// How many addresses at the start of each subnet AWS reserves (user guide). It also reserves the last one.
const KEPT: u32 = 4;

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its Availability Zone.
    pub zone: String,
    /// The id of its VPC.
    pub vpc: String,
    /// Its IPv4 CIDR block.
    pub cidr: Ipv4Net,
    /// MapPublicIpOnLaunch: whether instances launched in it get a public address.
    pub map_public_ip: bool,
    /// Whether it is its zone's default subnet.
    pub is_default: bool,
    /// How many addresses it has assigned so far, including released ones.
    pub assigned: u32,
}

impl Subnet {
    /// Creates a private subnet that has assigned no address yet.
    pub fn new(zone: &str, vpc: &str, cidr: Ipv4Net) -> Subnet {
        Subnet {
            zone: zone.to_owned(),
            vpc: vpc.to_owned(),
            cidr,
            map_public_ip: false,
            is_default: false,
            assigned: 0,
        }
    }

    /// Returns how many addresses it can assign in total.
    pub fn capacity(&self) -> u32 {
        (1_u32 << (32 - self.cidr.prefix_len().clamp(1, 30))).saturating_sub(KEPT + 1).max(1)
    }

    /// Assigns the next address. After the last one it starts over, so that addresses are not soon reused.
    pub(in super::super) fn next_address(&mut self) -> String {
        let place = KEPT + self.assigned % self.capacity();
        self.assigned = self.assigned.wrapping_add(1);
        address(self.cidr, place).to_string()
    }
}
