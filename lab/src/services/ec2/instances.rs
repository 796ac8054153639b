//! Instances: launch, termination, and whether the program on them answers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::errors::SUBNET;
use super::instance::{Instance, InstanceState};
use super::state::Event;
use super::template_request::resolve;
use super::{instance_types, launch_check, launch_data, network};
use crate::traffic::program::Program;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::{self, World, later};

/// How long a terminated instance remains listed (user guide: about an hour).
const LISTED: Duration = Duration::from_secs(3600);

/// Returns whether a request to an instance gets a response: the instance is running, its program has
/// booted and not exited, and its zone isn't lost. A health check passes only if the program is also healthy.
pub fn is_responding(world: &World, instance_id: &str) -> bool {
    world.ec2.instances.get(instance_id).is_some_and(|instance| {
        instance.state == InstanceState::Running
            && instance.responds_from.is_some_and(|from| from <= world.now)
            && world.ec2.zones.get(&instance.zone).is_none_or(|zone| zone.alive)
    })
}

/// Launches an instance in a subnet from a version of a launch template, and returns its id. It is pending
/// until [`mark_running`]; its program answers after `starts_in` plus its own boot time. It gets `tags` and those of
/// the launch template; `tags` take precedence. Errors: those of RunInstances.
pub fn launch(
    world: &mut World,
    template: (&str, u64),
    subnet: &str,
    tags: BTreeMap<String, String>,
    starts_in: Duration,
) -> ApiResult<String> {
    let (template_id, number) = template;
    let found = resolve(&world.ec2, Some(template_id), None)?;
    let number = found.resolve_version(Some(&number.to_string()))?;
    let data = found.versions.get(&number).map_or(Value::Null, |version| version.data.clone());
    launch_instance(
        world,
        LaunchSpec { data, template: (template_id.to_owned(), number), subnet, tags, starts_in },
    )
}

/// The parameters of one launch.
pub(super) struct LaunchSpec<'a> {
    /// Launch template data, with the member names of responses.
    pub(super) data: Value,
    /// The id and version of the launch template; an empty id for none.
    pub(super) template: (String, u64),
    /// The id of the subnet.
    pub(super) subnet: &'a str,
    /// Tags in addition to those of the data; these take precedence.
    pub(super) tags: BTreeMap<String, String>,
    /// The time until it runs.
    pub(super) starts_in: Duration,
}

/// Launches one instance and returns its id.
pub(super) fn launch_instance(world: &mut World, launch: LaunchSpec<'_>) -> ApiResult<String> {
    let LaunchSpec { data, template, subnet, mut tags, starts_in } = launch;
    let groups = launch_check::check_launch(world, &data, subnet)?;
    let machine = data.str("instanceType").unwrap_or(instance_types::DEFAULT).to_owned();
    if let Some(zone) = world.ec2.subnets.get(subnet).map(|place| place.zone.clone()) {
        capacity(world, &zone, &machine)?;
    }
    let Some(place) = world.ec2.subnets.get_mut(subnet) else {
        return Err(SUBNET.not_found(subnet));
    };
    let interface = data.list("networkInterfaceSet").first();
    let public =
        interface.and_then(|i| i.bool("associatePublicIpAddress")).unwrap_or(place.map_public_ip);
    let (zone, private_ip) = (place.zone.clone(), place.next_address());
    let mut program = Program::from_user_data(&launch_data::user_data(&data), &world.registry);
    world.faults.apply_misbehavior(&mut program);
    for (key, value) in launch_data::instance_tags(&data) {
        tags.entry(key).or_insert(value);
    }
    let id = world.ids.ec2("i");
    let instance = Instance {
        zone,
        subnet: subnet.to_owned(),
        private_ip,
        public_ip: public.then(|| network::public_address(&id)),
        security_groups: groups,
        launched: world.now,
        responds_from: None,
        state: InstanceState::Pending,
        program,
        running_since: None,
        template,
        data,
        tags,
    };
    world.ec2.instances.insert(id.clone(), instance);
    boot(world, &id, starts_in);
    Ok(id)
}

/// Starts the program of an instance: it answers after `starts_in` plus its own boot time.
pub(super) fn boot(world: &mut World, id: &str, starts_in: Duration) {
    let now = world.now;
    let Some(instance) = world.ec2.instances.get_mut(id) else { return };
    let program = &instance.program;
    instance.responds_from = program.is_runnable().then(|| later(now, starts_in + program.boot));
    let crash = program.crash;
    if let Some(at) = instance.responds_from {
        world.queue.push(at, world::Event::Ec2(Event::ProgramStarted(id.to_owned())));
        if let Some(lives) = crash {
            world
                .queue
                .push(later(at, lives), world::Event::Ec2(Event::ProgramCrashed(id.to_owned())));
        }
    }
}

/// Checks that the account's quota and the zone's capacity allow another instance. A lost zone has no capacity
/// (a guess, based on users' reports of zone outages).
fn capacity(world: &World, zone: &str, machine: &str) -> ApiResult<()> {
    let counts = |i: &&Instance| i.state != InstanceState::Terminated;
    if world.ec2.instances.values().filter(counts).count() >= world.params.instance_quota {
        return Err(ApiError::sender(
            "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        ));
    }
    let short = |zone: &str| {
        world.ec2.zones_without_capacity.get(zone).is_some_and(|until| *until > world.now)
            || world.ec2.zones.get(zone).is_some_and(|zone| !zone.alive)
    };
    if !short(zone) {
        return Ok(());
    }
    let others: Vec<&str> =
        world.ec2.zones.keys().map(String::as_str).filter(|zone| !short(zone)).collect();
    let elsewhere = match others.is_empty() {
        true => String::new(),
        false => format!(
            " You can currently get {machine} capacity by not specifying an Availability Zone in your request or choosing {}.",
            others.join(", ")
        ),
    };
    Err(ApiError::receiver(
        "InsufficientInstanceCapacity",
        format!(
            "We currently do not have sufficient {machine} capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity.{elsewhere}"
        ),
    ))
}

/// Moves a pending instance to the state running.
pub fn mark_running(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id)
        && instance.state == InstanceState::Pending
    {
        instance.state = InstanceState::Running;
        instance.running_since = Some(world.now);
    }
}

/// Terminates an instance: its program stops at once; the state is terminated after `Params::terminate`.
pub fn terminate(world: &mut World, instance_id: &str) {
    let gone = later(world.now, world.params.terminate);
    if let Some(instance) = world.ec2.instances.get_mut(instance_id)
        && !matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated)
    {
        instance.state = InstanceState::ShuttingDown;
        world.queue.push(gone, world::Event::Ec2(Event::Terminated(instance_id.to_owned())));
    }
}

/// Marks a zone as lost, or as back. Nothing in a lost zone answers; when it is back, the programs of its
/// remaining instances boot again.
pub fn set_zone_lost(world: &mut World, name: &str, lost: bool) {
    let Some(zone) = world.ec2.zones.get_mut(name) else { return };
    let back = !zone.alive && !lost;
    zone.alive = !lost;
    if !back {
        return;
    }
    for (id, instance) in &mut world.ec2.instances {
        if instance.zone == name && instance.responds_from.is_some() {
            let at = later(world.now, instance.program.boot);
            instance.responds_from = Some(at);
            world.queue.push(at, world::Event::Ec2(Event::ProgramStarted(id.clone())));
        }
    }
}

/// Resets every program of this version to what its image says, and applies the injected faults again.
pub fn reload_programs(world: &mut World, version: &str) {
    for instance in world.ec2.instances.values_mut() {
        if instance.program.version == version {
            let user_data = launch_data::user_data(&instance.data);
            instance.program = Program::from_user_data(&user_data, &world.registry);
            world.faults.apply_misbehavior(&mut instance.program);
        }
    }
}

pub(super) fn mark_crashed(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id) {
        instance.responds_from = None;
    }
}

pub(super) fn mark_terminated(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id) {
        instance.state = InstanceState::Terminated;
        let event = world::Event::Ec2(Event::Removed(instance_id.to_owned()));
        world.queue.push(later(world.now, LISTED), event);
    }
}
