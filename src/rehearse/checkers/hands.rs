//! Promise 6, it does not fight: a run touches only what the configuration names, writes back no
//! remembered capacity, lowers only what it had raised, and gives way to other hands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover_lab::services::autoscaling::{TemplateSpec, Version};
use cutover_lab::services::elbv2::{Action, ActionKind};
use cutover_lab::world::{World, later};

use super::before::actions;
use super::blind::earlier;
use super::call::Call;
use super::touch::Touch;
use super::truth::Truth;
use super::{FleetNames, Found, Scene};
use crate::rollout::RETIREMENT;

pub(super) const PROMISE: &str = "6 it does not fight";

/// How often a run may write weights that a hand has changed since (three relapses, and the first).
const FIGHTS: u32 = 4;

/// AWS keeps whole seconds, and a decision takes its time.
const SOON: Duration = Duration::from_secs(10);

/// What runs have written.
#[derive(Debug)]
pub(super) struct Restraint {
    /// By side: the MinSizes that runs, and retirements of their making, have written.
    wrote: Vec<BTreeSet<u64>>,
    /// The sides whose MinSize runs have written since the rollout began.
    rewritten: BTreeSet<usize>,
    /// Instance refreshes that runs have started.
    refreshes: BTreeSet<String>,
    /// Launch template versions that are the service's own making.
    versions: BTreeSet<u64>,
    /// How many of them runs have made under these eyes.
    made: usize,
    /// The newest version, by whomever.
    latest: u64,
    /// The rules' actions, and whether a hand wrote them.
    rules: BTreeMap<String, (Vec<Action>, bool)>,
    /// By run and rule: how often it wrote over a hand's weights.
    fights: BTreeMap<(String, String), u32>,
}

impl Restraint {
    pub(super) fn new(world: &World, names: &FleetNames, truth: &Truth) -> Restraint {
        let of_side = |side: usize| truth.sides[side].as_ref().and_then(|side| side.retires_to);
        let mark = format!("cutover {} ", names.service);
        let versions = world.ec2.templates.get(&names.template).map(|template| &template.versions);
        let ours = versions.into_iter().flatten().filter(|(_, version)| {
            version.description.as_ref().is_some_and(|text| text.starts_with(&mark))
        });
        Restraint {
            wrote: (0..truth.sides.len()).map(|side| of_side(side).into_iter().collect()).collect(),
            rewritten: BTreeSet::new(),
            refreshes: BTreeSet::new(),
            versions: ours.map(|(number, _)| *number).collect(),
            made: 0,
            latest: world.ec2.templates.get(&names.template).map_or(0, |template| template.latest),
            rules: actions(world, names).into_iter().map(|(arn, is)| (arn, (is, false))).collect(),
            fights: BTreeMap::new(),
        }
    }

    /// How many launch template versions runs have made.
    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// A rollout begins.
    pub(super) fn begins(&mut self) {
        self.rewritten.clear();
    }

    /// Whether a run has written a side's MinSize since the rollout began.
    pub(super) fn rewrote(&self, side: usize) -> bool {
        self.rewritten.contains(&side)
    }

    /// A change, by whomever.
    pub(super) fn call(&mut self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        if let Some(wrong) = self.wrong(scene, call).filter(|_| call.is_run()) {
            let what = format!("{} sent {}: {wrong}", call.sender, call.operation);
            found.tell(PROMISE, scene.world.now, what);
        }
        if call.rule().is_some() {
            self.rule(scene, call, found);
        }
    }

    /// What is wrong with a change, if a run sends it. Notes what it wrote.
    fn wrong(&mut self, scene: &Scene<'_>, call: &Call) -> Option<String> {
        match (call.service.as_str(), call.operation.as_str()) {
            ("autoscaling", _) => {
                let group = call.group().unwrap_or_default();
                match scene.names.side(group) {
                    Some(side) => self.group(scene, call, side),
                    None => Some(format!("{group} is not a group of the service")),
                }
            }
            ("elasticloadbalancing", "ModifyRule" | "ModifyListener") => {
                let named = scene.names.rules.iter().chain(&scene.names.test_rule);
                let rule = call.rule().and_then(|arn| scene.names.rule(scene.world, arn));
                let known = named.clone().any(|named| Some(named) == rule.as_ref());
                (!known).then(|| format!("{rule:?} is not a rule of the service"))
            }
            ("ec2", "CreateLaunchTemplateVersion") => self.version(scene, call),
            ("ec2", "DeleteLaunchTemplateVersions") => self.orphan(scene, call),
            ("ssm", "PutParameter" | "DeleteParameter" | "DeleteParameters") => {
                let ledger = scene.names.ledger();
                let named = call.field("Name").into_iter().chain(call.list("Names"));
                let mut others = named.filter(|name| !name.starts_with(&ledger));
                others.next().map(|name| format!("{name} is not of the ledger"))
            }
            ("ecr" | "registry" | "sts" | "github" | "site" | "lab", _) => None,
            (service, _) => Some(format!("nothing of {service} is for a rollout to change")),
        }
    }

    fn group(&mut self, scene: &Scene<'_>, call: &Call, side: usize) -> Option<String> {
        let is_pair = scene.names.sides.len() == 2;
        let was = scene.was.sides[side].as_ref()?;
        match call.operation.as_str() {
            "UpdateAutoScalingGroup" => self.size(scene, call, side),
            "StartInstanceRefresh" => {
                let is = scene.is.sides[side].as_ref()?;
                if call.done && call.is_run() {
                    self.refreshes.extend(is.refresh.clone());
                }
                let wanted = call.launches();
                let Some((template, version)) = wanted else {
                    return Some("it does not say what to launch".to_owned());
                };
                let known = scene.world.ec2.templates.get(&scene.names.template)?;
                if template != known.id && template != known.name {
                    return Some(format!("{template} is not the service's launch template"));
                }
                let numbered = version.parse::<u64>().is_ok();
                (!numbered).then(|| format!("`{version}` is not the number of a version"))
            }
            "CancelInstanceRefresh" | "RollbackInstanceRefresh" => {
                let refreshes = Touch::Refresh(scene.names.sides[side].group.clone());
                let looked = scene.runs.get(&call.sender)?.read.refreshes.by(call.sent);
                // Neither call names a refresh: a hand's may have taken the place of ours unseen.
                let unseen = looked.is_some_and(|looked| {
                    let since = earlier(looked, scene.tolerance.staleness);
                    scene.hands.touched_since(&refreshes, since)
                });
                let others = was.refresh.as_ref().filter(|id| !self.refreshes.contains(*id));
                others.filter(|_| !unseen).map(|id| format!("{id} is not a refresh of ours"))
            }
            "PutScheduledUpdateGroupAction" | "DeleteScheduledAction" => {
                let name = call.field("ScheduledActionName").unwrap_or_default();
                if call.is_run() {
                    self.wrote[side].extend(call.number("MinSize"));
                }
                if name != RETIREMENT || !is_pair {
                    return Some(format!("`{name}` is not a scheduled action of ours"));
                }
                if let Some(max) = call.field("MaxSize") {
                    return Some(format!("a maximum of {max}"));
                }
                // The group shrinks to its minimum, or it would not be retired.
                let (min, desired) = (call.number("MinSize"), call.number("DesiredCapacity"));
                if call.operation.starts_with("Put") && (min.is_none() || min != desired) {
                    return Some(format!("it retires to a minimum of {min:?}, but to {desired:?}"));
                }
                too_early(scene, call, side)
            }
            _ => Some("no rollout needs that".to_owned()),
        }
    }

    /// MinSize alone: raised to what a group wants now, lowered only from what we wrote. The one
    /// exception is a group that had been empty, and is again.
    fn size(&mut self, scene: &Scene<'_>, call: &Call, side: usize) -> Option<String> {
        const MEMBERS: &[&str] =
            &["Action", "Version", "AutoScalingGroupName", "MinSize", "DesiredCapacity"];
        if let Some(other) = call.names().find(|name| !MEMBERS.contains(name)) {
            return Some(format!("{other} is nobody's here"));
        }
        // Where the sides may have been turned round, the other one was.
        let parts = if scene.home.is_none() { 0..scene.names.sides.len() } else { side..side + 1 };
        let was_empty =
            |part: usize| scene.before.truth.sides[part].as_ref().is_some_and(|s| s.desired == 0);
        let idle = !scene.was.most(side).is_some() && scene.names.sides.len() == 2;
        if let Some(desired) = call.number("DesiredCapacity")
            && !(idle
                && parts
                    .into_iter()
                    .any(|part| was_empty(part) && scene.before.minimums(part).contains(&desired)))
        {
            return Some(format!("a remembered capacity of {desired}"));
        }
        let min = call.number("MinSize")?;
        let run = scene.runs.get(&call.sender);
        let Some(looked) = run.and_then(|run| run.read.groups.by(call.sent)) else {
            return Some("it never looked at the groups".to_owned());
        };
        let from = earlier(looked, scene.tolerance.staleness);
        let seen = || scene.past.since(from).filter_map(|truth| truth.sides[side].as_ref());
        let wrote = &self.wrote[side];
        let lowers = seen().all(|side| side.min > min);
        let ours = seen().any(|side| wrote.contains(&side.min));
        let raises = seen().all(|side| side.min < min);
        let wanted = scene.past.since(from).flat_map(|truth| truth.sides.iter().flatten());
        let wanted = wanted.map(|side| side.desired).max().unwrap_or(0);
        let known = (0..self.wrote.len()).any(|side| scene.before.minimums(side).contains(&min));
        if call.is_run() {
            self.wrote[side].insert(min);
            self.rewritten.insert(side);
        }
        if lowers && !ours {
            let reads = scene.was.sides[side].as_ref().map_or(0, |side| side.min);
            return Some(format!("it lowers a minimum of {reads}, which no run wrote, to {min}"));
        }
        (raises && min > wanted && !known).then(|| {
            format!("it raises the minimum to {min}, where no group wants more than {wanted}")
        })
    }

    fn version(&mut self, scene: &Scene<'_>, call: &Call) -> Option<String> {
        let template = scene.world.ec2.templates.get(&scene.names.template)?;
        let of_template = call.field("LaunchTemplateId") == Some(&template.id)
            || call.field("LaunchTemplateName") == Some(&template.name);
        if !of_template {
            return Some("it is not the service's launch template".to_owned());
        }
        // A retry by the same token is answered with the version that there is.
        let is_new = template.latest > self.latest;
        self.latest = template.latest;
        if call.done && call.is_run() && is_new {
            self.versions.insert(template.latest);
            self.made += 1;
        }
        None
    }

    /// Only a version of our own making that nothing launches from.
    fn orphan(&self, scene: &Scene<'_>, call: &Call) -> Option<String> {
        let template = scene.world.ec2.templates.get(&scene.names.template)?;
        let gone = call.list("LaunchTemplateVersion").filter_map(|text| text.parse::<u64>().ok());
        let mut gone = gone.filter(|number| !template.versions.contains_key(number));
        let groups = || scene.world.autoscaling.groups.values();
        gone.find_map(|number| {
            let saved = |template: &TemplateSpec| {
                template.id == scene.names.template && template.version == Version::Number(number)
            };
            let named = groups().any(|group| saved(&group.template));
            let runs = groups().flat_map(|group| group.members.values()).any(|member| {
                member.template.0 == scene.names.template && member.template.2 == number
            });
            let stranger = !self.versions.contains(&number);
            (named || runs || stranger).then(|| format!("version {number} is no orphan of ours"))
        })
    }

    /// Keeps what is around the forward, and does not fight over weights.
    fn rule(&mut self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        let Some(arn) = call.rule().and_then(|arn| scene.names.rule(scene.world, arn)) else {
            return;
        };
        let Some(is) = scene.world.elbv2.rules.get(&arn).map(|rule| rule.actions.clone()) else {
            return;
        };
        let by_hand = !call.is_run();
        let Some((was, was_by_hand)) = self.rules.insert(arn.clone(), (is.clone(), by_hand)) else {
            return;
        };
        if was == is {
            self.rules.insert(arn, (is, was_by_hand));
            return;
        }
        if by_hand {
            return;
        }
        // What is given to others while the request is on its way goes with it.
        let looked = scene.runs.get(&call.sender).and_then(|run| run.read.rules.by(call.sent));
        let unseen = looked.is_none_or(|looked| {
            let since = earlier(looked, scene.tolerance.staleness);
            scene.hands.touched_since(&Touch::Rule(arn.clone()), since)
        });
        let thirds = |actions| thirds(actions, scene.names);
        if thirds(&was) != thirds(&is) && !unseen {
            let what = format!("{} took a rule's traffic from another target group", call.sender);
            found.tell(PROMISE, scene.world.now, what);
        }
        if around(&was) != around(&is) {
            let what = format!("{} changed more of a rule than its forward", call.sender);
            found.tell(PROMISE, scene.world.now, what);
        }
        if was_by_hand {
            let fights = self.fights.entry((call.sender.clone(), arn)).or_default();
            *fights += 1;
            if *fights == FIGHTS + 1 {
                let what = format!("{} keeps writing over another hand's weights", call.sender);
                found.tell(PROMISE, scene.world.now, what);
            }
        }
    }
}

/// Whether a retirement comes before the rollback window has passed. One that was planned before the
/// rollout keeps its time.
fn too_early(scene: &Scene<'_>, call: &Call, side: usize) -> Option<String> {
    let start = call.field("StartTime")?.parse::<jiff::Timestamp>().ok()?;
    let window = scene.names.retires?;
    let planned = scene.before.truth.sides[side].as_ref()?.retirement;
    let early = later(start, SOON) < later(call.sent, window);
    (early && planned.is_none_or(|planned| start < planned)).then(|| {
        format!("it retires at {start}, within the {} s that it was to stay warm", window.as_secs())
    })
}

/// What a rule gives to target groups that are not the service's.
fn thirds(actions: &[Action], names: &FleetNames) -> Vec<(String, u32)> {
    let ours =
        |arn: &String| names.sides.iter().any(|side| side.target_group.as_ref() == Some(arn));
    let forwards = actions.iter().filter_map(|action| action.as_forward());
    let groups = forwards.flat_map(|forward| &forward.groups);
    let mut thirds: Vec<_> = groups.filter(|(arn, _)| !ours(arn)).cloned().collect();
    thirds.retain(|(_, weight)| *weight > 0);
    thirds.sort();
    thirds
}

/// A rule's actions without the forward.
fn around(actions: &[Action]) -> Vec<&Action> {
    actions.iter().filter(|action| !matches!(action.kind, ActionKind::Forward(_))).collect()
}
