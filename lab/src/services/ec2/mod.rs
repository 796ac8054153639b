//! EC2: the network, launch templates, and instances, launched by Auto Scaling or by hand.

mod describe;
mod errors;
mod idempotence;
mod images;
mod instances;
mod key_pairs;
mod launch_data;
mod launches;
mod lifecycle;
mod listing;
mod machine_types;
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

pub use images::{Machine, public as public_machines, public_parameters};
pub use instances::{Instance, InstanceState, answers, launch, lose_zone, reload, run, terminate};
pub use key_pairs::KeyPair;
pub use network::{
    Gateway, Peer, RouteTable, SecurityGroup, SecurityRule, Subnet, Via, Vpc, VpcSpec, create_vpc,
    leftovers,
};
pub use tags::Tags;
pub use templates::{LaunchTemplate, TemplateVersion, resolve};
pub use zones::{Zone, zone_id};

pub(crate) use network::{balancer_groups, free_addresses, gateway_of};

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Launch templates by `lt-…`.
    pub templates: BTreeMap<String, LaunchTemplate>,
    /// Instances by `i-…`; terminated ones stay for an hour.
    pub instances: BTreeMap<String, Instance>,
    /// Availability Zones by name.
    pub zones: BTreeMap<String, Zone>,
    /// VPCs by `vpc-…`.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by `subnet-…`.
    pub subnets: BTreeMap<String, Subnet>,
    /// Internet gateways by `igw-…`.
    pub gateways: BTreeMap<String, Gateway>,
    /// Route tables by `rtb-…`.
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Security groups by `sg-…`.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// Zones without capacity for new instances, and until when.
    pub shortage: BTreeMap<String, Timestamp>,
    /// Machine images by `ami-…`.
    pub machines: BTreeMap<String, Machine>,
    /// Key pairs by `key-…`.
    pub key_pairs: BTreeMap<String, KeyPair>,
    /// Tags by resource; those of instances are with the instances.
    pub tags: BTreeMap<String, Tags>,
    /// Client tokens already used.
    tokens: BTreeMap<String, idempotence::Used>,
}

impl State {
    /// EC2 in a new account: a Region with its zones, Amazon's machine images and the default VPC.
    pub fn of_region(region: &str) -> State {
        let mut state = State {
            zones: zones::of_region(region).into_iter().collect(),
            machines: images::public(),
            ..State::default()
        };
        network::begin(&mut state);
        state
    }

    /// Whether there is a resource of this kind and identifier.
    fn has(&self, kind: errors::Kind, id: &str) -> bool {
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
            errors::IMAGE => self.machines.contains_key(id),
            errors::KEY_PAIR => self.key_pairs.contains_key(id),
            errors::LAUNCH_TEMPLATE => self.templates.contains_key(id),
            _ => false,
        }
    }

    /// Drops the tags of what is gone.
    fn forget_tags(&mut self) {
        let kept: BTreeSet<String> = self
            .tags
            .keys()
            .filter(|id| errors::KINDS.iter().any(|kind| self.has(*kind, id)))
            .cloned()
            .collect();
        self.tags.retain(|id, _| kept.contains(id));
    }
}

/// Answers one call.
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
        "DescribeInstanceTypes" => machine_types::describe(world, input),
        "DescribeInstanceTypeOfferings" => machine_types::offerings(world, input),
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

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The program on an instance begins to answer. Nothing is written, but no interval of traffic
    /// spans it.
    Booted(String),
    /// The program on an instance ends.
    Crashed(String),
    /// An instance that was launched or started by hand runs.
    Running(String),
    /// An instance that is being stopped has stopped.
    Stopped(String),
    /// An instance is gone.
    Terminated(String),
    /// A terminated instance is no longer listed.
    Forgotten(String),
}

/// Lets `event` happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Booted(_) => {}
        Event::Crashed(id) => instances::crashed(world, id),
        Event::Running(id) => instances::run(world, id),
        Event::Stopped(id) => lifecycle::stopped(world, id),
        Event::Terminated(id) => instances::terminated(world, id),
        Event::Forgotten(id) => {
            world.ec2.instances.remove(id);
        }
    }
}
