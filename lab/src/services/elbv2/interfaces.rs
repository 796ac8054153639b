//! The network interfaces of load balancers, one per enabled zone. Their subnets and security groups can't be
//! deleted while they exist, which is for a while even after the load balancer was deleted.

use jiff::Timestamp;

use super::LoadBalancer;
use crate::world::{World, later};

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
pub(super) struct LingeringInterface(LoadBalancerInterface, Timestamp);

/// Returns all network interfaces of load balancers, including those of deleted ones.
pub fn interfaces(world: &World) -> Vec<LoadBalancerInterface> {
    let present = world.elbv2.load_balancers.values().flat_map(of_balancer);
    let lingering = world.elbv2.lingering.iter().filter(|l| l.1 > world.now);
    present.chain(lingering.map(|LingeringInterface(interface, _)| interface.clone())).collect()
}

/// Keeps the network interfaces of a load balancer that is being deleted for `Params::interfaces_linger`.
pub(super) fn linger(world: &mut World, balancer: &LoadBalancer) {
    let (now, until) = (world.now, later(world.now, world.params.interfaces_linger));
    let lingering = &mut world.elbv2.lingering;
    lingering.retain(|l| l.1 > now);
    lingering.extend(of_balancer(balancer).map(|interface| LingeringInterface(interface, until)));
}

/// Returns the network interfaces of one load balancer.
fn of_balancer(balancer: &LoadBalancer) -> impl Iterator<Item = LoadBalancerInterface> + '_ {
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
