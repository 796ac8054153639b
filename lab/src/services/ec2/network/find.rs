//! Finds what a request names, or what stands in its place.

use super::super::errors::VPC;
use super::super::state::State;
use super::vpc::Vpc;
use crate::wire::ApiResult;
use crate::world::World;

/// Returns the VPC with this id, or `InvalidVpcID.NotFound`.
pub(super) fn vpc<'w>(world: &'w World, id: &str) -> ApiResult<&'w Vpc> {
    world.ec2.vpcs.get(id).ok_or_else(|| VPC.not_found(id))
}

/// Returns the id of the group with this name in the default VPC.
pub(in super::super) fn group_by_name(state: &State, name: &str) -> Option<String> {
    let vpc = default_vpc(state)?;
    let mut all = state.security_groups.iter();
    all.find(|(_, group)| group.vpc == vpc && group.name == name).map(|(id, _)| id.clone())
}

/// Returns the id of a VPC's default group.
pub(in super::super) fn default_of(state: &State, vpc: &str) -> Option<String> {
    let mut all = state.security_groups.iter();
    all.find(|(_, group)| group.vpc == vpc && group.name == "default").map(|(id, _)| id.clone())
}

/// Returns the id of the account's default VPC, if it has one.
pub(in super::super) fn default_vpc(state: &State) -> Option<String> {
    state.vpcs.iter().find(|(_, vpc)| vpc.is_default).map(|(id, _)| id.clone())
}
