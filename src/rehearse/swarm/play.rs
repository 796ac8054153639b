//! A story told: its runs, each in its own process, and afterwards one after the other until nothing
//! is unfinished.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_lab::doors::InProcess;
use cutover_lab::faults::{Happening, Throttling, What};
use cutover_lab::scenario::GroupPlan;
use cutover_lab::traffic::NO_VERSION;
use cutover_lab::world::World;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::story::{Cut, Run, Story};
use crate::config::{self, Config};
use crate::engine::{Stop, Stopper};
use crate::model::{Ending, Outcome, Stamped};
use crate::net::Clock;
use crate::rehearse::checkers::{Checkers, FleetNames, Tolerance, Totals, Violation, Window};
use crate::rehearse::demo::{START, Unrehearsed};
use crate::rehearse::process::{Process, Verb};

/// No run takes longer, whatever happens: deadlines and patience together stay far below.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// How many runs may be needed after everything has calmed down.
const ATTEMPTS: usize = 4;

/// How the names of those begin.
const AFTER: &str = "run-after-";

/// How long nothing is done at the end, for what was scheduled to happen.
const QUIET: Duration = Duration::from_secs(45 * 60);

/// How a process ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With an outcome.
    Outcome(Box<Outcome>),
    /// It could not begin.
    Unbegun(String),
    /// Killed.
    Killed,
    /// Not within [`LONGEST`].
    Never,
}

impl End {
    fn succeeded(&self) -> bool {
        matches!(self, End::Outcome(outcome) if outcome.outcome == Ending::Succeeded)
    }

    fn is_terminal(&self) -> bool {
        let End::Outcome(outcome) = self else { return false };
        matches!(outcome.outcome, Ending::Succeeded | Ending::RolledBack | Ending::Failed)
    }
}

/// What came of a story.
#[derive(Debug)]
pub struct Played {
    /// How each process ended, by name.
    pub ends: Vec<(String, End)>,
    /// What was told, by whom.
    pub told: Vec<(String, Stamped)>,
    /// The promises that did not hold.
    pub violations: Vec<Violation>,
    /// How many calls were made.
    pub calls: u64,
    /// How long it was, by the lab's time.
    pub lasted: Duration,
    /// The fingerprint of everything that happened in the lab.
    pub history: String,
}

/// Tells a story under paused time.
///
/// # Errors
/// Where the story itself is broken.
pub fn play(story: &Story) -> Result<Played, Unrehearsed> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async { Ok(Stage::set(story)?.play().await) })
}

struct Stage<'s> {
    story: &'s Story,
    config: Config,
    door: InProcess,
    start: Timestamp,
    /// There until the end.
    checkers: Arc<Mutex<Option<Checkers>>>,
    told: RefCell<Vec<(String, Stamped)>>,
    calls: Cell<u64>,
}

impl<'s> Stage<'s> {
    fn set(story: &'s Story) -> Result<Stage<'s>, Unrehearsed> {
        let config = config::parse(&story.configuration, "cutover.yaml")?;
        let world = world(story)?;
        let start = world.now;
        let names = FleetNames::of(&config, &world).ok_or_else(|| {
            Unrehearsed::Lab("the configuration names what is not there".to_owned())
        })?;
        let checkers = Checkers::new(&world, &names, tolerance(story, &config));
        let checkers = Arc::new(Mutex::new(Some(checkers)));
        let door = InProcess::new(world);
        let watching = checkers.clone();
        door.watch(move |world, moment| {
            if let Some(checkers) = watching.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                checkers.see(world, moment);
            }
        });
        let (told, calls) = (RefCell::default(), Cell::new(0));
        Ok(Stage { story, config, door, start, checkers, told, calls })
    }

    /// Shows the checkers the truth of now.
    fn check(&self, look: impl FnOnce(&mut Checkers, &World)) {
        self.door.world(|world| {
            if let Some(checkers) =
                self.checkers.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                look(checkers, world);
            }
        });
    }

    async fn play(self) -> Played {
        let named =
            self.story.runs.iter().enumerate().map(|(n, run)| (format!("run-{}", n + 1), run));
        let playing = named.map(async |(name, run)| {
            tokio::time::sleep(Duration::from_secs(run.begins)).await;
            let end = self.run(&name, run).await;
            (name, end)
        });
        let (mut ends, ()) = tokio::join!(join_all(playing), self.calms());
        ends.extend(self.afterwards().await);
        tokio::time::sleep(QUIET).await;
        let (history, last) = self.door.world(|world| (world.history(), world.clone()));
        let mut violations = self.unended(&ends, last.now);
        let checkers = self.checkers.lock().unwrap_or_else(PoisonError::into_inner).take();
        violations.extend(checkers.into_iter().flat_map(|checkers| {
            let baseline = without(self.story, last.now, checkers.uncounted());
            checkers.finish(&last, &baseline)
        }));
        let told = self.told.into_inner();
        let lasted = last.now.duration_since(self.start).unsigned_abs();
        Played { ends, told, violations, calls: self.calls.get(), lasted, history }
    }

    /// Waits until nothing goes wrong any more. Faults of calls and happenings end by themselves.
    async fn calms(&self) {
        self.wait_until(Duration::from_secs(self.story.calm)).await;
        self.door.world(|world| {
            world.faults.throttling = Throttling::Off;
            world.faults.stale = Duration::ZERO;
        });
    }

    /// Whether nothing is left that could keep the newest wish from coming true: no image is broken, no
    /// hand has changed anything that lasts, and evidence comes in time.
    fn can_succeed(&self) -> bool {
        let Story { runs, scenario, .. } = self.story;
        // An instance that has not passed its checks when its grace is over is replaced by another one.
        let grace = scenario.groups.iter().map(|group| group.grace).min().unwrap_or(0);
        let harmless = |verb: &Verb| match verb {
            Verb::Deploy(labels) => labels.iter().all(|(label, value)| match label.as_str() {
                "lab.error-rate" => value == "0",
                "lab.boot-seconds" => {
                    value.parse::<u64>().is_ok_and(|seconds| seconds <= grace / 2)
                }
                "lab.health" | "lab.crash" => false,
                _ => true,
            }),
            Verb::Rollback => true,
        };
        // One instance after the other, each with its warm-up, ends in time.
        let warm =
            |group: &GroupPlan| group.max * group.grace < self.config.deadlines.refresh.as_secs();
        let quick = scenario.groups.len() > 1 || scenario.groups.iter().all(warm);
        // The smallest step has a hundredth of the traffic.
        let evidence = self.config.deadlines.evidence.as_secs_f64() / 2.0;
        let counted = scenario.requests_per_second / 100.0 * evidence;
        let limit = self.config.judge.errors.as_ref();
        quick
            && runs.iter().all(|run| harmless(&run.verb))
            && !self.has_hands()
            && limit.is_none_or(|limit| limit.min_requests as f64 <= counted)
    }

    /// Whoever repairs a rollout runs it again: the newest wish, until it is fulfilled or refused. Where
    /// nothing speaks against it, what may be refused is only what an earlier run was taking back.
    async fn afterwards(&self) -> Vec<(String, End)> {
        let verbs = self.story.runs.iter().map(|run| &run.verb);
        let wish = verbs.rev().find(|verb| matches!(verb, Verb::Deploy(_)));
        let mut ends = Vec::new();
        for attempt in 0..ATTEMPTS {
            let Some(verb) = wish.cloned() else { break };
            let run = Run { begins: 0, verb, skew: 0, cut: None };
            let name = format!("{AFTER}{}", attempt + 1);
            let end = self.run(&name, &run).await;
            let refused = end.is_terminal() && (attempt > 0 || !self.can_succeed());
            let done = end.succeeded() || refused;
            ends.push((name, end));
            if done {
                break;
            }
        }
        ends
    }

    /// One process from its beginning to its end, however it ends.
    async fn run(&self, name: &str, run: &Run) -> End {
        let door = self.door.named(name);
        let process = Process {
            holder: name.to_owned(),
            config: &self.config,
            verb: run.verb.clone(),
            skew: SignedDuration::from_secs(run.skew),
            sent: watch::Sender::default(),
        };
        let sent = process.sent.subscribe();
        let (stopper, stop) = Stop::pair();
        let mut tell = |event: Stamped| {
            let mut checkers = self.checkers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(checkers) = checkers.as_mut() {
                checkers.told(self.door.now(), name, &event.event);
            }
            self.told.borrow_mut().push((name.to_owned(), event));
        };
        self.check(|checkers, world| checkers.began(world.now, name));
        let mut working = Box::pin(process.run(&door, stop, &mut tell));
        let end = tokio::select! {
            biased;
            () = death(run.cut, sent) => End::Killed,
            () = tokio::time::sleep(LONGEST) => End::Never,
            () = asking(run.cut, &stopper) => End::Never,
            outcome = &mut working => match outcome {
                Ok(outcome) => End::Outcome(Box::new(outcome)),
                Err(error) => End::Unbegun(error.to_string()),
            },
        };
        self.calls.set(self.calls.get() + *process.sent.borrow());
        self.check(|checkers, world| match &end {
            End::Outcome(outcome) => checkers.ended(world, name, outcome),
            End::Unbegun(_) | End::Killed | End::Never => checkers.died(world.now, name),
        });
        end
    }

    /// Whether somebody else changes things, too.
    fn has_hands(&self) -> bool {
        let hand = |happening: &Happening| matches!(happening.what, What::Hand { .. });
        self.story.scenario.happenings.iter().any(hand)
    }

    /// A run without an end, and a story that never comes to rest, are violations of their own.
    fn unended(&self, ends: &[(String, End)], at: Timestamp) -> Vec<Violation> {
        let say = |what: String| Violation { promise: "2 kill it anywhere", at, what };
        let endless = ends.iter().filter(|(_, end)| *end == End::Never);
        let mut violations: Vec<_> = endless
            .map(|(name, _)| say(format!("{name} did not end within {LONGEST:?}")))
            .collect();
        // What a hand has left may be a person's question: a live group without instances is refused.
        let asked = |end: &End| {
            self.has_hands()
                && matches!(end, End::Outcome(outcome) if outcome.outcome == Ending::Refused)
        };
        let open = |end: &End| !end.is_terminal() && !asked(end);
        if let Some((name, end)) = ends.last().filter(|(_, end)| open(end)) {
            violations.push(say(format!("{name}, with nothing in its way, ended as {end:?}")));
        }
        let unmoved = ends.last().filter(|(name, end)| name.starts_with(AFTER) && !end.succeeded());
        if let Some((name, end)) = unmoved.filter(|_| self.can_succeed()) {
            let promise = "what can succeed does";
            let what = format!("{name}, with nothing against it, ended as {}", end.name());
            violations.push(Violation { promise, at, what });
        }
        violations
    }

    async fn wait_until(&self, since_start: Duration) {
        let moment = self.start.checked_add(since_start).unwrap_or(self.start);
        Clock::virtual_from(self.door.now()).sleep_until(moment).await;
    }
}

/// The world in which a story begins.
fn world(story: &Story) -> Result<World, Unrehearsed> {
    let start: Timestamp = START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut world = World::from_scenario(&story.scenario, story.seed, start)
        .map_err(|error| Unrehearsed::Lab(error.to_string()))?;
    world.params.weights_max = story.propagation;
    Ok(world)
}

/// What users get until `end` in the same world, without any deployer: apart from what nothing answers
/// within `uncounted`.
pub(super) fn without(story: &Story, end: Timestamp, uncounted: &[Window]) -> Totals {
    let Ok(mut world) = world(story) else { return Totals::default() };
    let unanswered =
        |world: &World| world.traffic.totals().get(NO_VERSION).map_or(0, |tally| tally.failed);
    let mut excused = 0;
    for (from, until) in uncounted {
        world.advance(*from);
        let before = unanswered(&world);
        world.advance(*until);
        excused += unanswered(&world) - before;
    }
    world.advance(end);
    let mut totals = world.traffic.totals().clone();
    if let Some(tally) = totals.get_mut(NO_VERSION) {
        tally.failed -= excused;
    }
    totals
}

/// What the story's weather excuses.
fn tolerance(story: &Story, config: &Config) -> Tolerance {
    // Evidence comes with traffic, of which the smallest step has a hundredth.
    let judged = config.judge.errors.as_ref().map_or(LONGEST, |limit| {
        let longest = limit.min_requests as f64 / (story.scenario.requests_per_second / 100.0);
        let evidence = config.deadlines.evidence;
        Duration::from_secs(480) + evidence.min(Duration::from_secs_f64(longest))
    });
    let faults = &story.scenario.faults;
    // Faults without a chance or a number hit every call while they last.
    let total = faults.calls.iter().filter(|f| f.probability.is_none() && f.nth.is_none());
    let outages = total
        .map(|fault| fault.until.unwrap_or(story.calm).saturating_sub(fault.from.unwrap_or(0)));
    let calm = Tolerance::default();
    Tolerance {
        judged,
        outage: Duration::from_secs(outages.sum()),
        staleness: Duration::from_secs_f64(faults.stale_seconds),
        ..calm
    }
}

/// Returns when the process is to be killed.
async fn death(cut: Option<Cut>, mut sent: watch::Receiver<u64>) {
    match cut {
        Some(Cut::Killed(after)) => tokio::time::sleep(after).await,
        Some(Cut::KilledAfterCall(nth, after)) => {
            if sent.wait_for(|count| *count >= nth).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(after).await;
        }
        Some(Cut::Interrupted(_)) | None => std::future::pending().await,
    }
}

/// Asks the process to stop when it is to be asked; never returns.
async fn asking(cut: Option<Cut>, stopper: &Stopper) {
    if let Some(Cut::Interrupted(after)) = cut {
        tokio::time::sleep(after).await;
        stopper.stop();
    }
    std::future::pending::<()>().await;
}
