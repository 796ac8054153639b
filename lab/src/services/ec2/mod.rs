//! EC2: the network, launch templates, and instances, whether launched by Auto Scaling or by RunInstances.

mod describe;
mod errors;
mod idempotency;
mod images;
mod instance_types;
mod instances;
mod key_pairs;
mod launch_data;
mod launches;
mod lifecycle;
mod listing;
mod network;
mod status;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod versions;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

pub use images::{Ami, public as public_machines, public_parameters};
pub use instances::{
    Instance, InstanceState, is_responding, launch, mark_running, reload_programs, set_zone_lost,
    terminate,
};
pub use key_pairs::KeyPair;
pub use network::{
    InternetGateway, RouteTable, RouteTarget, RulePeer, SecurityGroup, SecurityRule, Subnet, Vpc,
    VpcSpec, create_vpc, leftovers,
};
pub use tags::Tags;
pub use templates::{LaunchTemplate, TemplateVersion, resolve};
pub use zones::{Zone, zone_id};

pub(crate) use network::{available_addresses, balancer_groups, gateway_of};

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Launch templates by `lt-…`.
    pub templates: BTreeMap<String, LaunchTemplate>,
    /// Instances by `i-…`; terminated ones remain for an hour.
    pub instances: BTreeMap<String, Instance>,
    /// Availability Zones by name.
    pub zones: BTreeMap<String, Zone>,
    /// VPCs by `vpc-…`.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by `subnet-…`.
    pub subnets: BTreeMap<String, Subnet>,
    /// Internet gateways by `igw-…`.
    pub gateways: BTreeMap<String, InternetGateway>,
    /// Route tables by `rtb-…`.
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Security groups by `sg-…`.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// The zones without capacity for new instances, and when the shortage ends.
    pub zones_without_capacity: BTreeMap<String, Timestamp>,
    /// AMIs by `ami-…`.
    pub amis: BTreeMap<String, Ami>,
    /// Key pairs by `key-…`.
    pub key_pairs: BTreeMap<String, KeyPair>,
    /// Tags by resource, except for instances, which hold their own.
    pub tags: BTreeMap<String, Tags>,
    /// The client tokens that have been used.
    client_tokens: BTreeMap<String, idempotency::TokenUse>,
}

impl State {
    /// Creates the state of a new account: a Region with its zones, Amazon's AMIs and the default VPC.
    pub fn of_region(region: &str) -> State {
        let mut state = State {
            zones: zones::of_region(region).into_iter().collect(),
            amis: images::public(),
            ..State::default()
        };
        network::add_default_vpc(&mut state);
        state
    }

    /// Returns whether a resource of this kind has this id.
    fn has(&self, kind: errors::ResourceKind, id: &str) -> bool {
        match kind {
            errors::VPC => self.vpcs.contains_key(id),
            errors::SUBNET => self.subnets.contains_key(id),
            errors::GATEWAY => self.gateways.contains_key(id),
            errors::ROUTE_TABLE => self.route_tables.contains_key(id),
            errors::SECURITY_GROUP => self.security_groups.contains_key(id),
            errors::SECURITY_RULE => {
                self.security_groups.values().any(|group| group.rules.contains_key(id))
            }
            errors::INSTANCE => self.instances.contains_key(id),
            errors::IMAGE => self.amis.contains_key(id),
            errors::KEY_PAIR => self.key_pairs.contains_key(id),
            errors::LAUNCH_TEMPLATE => self.templates.contains_key(id),
            _ => false,
        }
    }

    /// Removes the tags of resources that no longer exist.
    fn remove_orphaned_tags(&mut self) {
        let kept: BTreeSet<String> = self
            .tags
            .keys()
            .filter(|id| errors::KINDS.iter().any(|kind| self.has(*kind, id)))
            .cloned()
            .collect();
        self.tags.retain(|id, _| kept.contains(id));
    }
}

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
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// A scheduled event of this service.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The program on an instance begins to answer. The event changes no state; it only ends the current
    /// interval of simulated traffic.
    ProgramStarted(String),
    /// The program on an instance exits.
    ProgramCrashed(String),
    /// An instance from RunInstances or StartInstances enters the state running.
    Running(String),
    /// An instance that is being stopped has stopped.
    Stopped(String),
    /// An instance has terminated.
    Terminated(String),
    /// A terminated instance disappears from the listings.
    Removed(String),
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
