//! Instances: from a launch to their end, and whether the program on them answers.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::errors::SUBNET;
use super::{Event, launch_data, launches, machine_types, network, resolve};
use crate::faults;
use crate::traffic::program::Program;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::{self, World, later};

/// How long a terminated instance is still listed (user guide: about an hour).
const LISTED: Duration = Duration::from_secs(3600);

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Being started.
    Pending,
    /// Running, whatever its program does.
    Running,
    /// Being ended.
    ShuttingDown,
    /// Gone.
    Terminated,
    /// Being stopped.
    Stopping,
    /// Stopped: it can be started again.
    Stopped,
}

impl InstanceState {
    /// The code and name in an answer (API model).
    pub fn code(self) -> (i64, &'static str) {
        match self {
            InstanceState::Pending => (0, "pending"),
            InstanceState::Running => (16, "running"),
            InstanceState::ShuttingDown => (32, "shutting-down"),
            InstanceState::Terminated => (48, "terminated"),
            InstanceState::Stopping => (64, "stopping"),
            InstanceState::Stopped => (80, "stopped"),
        }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its Availability Zone.
    pub zone: String,
    /// Its subnet.
    pub subnet: String,
    /// Its address in the subnet.
    pub private_ip: String,
    /// Its public address, if it has one.
    pub public_ip: Option<String>,
    /// Its security groups.
    pub groups: Vec<String>,
    /// When it was launched.
    pub launched: Timestamp,
    /// When its program begins to answer; none if it never does, or no longer.
    pub answers_from: Option<Timestamp>,
    /// Where it is in its life.
    pub state: InstanceState,
    /// What it runs.
    pub program: Program,
    /// When it last began to run; none before that. Its status checks are counted from here.
    pub runs_since: Option<Timestamp>,
    /// The launch template's id and the version; an empty id for a launch without one.
    pub template: (String, u64),
    /// The launch template data that it was launched with.
    pub data: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether a request to an instance gets an answer: it runs, its program has booted and not ended,
/// and its zone is alive. A health check passes if the program is healthy besides.
pub fn answers(world: &World, instance_id: &str) -> bool {
    world.ec2.instances.get(instance_id).is_some_and(|instance| {
        instance.state == InstanceState::Running
            && instance.answers_from.is_some_and(|from| from <= world.now)
            && world.ec2.zones.get(&instance.zone).is_none_or(|zone| zone.alive)
    })
}

/// Launches an instance in a subnet from a launch template's version. It is pending until
/// [`run`]; its program answers `starts_in` plus its own boot time from now. It gets `tags`, and those of
/// the launch template. The errors are those of RunInstances.
pub fn launch(
    world: &mut World,
    template: (&str, u64),
    subnet: &str,
    tags: BTreeMap<String, String>,
    starts_in: Duration,
) -> ApiResult<String> {
    let (template_id, number) = template;
    let found = resolve(&world.ec2, Some(template_id), None)?;
    let number = found.number(Some(&number.to_string()))?;
    let data = found.versions.get(&number).map_or(Value::Null, |version| version.data.clone());
    begin(
        world,
        Launch { data, template: (template_id.to_owned(), number), subnet, tags, starts_in },
    )
}

/// What an instance is launched from.
pub(super) struct Launch<'a> {
    /// Launch template data, in the names of an answer.
    pub(super) data: Value,
    /// Where it comes from; an empty id for none.
    pub(super) template: (String, u64),
    /// The subnet.
    pub(super) subnet: &'a str,
    /// Tags besides those of the data.
    pub(super) tags: BTreeMap<String, String>,
    /// How long until it runs.
    pub(super) starts_in: Duration,
}

/// Launches one instance.
pub(super) fn begin(world: &mut World, launch: Launch<'_>) -> ApiResult<String> {
    let Launch { data, template, subnet, mut tags, starts_in } = launch;
    let groups = launches::check(world, &data, subnet)?;
    let machine = data.str("instanceType").unwrap_or(machine_types::DEFAULT).to_owned();
    if let Some(zone) = world.ec2.subnets.get(subnet).map(|place| place.zone.clone()) {
        capacity(world, &zone, &machine)?;
    }
    let Some(place) = world.ec2.subnets.get_mut(subnet) else { return Err(SUBNET.missing(subnet)) };
    let interface = data.list("networkInterfaceSet").first();
    let public = interface.and_then(|i| i.bool("associatePublicIpAddress")).unwrap_or(place.public);
    let (zone, private_ip) = (place.zone.clone(), place.next_address());
    let mut program = Program::from_user_data(&launch_data::user_data(&data), &world.registry);
    faults::spoil(&world.faults, &mut program);
    for (key, value) in launch_data::instance_tags(&data) {
        tags.entry(key).or_insert(value);
    }
    let id = world.ids.ec2("i");
    let instance = Instance {
        zone,
        subnet: subnet.to_owned(),
        private_ip,
        public_ip: public.then(|| network::public_address(&id)),
        groups,
        launched: world.now,
        answers_from: None,
        state: InstanceState::Pending,
        program,
        runs_since: None,
        template,
        data,
        tags,
    };
    world.ec2.instances.insert(id.clone(), instance);
    boot(world, &id, starts_in);
    Ok(id)
}

/// Lets the program of an instance start: it answers `starts_in` plus its own boot time from now.
pub(super) fn boot(world: &mut World, id: &str, starts_in: Duration) {
    let now = world.now;
    let Some(instance) = world.ec2.instances.get_mut(id) else { return };
    let program = &instance.program;
    instance.answers_from = program.runs().then(|| later(now, starts_in + program.boot));
    let crash = program.crash;
    if let Some(at) = instance.answers_from {
        world.queue.push(at, world::Event::Ec2(Event::Booted(id.to_owned())));
        if let Some(lives) = crash {
            world.queue.push(later(at, lives), world::Event::Ec2(Event::Crashed(id.to_owned())));
        }
    }
}

/// Whether the account and a zone have room for another instance. A lost zone has none (a guess: it is what callers
/// report of such days).
fn capacity(world: &World, zone: &str, machine: &str) -> ApiResult<()> {
    let counts = |i: &&Instance| i.state != InstanceState::Terminated;
    if world.ec2.instances.values().filter(counts).count() >= world.params.instance_quota {
        return Err(ApiError::sender(
            "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        ));
    }
    let short = |zone: &str| {
        world.ec2.shortage.get(zone).is_some_and(|until| *until > world.now)
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

/// A pending instance runs from now on.
pub fn run(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id)
        && instance.state == InstanceState::Pending
    {
        instance.state = InstanceState::Running;
        instance.runs_since = Some(world.now);
    }
}

/// Ends an instance: its program stops at once, the instance is gone after `Params::terminate`.
pub fn terminate(world: &mut World, instance_id: &str) {
    let gone = later(world.now, world.params.terminate);
    if let Some(instance) = world.ec2.instances.get_mut(instance_id)
        && !matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated)
    {
        instance.state = InstanceState::ShuttingDown;
        world.queue.push(gone, world::Event::Ec2(Event::Terminated(instance_id.to_owned())));
    }
}

/// A zone is lost, or back. Nothing in a lost zone answers; what still runs there when it is back
/// boots anew.
pub fn lose_zone(world: &mut World, name: &str, lost: bool) {
    let Some(zone) = world.ec2.zones.get_mut(name) else { return };
    let back = !zone.alive && !lost;
    zone.alive = !lost;
    if !back {
        return;
    }
    for (id, instance) in &mut world.ec2.instances {
        if instance.zone == name && instance.answers_from.is_some() {
            let at = later(world.now, instance.program.boot);
            instance.answers_from = Some(at);
            world.queue.push(at, world::Event::Ec2(Event::Booted(id.clone())));
        }
    }
}

/// Every program of this version is again as its image says, or as the weather wants it.
pub fn reload(world: &mut World, version: &str) {
    for instance in world.ec2.instances.values_mut() {
        if instance.program.version == version {
            let user_data = launch_data::user_data(&instance.data);
            instance.program = Program::from_user_data(&user_data, &world.registry);
            faults::spoil(&world.faults, &mut instance.program);
        }
    }
}

pub(super) fn crashed(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id) {
        instance.answers_from = None;
    }
}

pub(super) fn terminated(world: &mut World, instance_id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(instance_id) {
        instance.state = InstanceState::Terminated;
        let event = world::Event::Ec2(Event::Forgotten(instance_id.to_owned()));
        world.queue.push(later(world.now, LISTED), event);
    }
}
