//! The state of the world at one moment, as far as the promises need it. Read from the lab directly
//! and never through its API, so that no delay, paging or fault interferes.

use std::collections::{BTreeMap, BTreeSet};

use cutover_lab::services::autoscaling::{Group, LifecycleState, Version};
use cutover_lab::services::elbv2::{Rule, TargetGroup, TargetState};
use cutover_lab::world::World;
use jiff::Timestamp;

use super::{FleetNames, Side};
use cutover_rollout::SCALE_IN_ACTION;

/// A snapshot of the service's fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// By user rule and side.
    pub shares: Vec<Vec<Share>>,
    /// By side: whether any rule except the test rule sends it traffic, even one that is not the
    /// service's.
    pub receives_traffic: Vec<bool>,
    /// By side; `None` for a group that does not exist.
    pub sides: Vec<Option<SideSnapshot>>,
}

/// The share of a rule's traffic that a side receives: `weight` of `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Share {
    pub weight: u64,
    pub total: u64,
}

/// A snapshot of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SideSnapshot {
    pub min: u64,
    pub max: u64,
    pub desired: u64,
    /// Instances, including those being launched or terminated.
    pub members: usize,
    /// The version of the service's template that the group has saved.
    pub saved: Option<u64>,
    /// Healthy targets whose instance is InService, by template version.
    pub ready: BTreeMap<u64, ReadyTargets>,
    /// The versions that the instances not being terminated were launched from; `None` for another
    /// template.
    pub launched: BTreeSet<Option<u64>>,
    /// The version, if every instance in service was launched from the same one, is registered and
    /// healthy, and nothing else is registered.
    pub uniform: Option<u64>,
    /// The ID of the active instance refresh.
    pub refresh: Option<String>,
    /// When cutover's scheduled scale-in of the group is due.
    pub scale_in: Option<Timestamp>,
    /// The MinSize that the scale-in will set.
    pub scale_in_min: Option<u64>,
    /// The highest error rate of the programs on instances in service, in tenths of a percent.
    pub errors: u32,
    /// Whether the program of any of its instances exits by itself.
    pub crashes: bool,
}

/// Ready targets of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ReadyTargets {
    pub targets: u64,
    /// The required zones that have one: bits, in the order of [`FleetNames::zones`].
    pub zones: u64,
}

impl Share {
    /// Whether any traffic comes.
    pub(super) fn is_some(self) -> bool {
        self.weight > 0
    }

    /// Whether all traffic comes.
    pub(super) fn is_all(self) -> bool {
        self.weight > 0 && self.weight == self.total
    }

    /// Whether this is more than `other`.
    pub(super) fn exceeds(self, other: Share) -> bool {
        self.weight * other.total.max(1) > other.weight * self.total.max(1)
    }

    /// Returns ⌈w · D⌉: how many ready targets this share needs if all traffic needs `desired`.
    pub(super) fn enough(self, desired: u64) -> u64 {
        if self.weight == 0 {
            return 0;
        }
        (self.weight * desired).div_ceil(self.total.max(1)).max(1)
    }

    /// Returns the share in percent, for messages.
    pub(super) fn percent(self) -> u64 {
        self.weight * 100 / self.total.max(1)
    }
}

impl Snapshot {
    /// Takes a snapshot of the world.
    pub(super) fn of(world: &World, names: &FleetNames) -> Snapshot {
        let shares = names.rules.iter().map(|rule| shares(world, names, rule)).collect();
        let sides = names.sides.iter().map(|side| {
            let group = world.autoscaling.groups.get(&side.group)?;
            let targets = side.target_group.as_ref();
            let targets = targets.and_then(|arn| world.elbv2.target_groups.get(arn));
            Some(SideSnapshot::of(world, names, group, targets))
        });
        Snapshot { shares, receives_traffic: borne(world, names), sides: sides.collect() }
    }

    /// Returns the largest share that any rule gives to a side.
    pub(super) fn most(&self, side: usize) -> Share {
        let shares = self.shares.iter().map(|rule| rule[side]);
        shares.fold(Share::default(), |most, share| if share.exceeds(most) { share } else { most })
    }

    /// Whether every rule gives all of its traffic to a side.
    pub(super) fn is_all(&self, side: usize) -> bool {
        !self.shares.is_empty() && self.shares.iter().all(|rule| rule[side].is_all())
    }

    /// Returns the side that has all of the traffic in every rule.
    pub(super) fn live(&self) -> Option<usize> {
        (0..self.sides.len()).find(|side| self.is_all(*side))
    }

    /// Returns the larger DesiredCapacity of the groups: D on the way to the new side.
    pub(super) fn largest_desired(&self) -> u64 {
        self.sides.iter().flatten().map(|side| side.desired).max().unwrap_or(0)
    }

    /// Returns D for a rollback to a side: its own DesiredCapacity while it receives more than
    /// half, and never more than its MaxSize
    /// (docs/adr/0010-a-rollback-counts-the-old-sides-own-capacity.md).
    pub(super) fn desired_for_rollback(&self, side: usize) -> u64 {
        let Some(old) = &self.sides[side] else { return 0 };
        let others = (0..self.sides.len()).filter(|other| *other != side);
        let gone = others.map(|other| self.most(other)).any(|s| s.weight * 2 >= s.total.max(1));
        let desired = if gone { self.largest_desired() } else { old.desired };
        desired.min(old.max)
    }

    /// Returns a side's ready targets of a version.
    pub(super) fn ready(&self, side: usize, version: u64) -> ReadyTargets {
        let side = self.sides[side].as_ref();
        side.and_then(|side| side.ready.get(&version)).copied().unwrap_or_default()
    }
}

impl SideSnapshot {
    fn of(
        world: &World,
        names: &FleetNames,
        group: &Group,
        targets: Option<&TargetGroup>,
    ) -> SideSnapshot {
        let mut ready: BTreeMap<u64, ReadyTargets> = BTreeMap::new();
        let mut launched = BTreeSet::new();
        let (mut errors, mut crashes) = (0, false);
        for (id, member) in &group.members {
            if !member.state.is_leaving() {
                let ours = member.template.0 == names.template;
                launched.insert(ours.then_some(member.template.2));
            }
            let program = world.ec2.instances.get(id).map(|instance| &instance.program);
            crashes |= program.is_some_and(|program| program.crash.is_some());
            if member.state != LifecycleState::InService {
                continue;
            }
            let rate = program.map_or(0, |program| (program.error_rate * 1000.0).round() as u32);
            errors = errors.max(rate);
            let target = targets.and_then(|targets| targets.targets.get(id));
            let healthy = target.is_some_and(|target| target.state == TargetState::Healthy);
            if healthy && member.template.0 == names.template {
                let entry = ready.entry(member.template.2).or_default();
                entry.targets += 1;
                if let Some(bit) = names.zones.iter().position(|zone| *zone == member.zone) {
                    entry.zones |= 1 << bit;
                }
            }
        }
        let scale_in = group.scheduled.get(SCALE_IN_ACTION);
        SideSnapshot {
            min: group.min,
            max: group.max,
            desired: group.desired,
            members: group.members.len(),
            saved: match group.template.version {
                Version::Number(number) if group.template.id == names.template => Some(number),
                _ => None,
            },
            uniform: uniform(names, group, targets, &ready),
            ready,
            launched,
            refresh: group.active_refresh().map(|refresh| refresh.id.clone()),
            scale_in: scale_in.map(|action| action.start),
            scale_in_min: scale_in.and_then(|action| action.min),
            errors,
            crashes,
        }
    }

    /// Whether a required zone has no ready target.
    pub(super) fn lacks_zones(ready: ReadyTargets, names: &FleetNames) -> bool {
        ready.zones.count_ones() < names.zones.len() as u32
    }
}

/// Returns the version of all instances in service, if they are exactly the registered targets, and
/// all healthy. Instances of that version that are still being launched don't matter: a group may
/// grow at any moment.
fn uniform(
    names: &FleetNames,
    group: &Group,
    targets: Option<&TargetGroup>,
    ready: &BTreeMap<u64, ReadyTargets>,
) -> Option<u64> {
    let staying = || group.members.values().filter(|m| !m.state.is_leaving());
    let (_, _, version) = &staying().next()?.template;
    let alike = staying().all(|member| {
        member.counts_toward_capacity()
            && member.template.0 == names.template
            && member.template.2 == *version
    });
    let serving =
        staying().filter(|member| member.state == LifecycleState::InService).count() as u64;
    let registered = |targets: &TargetGroup| {
        let on_the_way_in =
            |id: &str| group.members.get(id).is_some_and(|member| member.state.is_launching());
        let staying = targets.targets.iter().filter(|(_, t)| t.state != TargetState::Draining);
        staying.filter(|(id, _)| !on_the_way_in(id)).count() as u64
    };
    let matched = targets.is_none_or(|targets| {
        ready.get(version).is_some_and(|ready| ready.targets == serving)
            && registered(targets) == serving
    });
    (alike && matched).then_some(*version)
}

/// Returns for each side whether any rule of the world sends it traffic.
fn borne(world: &World, names: &FleetNames) -> Vec<bool> {
    let rules =
        || world.elbv2.rules.values().filter(|rule| names.test_rule.as_ref() != Some(&rule.arn));
    let gives = |rule: &Rule, arn: &String| {
        rule.forward().is_some_and(|forward| {
            forward.groups.iter().any(|(group, weight)| group == arn && *weight > 0)
        })
    };
    let bears =
        |side: &Side| side.target_group.as_ref().is_some_and(|arn| rules().any(|r| gives(r, arn)));
    names.sides.iter().map(bears).collect()
}

/// Returns how a rule divides its traffic between the sides. A rule that is gone, or no longer
/// forwards, gives them nothing.
fn shares(world: &World, names: &FleetNames, rule: &str) -> Vec<Share> {
    let forward = world.elbv2.rules.get(rule).and_then(|rule| rule.forward());
    let groups = forward.map(|forward| forward.groups.as_slice()).unwrap_or_default();
    let total = groups.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let share = |arn: Option<&String>| {
        let own = groups.iter().find(|(group, _)| Some(group) == arn);
        Share { weight: own.map_or(0, |(_, weight)| u64::from(*weight)), total }
    };
    names.sides.iter().map(|side| share(side.target_group.as_ref())).collect()
}
