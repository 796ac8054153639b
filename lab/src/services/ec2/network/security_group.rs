//! A security group as data.

use std::collections::BTreeMap;

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its name, unique in its VPC.
    pub name: String,
    /// Its description (API: `GroupDescription`).
    pub description: String,
    /// The id of its VPC.
    pub vpc: String,
    /// Its rules by `sgr-…`.
    pub rules: BTreeMap<String, SecurityRule>,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRule {
    /// Whether it applies to outbound traffic.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// The first and the last port; none for all protocols.
    pub ports: Option<(i64, i64)>,
    /// Its source or destination.
    pub peer: RulePeer,
    /// Its description, if it has one.
    pub description: Option<String>,
}

/// The source of an inbound rule, or the destination of an outbound one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulePeer {
    /// An IPv4 CIDR block.
    Ipv4(String),
    /// An IPv6 CIDR block.
    Ipv6(String),
    /// The members of a security group, by its id.
    Group(String),
    /// A prefix list, by its id.
    Prefixes(String),
}

impl SecurityRule {
    /// Returns whether two rules allow the same traffic; descriptions are ignored.
    pub(super) fn allows_same_traffic(&self, other: &SecurityRule) -> bool {
        let key = |rule: &SecurityRule| {
            (rule.egress, rule.protocol.clone(), rule.ports, rule.peer.clone())
        };
        key(self) == key(other)
    }
}
