//! Promise 6, it does not fight: a run changes only what the configuration names, never writes back
//! a remembered capacity, lowers only what it had raised, and yields to external changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover_lab::services::autoscaling::{TemplateSpec, Version};
use cutover_lab::services::elbv2::{Action, ActionKind};
use cutover_lab::world::{World, later};

use super::call::Call;
use super::external::ExternalChange;
use super::initial::actions;
use super::readiness::earlier;
use super::snapshot::Snapshot;
use super::{CheckContext, FleetNames, Violations};
use cutover_rollout::SCALE_IN_ACTION;

pub(super) const PROMISE: &str = "6 it does not fight";

/// How often a run may overwrite weights that an operator has set since: the first time, and three
/// more.
const FIGHTS: u32 = 4;

/// AWS stores whole seconds, and a decision takes a moment.
const SOON: Duration = Duration::from_secs(10);

/// What runs have written, and external changes that they must not overwrite.
#[derive(Debug)]
pub(super) struct InterferenceChecker {
    /// By side: the MinSizes that runs, and scale-ins that they scheduled, have written.
    wrote: Vec<BTreeSet<u64>>,
    /// The sides whose MinSize runs have written since the rollout began.
    rewritten: BTreeSet<usize>,
    /// IDs of the instance refreshes that runs have started.
    refreshes: BTreeSet<String>,
    /// Launch template versions that cutover created for the service.
    versions: BTreeSet<u64>,
    /// How many of them runs have created while being checked.
    made: usize,
    /// The template's newest version, whoever created it.
    latest: u64,
    /// Each rule's actions, and whether an operator wrote them.
    rules: BTreeMap<String, (Vec<Action>, bool)>,
    /// By run and rule: how often the run overwrote an operator's weights.
    fights: BTreeMap<(String, String), u32>,
}

impl InterferenceChecker {
    pub(super) fn new(world: &World, names: &FleetNames, truth: &Snapshot) -> InterferenceChecker {
        let of_side = |side: usize| truth.sides[side].as_ref().and_then(|side| side.scale_in_min);
        let mark = format!("cutover {} ", names.service);
        let versions = world.ec2.templates.get(&names.template).map(|template| &template.versions);
        let ours = versions.into_iter().flatten().filter(|(_, version)| {
            version.description.as_ref().is_some_and(|text| text.starts_with(&mark))
        });
        InterferenceChecker {
            wrote: (0..truth.sides.len()).map(|side| of_side(side).into_iter().collect()).collect(),
            rewritten: BTreeSet::new(),
            refreshes: BTreeSet::new(),
            versions: ours.map(|(number, _)| *number).collect(),
            made: 0,
            latest: world
                .ec2
                .templates
                .get(&names.template)
                .map_or(0, |template| template.last_number),
            rules: actions(world, names).into_iter().map(|(arn, is)| (arn, (is, false))).collect(),
            fights: BTreeMap::new(),
        }
    }

    /// Returns how many launch template versions runs have created.
    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// Notes that a rollout begins.
    pub(super) fn begins(&mut self) {
        self.rewritten.clear();
    }

    /// Whether a run has written a side's MinSize since the rollout began.
    pub(super) fn rewrote(&self, side: usize) -> bool {
        self.rewritten.contains(&side)
    }

    /// Checks a change, whoever sent it.
    pub(super) fn call(&mut self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        if let Some(wrong) = self.wrong(scene, call).filter(|_| call.is_run()) {
            let what = format!("{} sent {}: {wrong}", call.sender, call.operation);
            found.report(PROMISE, scene.world.now, what);
        }
        if call.rule().is_some() {
            self.rule(scene, call, found);
        }
    }

    /// Returns what would be wrong with a change if a run sent it. Notes what the change wrote.
    fn wrong(&mut self, scene: &CheckContext<'_>, call: &Call) -> Option<String> {
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
                others.next().map(|name| format!("{name} is not in the ledger"))
            }
            ("ecr" | "registry" | "sts" | "github" | "site" | "lab", _) => None,
            (service, _) => Some(format!("a rollout changes nothing in {service}")),
        }
    }

    fn group(&mut self, scene: &CheckContext<'_>, call: &Call, side: usize) -> Option<String> {
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
                    return Some("it names no launch template version".to_owned());
                };
                let known = scene.world.ec2.templates.get(&scene.names.template)?;
                if template != known.id && template != known.name {
                    return Some(format!("{template} is not the service's launch template"));
                }
                let numbered = version.parse::<u64>().is_ok();
                (!numbered).then(|| format!("`{version}` is not a version number"))
            }
            "CancelInstanceRefresh" | "RollbackInstanceRefresh" => {
                let refreshes = ExternalChange::Refresh(scene.names.sides[side].group.clone());
                let looked = scene.runs.get(&call.sender)?.read.refreshes.by(call.sent);
                // Neither call names a refresh: an operator may have replaced cutover's unnoticed.
                let unseen = looked.is_some_and(|looked| {
                    let since = earlier(looked, scene.tolerance.staleness);
                    scene.hands.touched_since(&refreshes, since)
                });
                let others = was.refresh.as_ref().filter(|id| !self.refreshes.contains(*id));
                others
                    .filter(|_| !unseen)
                    .map(|id| format!("refresh {id} was not started by cutover"))
            }
            "PutScheduledUpdateGroupAction" | "DeleteScheduledAction" => {
                let name = call.field("ScheduledActionName").unwrap_or_default();
                if call.is_run() {
                    self.wrote[side].extend(call.number("MinSize"));
                }
                if name != SCALE_IN_ACTION || !is_pair {
                    return Some(format!("`{name}` is not a scheduled action of cutover's"));
                }
                if let Some(max) = call.field("MaxSize") {
                    return Some(format!("it sets MaxSize to {max}"));
                }
                // Otherwise the group would not scale in to its MinSize.
                let (min, desired) = (call.number("MinSize"), call.number("DesiredCapacity"));
                if call.operation.starts_with("Put") && (min.is_none() || min != desired) {
                    return Some(format!(
                        "it scales in to MinSize {min:?} but DesiredCapacity {desired:?}"
                    ));
                }
                too_early(scene, call, side)
            }
            _ => Some("no rollout needs this operation".to_owned()),
        }
    }

    /// Checks that only MinSize is written: raised to the DesiredCapacity of now, lowered only from
    /// what a run wrote. The one exception is a group that was empty, and is emptied again.
    fn size(&mut self, scene: &CheckContext<'_>, call: &Call, side: usize) -> Option<String> {
        const MEMBERS: &[&str] =
            &["Action", "Version", "AutoScalingGroupName", "MinSize", "DesiredCapacity"];
        if let Some(other) = call.names().find(|name| !MEMBERS.contains(name)) {
            return Some(format!("it sets {other}, which cutover never writes"));
        }
        // If the sides may have been swapped, the other side may be the one that was empty.
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
            return Some(format!("it writes a remembered DesiredCapacity of {desired}"));
        }
        let min = call.number("MinSize")?;
        let run = scene.runs.get(&call.sender);
        let Some(looked) = run.and_then(|run| run.read.groups.by(call.sent)) else {
            return Some("it never read the groups".to_owned());
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
            return Some(format!("it lowers a MinSize of {reads}, which no run wrote, to {min}"));
        }
        (raises && min > wanted && !known).then(|| {
            format!("it raises MinSize to {min}, although no DesiredCapacity exceeds {wanted}")
        })
    }

    fn version(&mut self, scene: &CheckContext<'_>, call: &Call) -> Option<String> {
        let template = scene.world.ec2.templates.get(&scene.names.template)?;
        let of_template = call.field("LaunchTemplateId") == Some(&template.id)
            || call.field("LaunchTemplateName") == Some(&template.name);
        if !of_template {
            return Some("it is not the service's launch template".to_owned());
        }
        // A retry with the same client token is answered with the existing version.
        let is_new = template.last_number > self.latest;
        self.latest = template.last_number;
        if call.done && call.is_run() && is_new {
            self.versions.insert(template.last_number);
            self.made += 1;
        }
        None
    }

    /// Checks that only a version which cutover created, and from which nothing launches, is
    /// deleted.
    fn orphan(&self, scene: &CheckContext<'_>, call: &Call) -> Option<String> {
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
            (named || runs || stranger)
                .then(|| format!("version {number} is in use or not cutover's"))
        })
    }

    /// Checks that a rule's other actions stay, and that runs don't fight over weights.
    fn rule(&mut self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
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
        // Weights that an operator sets for other target groups while the request is on its way are
        // overwritten by it.
        let looked = scene.runs.get(&call.sender).and_then(|run| run.read.rules.by(call.sent));
        let unseen = looked.is_none_or(|looked| {
            let since = earlier(looked, scene.tolerance.staleness);
            scene.hands.touched_since(&ExternalChange::Rule(arn.clone()), since)
        });
        let thirds = |actions| outside_pair(actions, scene.names);
        if thirds(&was) != thirds(&is) && !unseen {
            let what =
                format!("{} took traffic away from a target group outside the pair", call.sender);
            found.report(PROMISE, scene.world.now, what);
        }
        if around(&was) != around(&is) {
            let what = format!("{} changed more of a rule than its forward action", call.sender);
            found.report(PROMISE, scene.world.now, what);
        }
        if was_by_hand {
            let fights = self.fights.entry((call.sender.clone(), arn)).or_default();
            *fights += 1;
            if *fights == FIGHTS + 1 {
                let what = format!("{} keeps overwriting an operator's weights", call.sender);
                found.report(PROMISE, scene.world.now, what);
            }
        }
    }
}

/// Checks that a scale-in is not scheduled before the rollback window has passed. One scheduled
/// before the rollout keeps its time.
fn too_early(scene: &CheckContext<'_>, call: &Call, side: usize) -> Option<String> {
    let start = call.field("StartTime")?.parse::<jiff::Timestamp>().ok()?;
    let window = scene.names.scale_in_after?;
    let planned = scene.before.truth.sides[side].as_ref()?.scale_in;
    let early = later(start, SOON) < later(call.sent, window);
    (early && planned.is_none_or(|planned| start < planned)).then(|| {
        format!("it scales in at {start}, within the rollback window of {} s", window.as_secs())
    })
}

/// Returns the target groups outside the pair that a rule sends traffic to, with their weights.
fn outside_pair(actions: &[Action], names: &FleetNames) -> Vec<(String, u32)> {
    let ours =
        |arn: &String| names.sides.iter().any(|side| side.target_group.as_ref() == Some(arn));
    let forwards = actions.iter().filter_map(|action| action.as_forward());
    let groups = forwards.flat_map(|forward| &forward.groups);
    let mut thirds: Vec<_> = groups.filter(|(arn, _)| !ours(arn)).cloned().collect();
    thirds.retain(|(_, weight)| *weight > 0);
    thirds.sort();
    thirds
}

/// Returns a rule's actions without the forward action.
fn around(actions: &[Action]) -> Vec<&Action> {
    actions.iter().filter(|action| !matches!(action.kind, ActionKind::Forward(_))).collect()
}
