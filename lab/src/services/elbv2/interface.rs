//! The network interface of a load balancer, as data.

use jiff::Timestamp;

use super::load_balancer::LoadBalancer;

/// A load balancer's network interface in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancerInterface {
    /// `eni-…`.
    pub id: String,
    /// The id of its subnet.
    pub subnet: String,
    /// The ids of the load balancer's security groups.
    pub groups: Vec<String>,
    /// Whether it has a public address.
    pub is_public: bool,
    /// Its description, as the service sets it: `ELB app/<name>/<16 digits>`.
    pub description: String,
}

/// A network interface of a deleted load balancer, and when it will be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LingeringInterface {
    pub(super) interface: LoadBalancerInterface,
    pub(super) until: Timestamp,
}

/// Returns the network interfaces of one load balancer.
pub(super) fn of_balancer(
    balancer: &LoadBalancer,
) -> impl Iterator<Item = LoadBalancerInterface> + '_ {
    let suffix = balancer.arn.rsplit('/').next().unwrap_or_default();
    let number = u64::from_str_radix(suffix, 16).unwrap_or_default();
    balancer.subnets.values().zip(1_u64..).map(move |(subnet, place)| LoadBalancerInterface {
        id: format!("eni-0{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(place)),
        subnet: subnet.clone(),
        groups: balancer.security_groups.clone(),
        is_public: balancer.scheme == "internet-facing",
        description: format!("ELB {}", balancer.dimension()),
    })
}
