//! EC2: the network, launch templates, and instances, whether launched by Auto Scaling or by RunInstances.

pub(crate) mod ami;
mod client_token;
mod describe;
mod errors;
mod idempotency;
mod images;
mod instance;
mod instance_types;
mod instances;
mod key_pair;
mod key_pairs;
mod launch_check;
mod launch_data;
mod launch_template;
mod launches;
mod lifecycle;
mod listing;
mod network;
mod region;
mod stable_id;
pub(crate) mod state;
mod status;
mod tags;
pub(crate) mod template_request;
mod templates;
#[cfg(test)]
mod tests;
mod versions;
mod zone;
mod zones;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

pub use ami::{Ami, public as public_machines, public_parameters};
pub use instance::{Instance, InstanceState};
pub use instances::{
    is_responding, launch, mark_running, reload_programs, set_zone_lost, terminate,
};
pub use key_pair::KeyPair;
pub use launch_template::{LaunchTemplate, TemplateVersion};
pub use network::{
    InternetGateway, RouteTable, RouteTarget, RulePeer, SecurityGroup, SecurityRule, Subnet, Vpc,
    VpcSpec, create_vpc, leftovers,
};
pub use state::{Event, State, Tags};
pub use template_request::resolve;
pub use zone::{Zone, zone_id};

pub(crate) use network::{available_addresses, balancer_groups, gateway_of};

/// Handles one API call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    if input.bool("DryRun") == Some(true) {
        return Err(ApiError::sender(
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        )
        .status(412));
    }
    if let Some(answer) = network::call(world, call) {
        return answer;
    }
    match call.operation.as_str() {
        "CreateLaunchTemplate" => templates::create(world, call),
        "ModifyLaunchTemplate" => templates::modify(world, call),
        "DescribeLaunchTemplates" => templates::describe(world, input),
        "DeleteLaunchTemplate" => templates::delete(world, input),
        "CreateLaunchTemplateVersion" => versions::create(world, call),
        "DescribeLaunchTemplateVersions" => versions::describe(world, input),
        "DeleteLaunchTemplateVersions" => versions::delete(world, input),
        "GetLaunchTemplateData" => launches::template_data(world, input),
        "RunInstances" => launches::run(world, call),
        "DescribeInstances" => describe::instances(world, input),
        "DescribeInstanceStatus" => status::describe(world, input),
        "DescribeInstanceAttribute" => lifecycle::describe_attribute(world, input),
        "ModifyInstanceAttribute" => lifecycle::modify_attribute(world, input),
        "TerminateInstances" => lifecycle::terminate(world, input),
        "StopInstances" => lifecycle::stop(world, input),
        "StartInstances" => lifecycle::start(world, input),
        "RebootInstances" => lifecycle::reboot(world, input),
        "DescribeInstanceTypes" => instance_types::describe(world, input),
        "DescribeInstanceTypeOfferings" => instance_types::offerings(world, input),
        "DescribeAvailabilityZones" => zones::describe(world, input),
        "DescribeRegions" => zones::describe_regions(world, input),
        "DescribeImages" => images::describe(world, input),
        "CreateKeyPair" => key_pairs::create(world, input, false),
        "ImportKeyPair" => key_pairs::create(world, input, true),
        "DescribeKeyPairs" => key_pairs::describe(world, input),
        "DeleteKeyPair" => key_pairs::delete(world, input),
        "CreateTags" => tags::create(world, input),
        "DeleteTags" => tags::delete(world, input),
        "DescribeTags" => tags::describe(world, input),
        _ => Err(call.unknown_operation()),
    }
}

/// Handles `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::ProgramStarted(_) => {}
        Event::ProgramCrashed(id) => instances::mark_crashed(world, id),
        Event::Running(id) => instances::mark_running(world, id),
        Event::Stopped(id) => lifecycle::mark_stopped(world, id),
        Event::Terminated(id) => instances::mark_terminated(world, id),
        Event::Removed(id) => {
            world.ec2.instances.remove(id);
        }
    }
}
