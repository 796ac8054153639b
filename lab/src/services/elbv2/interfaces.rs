//! The network interfaces of load balancers, one in each enabled zone. They hold on to their subnets and
//! security groups, for a while even after the load balancer is gone.

use jiff::Timestamp;

use super::LoadBalancer;
use crate::world::{World, later};

/// A load balancer's interface in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// Its subnet.
    pub subnet: String,
    /// The load balancer's security groups.
    pub groups: Vec<String>,
    /// Whether it has a public address.
    pub is_public: bool,
    /// `ELB app/<name>/<16 digits>`, as the service writes it.
    pub description: String,
}

/// An interface whose load balancer is gone, and when it will be gone too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lingering(Interface, Timestamp);

/// All that there are.
pub fn interfaces(world: &World) -> Vec<Interface> {
    let present = world.elbv2.load_balancers.values().flat_map(of_balancer);
    let lingering = world.elbv2.lingering.iter().filter(|l| l.1 > world.now);
    present.chain(lingering.map(|Lingering(interface, _)| interface.clone())).collect()
}

/// Lets the interfaces of a load balancer that goes away stay for `Params::interfaces_linger`.
pub(super) fn linger(world: &mut World, balancer: &LoadBalancer) {
    let (now, until) = (world.now, later(world.now, world.params.interfaces_linger));
    let lingering = &mut world.elbv2.lingering;
    lingering.retain(|l| l.1 > now);
    lingering.extend(of_balancer(balancer).map(|interface| Lingering(interface, until)));
}

/// The interfaces of one load balancer.
fn of_balancer(balancer: &LoadBalancer) -> impl Iterator<Item = Interface> + '_ {
    let suffix = balancer.arn.rsplit('/').next().unwrap_or_default();
    let number = u64::from_str_radix(suffix, 16).unwrap_or_default();
    balancer.subnets.values().zip(1_u64..).map(move |(subnet, place)| Interface {
        id: format!("eni-0{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(place)),
        subnet: subnet.clone(),
        groups: balancer.security_groups.clone(),
        is_public: balancer.scheme == "internet-facing",
        description: format!("ELB {}", balancer.dimension()),
    })
}
