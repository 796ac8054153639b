//! The network interfaces of load balancers, one per enabled zone. Their subnets and security groups can't be
//! deleted while they exist, which is for a while even after the load balancer was deleted.

use super::interface::{LingeringInterface, of_balancer};
use super::load_balancer::LoadBalancer;
use crate::world::{World, later};

/// Keeps the network interfaces of a load balancer that is being deleted for `Params::interfaces_linger`.
pub(super) fn linger(world: &mut World, balancer: &LoadBalancer) {
    let (now, until) = (world.now, later(world.now, world.params.interfaces_linger));
    let lingering = &mut world.elbv2.lingering;
    lingering.retain(|l| l.until > now);
    lingering
        .extend(of_balancer(balancer).map(|interface| LingeringInterface { interface, until }));
}
