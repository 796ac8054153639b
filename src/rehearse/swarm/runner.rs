//! Runs a test case: its runs, each in its own process, and afterwards one run after the other
//! until nothing is unfinished.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_lab::faults::{EventKind, ScheduledEvent, Throttling};
use cutover_lab::scenario::GroupSpec;
use cutover_lab::traffic::NO_VERSION;
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::case::{EarlyEnd, Run, SwarmCase};
use crate::rehearse::SimulationError;
use crate::rehearse::checkers::{Checkers, FleetNames, Tolerance, Totals, Violation, Window};
use crate::rehearse::demo::START;
use crate::rehearse::process::{Process, ProcessCommand};
use crate::runner::{Stop, Stopper};
use cutover_config::Config;
use cutover_net::Clock;
use cutover_rollout::model::{Outcome, Status, TimedEvent};

/// No run takes longer, whatever happens: deadlines and timeouts together stay far below.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// How many runs may be needed after the last fault.
const ATTEMPTS: usize = 4;

/// The prefix of those runs' names.
const AFTER: &str = "run-after-";

/// How long the lab is left alone at the end, so that scheduled actions can run.
const QUIET: Duration = Duration::from_secs(45 * 60);

/// How a process ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With an outcome.
    Outcome(Box<Outcome>),
    /// It could not start.
    NotStarted(String),
    /// It was killed.
    Killed,
    /// It did not end within 12 hours.
    TimedOut,
}

impl End {
    fn succeeded(&self) -> bool {
        matches!(self, End::Outcome(outcome) if outcome.outcome == Status::Succeeded)
    }

    fn is_terminal(&self) -> bool {
        let End::Outcome(outcome) = self else { return false };
        matches!(outcome.outcome, Status::Succeeded | Status::RolledBack | Status::Failed)
    }
}

/// A test case's result.
#[derive(Debug)]
pub struct CaseResult {
    /// How each process ended, by name.
    pub ends: Vec<(String, End)>,
    /// The events, each with the process that reported it.
    pub reported: Vec<(String, TimedEvent)>,
    /// The promises that did not hold.
    pub violations: Vec<Violation>,
    /// How many calls were made.
    pub calls: u64,
    /// How long it took, by the lab's clock.
    pub lasted: Duration,
    /// A fingerprint of everything that happened in the lab.
    pub history: String,
}

/// Runs a test case under paused time.
///
/// # Errors
/// If the test case itself is broken.
pub fn play(case: &SwarmCase) -> Result<CaseResult, SimulationError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async { Ok(CaseRunner::set(case)?.play().await) })
}

struct CaseRunner<'s> {
    case: &'s SwarmCase,
    config: Config,
    transport: InProcess,
    start: Timestamp,
    /// Taken at the end.
    checkers: Arc<Mutex<Option<Checkers>>>,
    reported: RefCell<Vec<(String, TimedEvent)>>,
    calls: Cell<u64>,
}

impl<'s> CaseRunner<'s> {
    fn set(case: &'s SwarmCase) -> Result<CaseRunner<'s>, SimulationError> {
        let config = cutover_config::parse(&case.configuration, "cutover.yaml")?;
        let world = world(case)?;
        let start = world.now;
        let names = FleetNames::of(&config, &world).ok_or_else(|| {
            SimulationError::Lab(
                "the configuration names resources that the world does not have".to_owned(),
            )
        })?;
        let checkers = Checkers::new(&world, &names, tolerance(case, &config));
        let checkers = Arc::new(Mutex::new(Some(checkers)));
        let transport = InProcess::new(world);
        let watching = checkers.clone();
        transport.watch(move |world, moment| {
            if let Some(checkers) = watching.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                checkers.see(world, moment);
            }
        });
        let (reported, calls) = (RefCell::default(), Cell::new(0));
        Ok(CaseRunner { case, config, transport, start, checkers, reported, calls })
    }

    /// Calls the checkers with the world as it is now.
    fn check(&self, look: impl FnOnce(&mut Checkers, &World)) {
        self.transport.world(|world| {
            if let Some(checkers) =
                self.checkers.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                look(checkers, world);
            }
        });
    }

    async fn play(self) -> CaseResult {
        let named =
            self.case.runs.iter().enumerate().map(|(n, run)| (format!("run-{}", n + 1), run));
        let playing = named.map(async |(name, run)| {
            tokio::time::sleep(Duration::from_secs(run.begins)).await;
            let end = self.run(&name, run).await;
            (name, end)
        });
        let (mut ends, ()) = tokio::join!(join_all(playing), self.wait_for_calm());
        ends.extend(self.run_until_settled().await);
        tokio::time::sleep(QUIET).await;
        let (history, last) = self.transport.world(|world| (world.history(), world.clone()));
        let mut violations = self.unfinished_violations(&ends, last.now);
        let checkers = self.checkers.lock().unwrap_or_else(PoisonError::into_inner).take();
        violations.extend(checkers.into_iter().flat_map(|checkers| {
            let baseline = baseline_totals(self.case, last.now, checkers.excused_windows());
            checkers.finish(&last, &baseline)
        }));
        let reported = self.reported.into_inner();
        let lasted = last.now.duration_since(self.start).unsigned_abs();
        CaseResult { ends, reported, violations, calls: self.calls.get(), lasted, history }
    }

    /// Waits until the test case's faults are over and turns off throttling and stale reads. Faults
    /// of calls and scheduled events end by themselves.
    async fn wait_for_calm(&self) {
        self.wait_until(Duration::from_secs(self.case.calm)).await;
        self.transport.world(|world| {
            world.faults.throttling = Throttling::Off;
            world.faults.max_staleness = Duration::ZERO;
        });
    }

    /// Whether nothing prevents the newest deployment from succeeding: no image is broken, no
    /// operator has made a lasting change, and evidence comes in time.
    fn can_succeed(&self) -> bool {
        let SwarmCase { runs, scenario, .. } = self.case;
        // An instance that has not passed its health checks when its grace period ends is replaced.
        let grace = scenario.groups.iter().map(|group| group.grace).min().unwrap_or(0);
        let harmless = |verb: &ProcessCommand| match verb {
            ProcessCommand::Deploy(labels) => {
                labels.iter().all(|(label, value)| match label.as_str() {
                    "lab.error-rate" => value == "0",
                    "lab.boot-seconds" => {
                        value.parse::<u64>().is_ok_and(|seconds| seconds <= grace / 2)
                    }
                    "lab.health" | "lab.crash" => false,
                    _ => true,
                })
            }
            ProcessCommand::Rollback => true,
        };
        // Replacing the instances one by one, each with its warm-up, ends in time.
        let warm =
            |group: &GroupSpec| group.max * group.grace < self.config.deadlines.refresh.as_secs();
        let quick = scenario.groups.len() > 1 || scenario.groups.iter().all(warm);
        // The smallest step has 1% of the traffic.
        let evidence = self.config.deadlines.evidence.as_secs_f64() / 2.0;
        let counted = scenario.requests_per_second / 100.0 * evidence;
        let limit = self.config.judge.errors.as_ref();
        quick
            && runs.iter().all(|run| harmless(&run.verb))
            && !self.has_operators()
            && limit.is_none_or(|limit| limit.min_requests as f64 <= counted)
    }

    /// Runs the newest deployment again, as a person who repairs a rollout would, until it succeeds
    /// or fails. If nothing prevents success, only the first of these runs may fail, because an
    /// earlier run was rolling back.
    async fn run_until_settled(&self) -> Vec<(String, End)> {
        let verbs = self.case.runs.iter().map(|run| &run.verb);
        let wish = verbs.rev().find(|verb| matches!(verb, ProcessCommand::Deploy(_)));
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

    /// Runs one process until it ends, however it ends.
    async fn run(&self, name: &str, run: &Run) -> End {
        let transport = self.transport.for_sender(name);
        let process = Process {
            holder: name.to_owned(),
            config: &self.config,
            verb: run.verb.clone(),
            skew: SignedDuration::from_secs(run.skew),
            sent: watch::Sender::default(),
        };
        let sent = process.sent.subscribe();
        let (stopper, stop) = Stop::pair();
        let mut emit = |event: TimedEvent| {
            let mut checkers = self.checkers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(checkers) = checkers.as_mut() {
                checkers.reported(self.transport.now(), name, &event.event);
            }
            self.reported.borrow_mut().push((name.to_owned(), event));
        };
        self.check(|checkers, world| checkers.began(world.now, name));
        let mut working = Box::pin(process.run(&transport, stop, &mut emit));
        let end = tokio::select! {
            biased;
            () = until_killed(run.cut, sent) => End::Killed,
            () = tokio::time::sleep(LONGEST) => End::TimedOut,
            () = send_interrupt(run.cut, &stopper) => End::TimedOut,
            outcome = &mut working => match outcome {
                Ok(outcome) => End::Outcome(Box::new(outcome)),
                Err(error) => End::NotStarted(error.to_string()),
            },
        };
        self.calls.set(self.calls.get() + *process.sent.borrow());
        self.check(|checkers, world| match &end {
            End::Outcome(outcome) => checkers.ended(world, name, outcome),
            End::NotStarted(_) | End::Killed | End::TimedOut => checkers.died(world.now, name),
        });
        end
    }

    /// Whether operators change things, too.
    fn has_operators(&self) -> bool {
        let operator = |event: &ScheduledEvent| matches!(event.what, EventKind::Operator { .. });
        self.case.scenario.events.iter().any(operator)
    }

    /// Returns violations for runs that never ended, and for a test case that never comes to rest.
    fn unfinished_violations(&self, ends: &[(String, End)], at: Timestamp) -> Vec<Violation> {
        let say = |what: String| Violation { promise: "2 kill it anywhere", at, what };
        let endless = ends.iter().filter(|(_, end)| *end == End::TimedOut);
        let mut violations: Vec<_> = endless
            .map(|(name, _)| say(format!("{name} did not end within {LONGEST:?}")))
            .collect();
        // A person may have to decide about an operator's changes: a live group without instances
        // is refused.
        let asked = |end: &End| {
            self.has_operators()
                && matches!(end, End::Outcome(outcome) if outcome.outcome == Status::Refused)
        };
        let open = |end: &End| !end.is_terminal() && !asked(end);
        if let Some((name, end)) = ends.last().filter(|(_, end)| open(end)) {
            violations
                .push(say(format!("{name} ended as {end:?} although nothing was in its way")));
        }
        let unmoved = ends.last().filter(|(name, end)| name.starts_with(AFTER) && !end.succeeded());
        if let Some((name, end)) = unmoved.filter(|_| self.can_succeed()) {
            let promise = "what can succeed does";
            let what = format!("{name} ended as {} although nothing prevented success", end.name());
            violations.push(Violation { promise, at, what });
        }
        violations
    }

    async fn wait_until(&self, since_start: Duration) {
        let moment = self.start.checked_add(since_start).unwrap_or(self.start);
        Clock::virtual_from(self.transport.now()).sleep_until(moment).await;
    }
}

/// Builds the world in which a test case starts.
fn world(case: &SwarmCase) -> Result<World, SimulationError> {
    let start: Timestamp = START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut world = World::from_scenario(&case.scenario, case.seed, start)
        .map_err(|error| SimulationError::Lab(error.to_string()))?;
    world.params.weights_max = case.propagation;
    Ok(world)
}

/// Returns what users get until `end` in the same world without a deployer, apart from unanswered
/// requests within `uncounted`.
pub(super) fn baseline_totals(case: &SwarmCase, end: Timestamp, uncounted: &[Window]) -> Totals {
    let Ok(mut world) = world(case) else { return Totals::default() };
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

/// Returns what the test case's faults excuse.
fn tolerance(case: &SwarmCase, config: &Config) -> Tolerance {
    // Evidence depends on traffic, of which the smallest step has 1%.
    let judged = config.judge.errors.as_ref().map_or(LONGEST, |limit| {
        let longest = limit.min_requests as f64 / (case.scenario.requests_per_second / 100.0);
        let evidence = config.deadlines.evidence;
        Duration::from_secs(480) + evidence.min(Duration::from_secs_f64(longest))
    });
    let faults = &case.scenario.faults;
    // Faults without a probability or a number hit every call while they last.
    let total = faults.calls.iter().filter(|f| f.probability.is_none() && f.nth.is_none());
    let outages =
        total.map(|fault| fault.until.unwrap_or(case.calm).saturating_sub(fault.from.unwrap_or(0)));
    let calm = Tolerance::default();
    Tolerance {
        judged,
        outage: Duration::from_secs(outages.sum()),
        staleness: Duration::from_secs_f64(faults.stale_seconds),
        ..calm
    }
}

/// Completes when the process is to be killed.
async fn until_killed(cut: Option<EarlyEnd>, mut sent: watch::Receiver<u64>) {
    match cut {
        Some(EarlyEnd::Killed(after)) => tokio::time::sleep(after).await,
        Some(EarlyEnd::KilledAfterCall(nth, after)) => {
            if sent.wait_for(|count| *count >= nth).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(after).await;
        }
        Some(EarlyEnd::Interrupted(_)) | None => std::future::pending().await,
    }
}

/// Asks the process to stop when it is to be interrupted; never completes.
async fn send_interrupt(cut: Option<EarlyEnd>, stopper: &Stopper) {
    if let Some(EarlyEnd::Interrupted(after)) = cut {
        tokio::time::sleep(after).await;
        stopper.stop();
    }
    std::future::pending::<()>().await;
}
