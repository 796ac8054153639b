//! A small pure world of groups, rules and refreshes that do what is asked of them. It does not simulate AWS, as the lab
//! does; it only lets `decide` observe the effects of its decisions.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::judge::{ErrorLimit, Limits};
use crate::model::*;
use crate::*;

pub(super) const TEMPLATE: &str = "lt-1";
pub(super) const OLD: u64 = 7;
pub(super) const NEW: u64 = 8;

pub(super) fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(super) fn plan(steps: &[u8]) -> Plan {
    let side = |name: &str| Side { group: name.to_owned(), target_group: format!("tg-{name}") };
    Plan {
        service: "web".to_owned(),
        strategy: Strategy::Canary,
        shape: Shape::TwoGroups(Pair {
            sides: PerColor { blue: side("blue"), green: side("green") },
            rules: vec![RuleId::Rule("r1".to_owned()), RuleId::ListenerDefault("l1".to_owned())],
            test_rule: None,
            zones: Vec::new(),
            steps: steps
                .iter()
                .map(|p| Step { percent: *p, bake: Duration::from_secs(120) })
                .collect(),
            smoke: Vec::new(),
        }),
        deadlines: Deadlines {
            refresh: Duration::from_secs(1200),
            healthy: Duration::from_secs(600),
            evidence: Duration::from_secs(1800),
        },
        judge: Limits {
            errors: Some(ErrorLimit { share: 0.01, min_requests: 100 }),
            alarms: Vec::new(),
        },
        template: TEMPLATE.to_owned(),
        scale_in_after: Some(Duration::from_secs(1800)),
    }
}

pub(super) fn image() -> ImageReference {
    format!("registry.example/web@sha256:{}", "a".repeat(64)).parse().unwrap()
}

pub(super) fn record(phase: Phase) -> Record {
    let side = |min, empty| SideFacts {
        version: OLD,
        running: Vec::new(),
        min,
        empty,
        min_sizes_set: Vec::new(),
        scale_in: None,
    };
    let rules = ["r1", "l1"].into_iter().zip([true, false]).map(|(id, rule)| RuleFacts {
        id: if rule { RuleId::Rule(id.to_owned()) } else { RuleId::ListenerDefault(id.to_owned()) },
        weights: PerColor { blue: Some(1), green: None },
        sticky: None,
    });
    Record {
        number: 5,
        service: "web".to_owned(),
        holder: "test".to_owned(),
        continues: None,
        goal: Goal::Deploy,
        strategy: Strategy::Canary,
        intent: "i".to_owned(),
        workflow: None,
        run_number: None,
        commit: None,
        previous_commit: None,
        image: Some(image()),
        template: TEMPLATE.to_owned(),
        version: Some(NEW),
        previous: OLD,
        phase,
        since: start(),
        heartbeat: start(),
        fleet: FleetFacts::TwoGroups(Box::new(TwoGroupsFacts {
            old: Color::Blue,
            step: 0,
            idle_since: None,
            kept_busy_since: None,
            ruleless_since: None,
            shifted: None,
            floor: 0,
            relapses: 0,
            weighted: false,
            sides: PerColor { blue: side(2, false), green: side(0, true) },
            rules: rules.collect(),
            test: None,
            refresh: None,
        })),
        resume: None,
        superseded_versions: Vec::new(),
        restart: false,
        reason: None,
        status: None,
    }
}

pub(super) fn instance(id: &str, version: u64) -> Instance {
    Instance {
        id: id.to_owned(),
        zone: "a".to_owned(),
        lifecycle: Lifecycle::InService,
        healthy: true,
        template: Some(template(version)),
        protected: false,
    }
}

pub(super) fn template(version: u64) -> LaunchTemplate {
    LaunchTemplate {
        id: TEMPLATE.to_owned(),
        name: "web".to_owned(),
        version: VersionSpec::Number(version),
    }
}

pub(super) fn target(id: &str) -> Target {
    Target { id: id.to_owned(), zone: None, health: TargetHealth::Healthy, reason: None }
}

pub(super) fn group(name: &str, capacity: (u32, u32, u32), version: u64) -> ObservedGroup {
    let (min, max, desired) = capacity;
    let ids: Vec<String> = (0..desired).map(|i| format!("i-{name}-{i}")).collect();
    ObservedGroup {
        group: Group {
            name: name.to_owned(),
            capacity: Capacity { min, max, desired },
            source: TemplateSource::Template(template(version)),
            instances: ids.iter().map(|id| instance(id, version)).collect(),
            zones: vec!["a".to_owned()],
            target_groups: vec![format!("tg-{name}")],
            elb_health: true,
            grace: Duration::from_secs(60),
            suspended: Vec::new(),
        },
        targets: ids.iter().map(|id| target(id)).collect(),
        refreshes: Reading::Read(Vec::new()),
        scheduled_actions: Reading::Read(Vec::new()),
    }
}

pub(super) fn rules(weights: &[(&str, u16)]) -> Vec<Rule> {
    let forward = Forward {
        weights: weights.iter().map(|(tg, w)| ((*tg).to_owned(), *w)).collect(),
        stickiness: None,
    };
    [RuleId::Rule("r1".to_owned()), RuleId::ListenerDefault("l1".to_owned())]
        .map(|id| Rule {
            id,
            listener: "l1".to_owned(),
            priority: None,
            conditions: RuleConditions::default(),
            forward: Some(forward.clone()),
        })
        .into()
}

/// Returns an observation in which blue is live with four instances, and green is idle and empty.
pub(super) fn observation() -> Observation {
    Observation {
        now: start(),
        claim: Claim { highest: 5, successor: None },
        groups: BTreeMap::from([
            ("blue".to_owned(), group("blue", (2, 6, 4), OLD)),
            ("green".to_owned(), group("green", (0, 6, 0), OLD)),
        ]),
        rules: rules(&[("tg-blue", 1)]),
        other_rules: Reading::Read(Vec::new()),
        counts: Reading::Read(BTreeMap::new()),
        alarms: Reading::Read(BTreeMap::new()),
        refused: None,
        smoke: None,
        proof: Some(Proof { unchanged_during_read: true, user_data_is_pinned: true }),
    }
}

/// A rollout in the world.
pub(super) struct World {
    pub plan: Plan,
    pub record: Record,
    pub observation: Observation,
    /// The share of failing requests on version NEW.
    pub errors: f64,
    /// Whether targets of version NEW become healthy.
    pub boots: bool,
    pub log: Vec<String>,
    /// What was reported, without what repeats the event before.
    pub events: Vec<Event>,
}

impl World {
    pub(super) fn new(plan: Plan, phase: Phase) -> World {
        World {
            plan,
            record: record(phase),
            observation: observation(),
            errors: 0.0,
            boots: true,
            log: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Runs ticks until the run ends; panics if it does not within an hour.
    pub(super) fn run(&mut self) -> Exit {
        for _ in 0..1_000 {
            if let Some(end) = self.tick() {
                return end;
            }
        }
        panic!("no end: {:?}\n{}", self.record, self.log.join("\n"));
    }

    /// Runs ticks until `there` holds; panics if the run ends first, or if an hour passes.
    pub(super) fn run_until(&mut self, there: impl Fn(&World) -> bool) {
        for _ in 0..1_000 {
            if there(self) {
                return;
            }
            if let Some(end) = self.tick() {
                panic!("ended: {end:?}\n{}", self.log.join("\n"));
            }
        }
        panic!("not reached: {:?}\n{}", self.record, self.log.join("\n"));
    }

    /// Runs ticks until a phase begins.
    pub(super) fn run_to(&mut self, phase: Phase) {
        self.run_until(|world| world.record.phase == phase);
    }

    pub(super) fn tick(&mut self) -> Option<Exit> {
        let next = decide(&self.plan, &self.record, &self.needed());
        for event in &next.events {
            if let Event::Phase { phase, .. } = event {
                self.log.push(format!("phase {phase}"));
            }
            if self.events.last() != Some(event) {
                self.events.push(event.clone());
            }
        }
        self.record = next.record;
        for action in &next.actions {
            self.apply(action);
        }
        self.observation.now += SignedDuration::try_from(next.next_tick_in).unwrap();
        self.settle();
        next.end
    }

    /// Returns what an observation would read, without what the phase does not need.
    fn needed(&self) -> Observation {
        let needs = needs(&self.plan, &self.record);
        let mut observation = self.observation.clone();
        for group in observation.groups.values_mut() {
            if !needs.refreshes {
                group.refreshes = Reading::NotRead;
            }
            if !needs.scheduled_actions {
                group.scheduled_actions = Reading::NotRead;
            }
        }
        if needs.counts_since.is_none() {
            observation.counts = Reading::NotRead;
        }
        if !needs.other_rules {
            observation.other_rules = Reading::NotRead;
        }
        if !needs.alarms {
            observation.alarms = Reading::NotRead;
        }
        observation.proof = observation.proof.filter(|_| needs.proof);
        observation
    }

    pub(super) fn apply(&mut self, action: &Action) {
        self.log.push(describe(action));
        match action {
            Action::SetForward { rule, forward } => {
                for r in self.observation.rules.iter_mut().filter(|r| r.id == *rule) {
                    r.forward = Some(forward.clone());
                }
            }
            Action::SetMinSize { group, min } => {
                let capacity = &mut self.group(group).group.capacity;
                capacity.min = *min;
                capacity.desired = capacity.desired.max(*min);
            }
            Action::SetMinSizeAndDesired { group, size } => {
                let capacity = &mut self.group(group).group.capacity;
                (capacity.min, capacity.desired) = (*size, *size);
            }
            Action::StartRefresh { group, version, preferences, .. } => {
                let observation = self.group(group);
                let refreshes = observation.refreshes.known();
                let id = format!("refresh-{}", refreshes.len());
                refreshes.insert(
                    0,
                    InstanceRefresh {
                        id,
                        status: RefreshStatus::InProgress,
                        reason: None,
                        percent: None,
                        remaining: None,
                        started: None,
                        desired: Some(template(*version)),
                        preferences: Some(preferences.clone()),
                    },
                );
            }
            Action::CancelRefresh { group } => self.active(group, RefreshStatus::Cancelled),
            Action::RollbackRefresh { group } => {
                self.active(group, RefreshStatus::RollbackSuccessful);
            }
            Action::ScheduleScaleIn { group, at, size } => {
                let action = ScheduledAction {
                    name: SCALE_IN_ACTION.to_owned(),
                    at: Some(*at),
                    min: Some(*size),
                    max: None,
                    desired: Some(*size),
                    recurring: false,
                };
                self.group(group).scheduled_actions.known().push(action);
            }
            Action::CancelScaleIn { group } => {
                self.group(group)
                    .scheduled_actions
                    .known()
                    .retain(|action| action.name != SCALE_IN_ACTION);
            }
            Action::RunSmokeTests => {}
        }
    }

    pub(super) fn group(&mut self, name: &str) -> &mut ObservedGroup {
        self.observation.groups.get_mut(name).unwrap()
    }

    fn active(&mut self, group: &str, becomes: RefreshStatus) {
        let observed = self.group(group);
        if let Some(refresh) = observed.refreshes.known().iter_mut().find(|r| r.status.is_active())
        {
            refresh.status = becomes;
            if becomes == RefreshStatus::RollbackSuccessful {
                observed.group.instances.iter_mut().for_each(|i| i.template = Some(template(OLD)));
            }
        }
    }

    /// Does at once what AWS would do by itself: refreshes succeed, groups launch instances, targets become healthy,
    /// and CloudWatch counts.
    fn settle(&mut self) {
        let boots = self.boots;
        for (name, observed) in &mut self.observation.groups {
            if let Some(refresh) =
                observed.refreshes.known().iter_mut().find(|r| r.status.is_active())
            {
                refresh.status = RefreshStatus::Successful;
                let version = refresh.desired.clone().unwrap();
                observed
                    .group
                    .instances
                    .iter_mut()
                    .for_each(|i| i.template = Some(version.clone()));
                observed.group.source = TemplateSource::Template(version);
            }
            let version =
                observed.group.source.template().and_then(|t| t.version.number()).unwrap();
            let desired = observed.group.capacity.desired as usize;
            observed.group.instances.truncate(desired);
            for i in observed.group.instances.len()..desired {
                observed.group.instances.push(instance(&format!("i-{name}-{i}"), version));
            }
            observed.targets = observed.group.instances.iter().map(|i| target(&i.id)).collect();
            if version == NEW && !boots {
                observed.targets.iter_mut().for_each(|t| t.health = TargetHealth::Unhealthy);
            }
        }
        let minute = Timestamp::from_second(self.observation.now.as_second() / 60 * 60).unwrap();
        for color in ["blue", "green"] {
            let tg = format!("tg-{color}");
            let share = self
                .observation
                .rules
                .first()
                .and_then(|r| r.forward.as_ref())
                .map_or(0, |f| f.share(&tg));
            let requests = u64::from(share) * 10;
            let errors = if self
                .observation
                .groups
                .get(color)
                .is_some_and(|g| g.group.source.template().is_some_and(|t| t.is(TEMPLATE, NEW)))
            {
                (requests as f64 * self.errors) as u64
            } else {
                0
            };
            let counts = self.observation.counts.known().entry(tg).or_default();
            counts.minutes.retain(|(start, _)| *start != minute);
            counts.minutes.push((minute, Counts { requests, errors }));
        }
    }
}

/// Describes an action in a few words, for logs and tables.
pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::SetForward { rule, forward } => {
            let weights: Vec<String> =
                forward.weights.iter().map(|(tg, w)| format!("{tg}={w}")).collect();
            format!("forward {rule} {}", weights.join(" "))
        }
        Action::SetMinSize { group, min } => format!("minimum {group} {min}"),
        Action::SetMinSizeAndDesired { group, size } => format!("size {group} {size}"),
        Action::StartRefresh { group, version, .. } => format!("refresh {group} {version}"),
        Action::CancelRefresh { group } => format!("cancel {group}"),
        Action::RollbackRefresh { group } => format!("rollback {group}"),
        Action::ScheduleScaleIn { group, size, .. } => format!("schedule {group} {size}"),
        Action::CancelScaleIn { group } => format!("unschedule {group}"),
        Action::RunSmokeTests => "smoke".to_owned(),
    }
}
