//! EC2: launch templates, and the instances that Auto Scaling launches from them.

mod describe;
mod instances;
mod launch_data;
mod places;
mod templates;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

pub use instances::{Instance, InstanceState, answers, launch, lose_zone, reload, run, terminate};
pub use places::{Machine, Subnet, Zone};
pub use templates::{LaunchTemplate, TemplateVersion, resolve};

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Launch templates by `lt-…`.
    pub templates: BTreeMap<String, LaunchTemplate>,
    /// Instances by `i-…`; terminated ones stay for an hour.
    pub instances: BTreeMap<String, Instance>,
    /// Availability Zones by name.
    pub zones: BTreeMap<String, Zone>,
    /// Subnets by `subnet-…`.
    pub subnets: BTreeMap<String, Subnet>,
    /// Zones without capacity for new instances, and until when.
    pub shortage: BTreeMap<String, Timestamp>,
    /// Machine images by `ami-…`.
    pub machines: BTreeMap<String, Machine>,
    /// Client tokens already used.
    tokens: BTreeMap<String, templates::Used>,
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
    match call.operation.as_str() {
        "CreateLaunchTemplate" => templates::create(world, call),
        "ModifyLaunchTemplate" => templates::modify(world, input),
        "DescribeLaunchTemplates" => templates::describe(world, input),
        "CreateLaunchTemplateVersion" => versions::create(world, call),
        "DescribeLaunchTemplateVersions" => versions::describe(world, input),
        "DeleteLaunchTemplateVersions" => versions::delete(world, input),
        "DescribeInstances" => describe::instances(world, input),
        "DescribeAvailabilityZones" => places::describe_zones(world, input),
        "DescribeSubnets" => places::describe_subnets(world, input),
        "DescribeImages" => places::describe_images(world, input),
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
        Event::Terminated(id) => instances::terminated(world, id),
        Event::Forgotten(id) => {
            world.ec2.instances.remove(id);
        }
    }
}

/// Whether a resource passes EC2's `Filter` list, where `field` gives its values of a filter.
fn passes(input: &Value, field: impl Fn(&str) -> Vec<String>) -> bool {
    input.list("Filter").iter().all(|filter| {
        let wanted = filter.strings("Value");
        filter.str("Name").is_none_or(|name| field(name).iter().any(|is| wanted.contains(is)))
    })
}
