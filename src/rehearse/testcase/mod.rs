//! Test cases: rollouts by planner and runner in a lab, during which an operator changes things or
//! requests are intercepted; and their results.

mod interceptor;
mod operator;
mod report;
mod state;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use cutover_lab::scenario::Scenario;
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::checkers::{Checkers, FleetNames, Tolerance, Violation};
use super::demo::{BAD, CANARY, ROLLING, START};
use super::lab::settings;
use super::site;
use crate::planner::{Caller, Planner};
use crate::publish::{ImageSource, Logins, PushOptions};
use crate::runner::Stop;
use cutover_aws::{Aws, Settings};
use cutover_config::Config;
use cutover_net::Clock;
use cutover_oci::image::{Image, assemble_entries};
use cutover_rollout::model::{Event, Outcome, Status, TimedEvent};

pub(super) use interceptor::Interception;
use interceptor::Interceptor;
pub(super) use operator::LabOperator;
pub(super) use report::RunReport;
pub(super) use state::AccountState;

/// The event that an operator's action or a run's death waits for.
pub(super) type EventFilter = Box<dyn Fn(&Event) -> bool + Send>;

type OperatorAction =
    Box<dyn FnOnce(LabOperator) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A command of cutover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TestCommand {
    /// Deploys an image whose program reports this version.
    Deploy(&'static str),
    /// The same, answering every fifth request with an error.
    DeployBad(&'static str),
    /// Rolls back.
    Rollback,
}

/// Operators' actions in the account, each done once.
type OperatorActions = Arc<Mutex<Vec<(EventFilter, Option<OperatorAction>)>>>;

/// A lab, a configuration, and what happens in it.
pub(super) struct TestCase {
    pub(super) lab: InProcess,
    config: Config,
    /// The identity of the runs: the account's user, unless set otherwise.
    identity: Settings,
    clock: Clock,
    interceptor: Option<Interceptor>,
    /// Checks the promises at every event, if set; that takes time.
    checkers: Option<Arc<Mutex<Checkers>>>,
    /// The state before anything happened.
    pub(super) before: AccountState,
    deeds: OperatorActions,
    runs: u32,
}

impl TestCase {
    /// Returns the demo's canary: 10%, 50% and 100%, from blue to green.
    pub(super) fn canary() -> TestCase {
        TestCase::of(CANARY, &Scenario::default(), 1)
    }

    /// Returns the demo's rolling update.
    pub(super) fn rolling() -> TestCase {
        TestCase::of(ROLLING, &Scenario::one_group(), 1)
    }

    /// Returns a test case of a configuration in a scenario's world.
    pub(super) fn of(text: &str, scenario: &Scenario, seed: u64) -> TestCase {
        let start: Timestamp = START.parse().unwrap();
        TestCase::in_world(text, World::from_scenario(scenario, seed, start).unwrap())
    }

    /// Returns a test case in an existing world.
    pub(super) fn in_world(text: &str, world: World) -> TestCase {
        let config = cutover_config::parse(text, "cutover.yaml").unwrap();
        let (identity, clock) = (settings(&config), Clock::virtual_from(world.now));
        let lab = InProcess::new(world);
        let before = AccountState::of(&lab);
        let (interceptor, checkers, deeds) = (None, None, Arc::default());
        TestCase { lab, config, identity, clock, interceptor, checkers, before, deeds, runs: 0 }
    }

    /// Sets the identity of the runs.
    pub(super) fn with_identity(self, identity: Settings) -> TestCase {
        TestCase { identity, ..self }
    }

    /// Checks the promises at every event.
    pub(super) fn with_checkers(mut self) -> TestCase {
        let config = &self.config;
        let checkers = self.lab.world(|world| {
            let names = FleetNames::of(config, world).unwrap();
            Checkers::new(world, &names, Tolerance::default())
        });
        let checkers = Arc::new(Mutex::new(checkers));
        let watching = checkers.clone();
        self.lab.watch(move |world, moment| watching.lock().unwrap().see(world, moment));
        self.checkers = Some(checkers);
        self
    }

    /// Returns another test case in the same lab, for a second deployer of the same service.
    pub(super) fn second_deployer(&self) -> TestCase {
        TestCase {
            lab: self.lab.clone(),
            config: self.config.clone(),
            identity: self.identity.clone(),
            clock: self.clock,
            interceptor: None,
            checkers: self.checkers.clone(),
            before: self.before.clone(),
            deeds: Arc::default(),
            runs: 100,
        }
    }

    /// Intercepts requests: `hand` sees each request's operation and body.
    pub(super) fn with_interceptor(
        mut self,
        interceptor: impl Fn(&str, &str) -> Interception + Send + Sync + 'static,
    ) -> TestCase {
        self.interceptor = Some(Arc::new(interceptor));
        self
    }

    /// Does `deed` once, concurrently, as soon as a run reports an event that matches `moment`.
    pub(super) fn when<F>(
        self,
        moment: impl Fn(&Event) -> bool + Send + 'static,
        deed: impl FnOnce(LabOperator) -> F + Send + 'static,
    ) -> TestCase
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let deed: OperatorAction = Box::new(move |person| Box::pin(deed(person)));
        self.deeds.lock().unwrap().push((Box::new(moment), Some(deed)));
        self
    }

    /// Returns the sender name of the newest run.
    fn run_name(&self) -> String {
        format!("run-{}", self.runs)
    }

    fn check(&self, look: impl FnOnce(&mut Checkers, &World)) {
        if let Some(checkers) = &self.checkers {
            self.lab.world(|world| look(&mut checkers.lock().unwrap(), world));
        }
    }

    /// Returns the violations found so far.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let found =
            |checkers: &Arc<Mutex<Checkers>>| checkers.lock().unwrap().violations().to_vec();
        self.checkers.as_ref().map(found).unwrap_or_default()
    }

    /// Asserts that no promise has been broken so far.
    #[track_caller]
    pub(super) fn assert_promises_hold(&self) {
        assert_eq!(self.violations(), []);
    }

    /// Returns an operator in this lab.
    pub(super) fn operator(&self) -> LabOperator {
        LabOperator::at(&self.lab.for_sender("person"))
    }

    /// Returns the lab's clock.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns the current state.
    pub(super) fn truth(&self) -> AccountState {
        AccountState::of(&self.lab)
    }

    /// Asserts that everything a rollout may change is as it was.
    #[track_caller]
    pub(super) fn assert_unchanged(&self) {
        let now = AccountState { failed: self.before.failed, ..self.truth() };
        assert_eq!(now, self.before);
    }

    /// Runs a command to its end.
    pub(super) async fn run(&mut self, verb: TestCommand) -> RunReport {
        let (_stopper, stop) = Stop::pair();
        self.run_until(verb, stop, |_| false).await
    }

    /// Runs a command that dies as soon as it reports an event that matches `moment`: it sends
    /// nothing more, and what it has sent still arrives.
    pub(super) async fn run_until_killed(
        &mut self,
        verb: TestCommand,
        moment: impl Fn(&Event) -> bool,
    ) -> RunReport {
        let (_stopper, stop) = Stop::pair();
        let reported = self.run_until(verb, stop, moment).await;
        assert!(reported.outcome.is_none(), "it ended before it was killed: {reported}");
        reported
    }

    /// Runs a command to its end, or kills it when `dead` completes.
    pub(super) async fn run_or_kill(
        &mut self,
        verb: TestCommand,
        dead: impl Future<Output = ()>,
    ) -> RunReport {
        let (_stopper, stop) = Stop::pair();
        let ended = {
            let mut run = Box::pin(self.run_until(verb, stop, |_| false));
            tokio::select! {
                biased;
                () = dead => None,
                reported = &mut run => Some(reported),
            }
        };
        ended.unwrap_or_else(|| {
            let name = self.run_name();
            self.check(|checkers, world| checkers.died(world.now, &name));
            RunReport { outcome: None, events: Vec::new() }
        })
    }

    /// Like [`TestCase::dies`], for a run that may end before.
    pub(super) async fn run_until_event(
        &mut self,
        verb: TestCommand,
        moment: impl Fn(&Event) -> bool,
    ) -> RunReport {
        let (_stopper, stop) = Stop::pair();
        self.run_until(verb, stop, moment).await
    }

    async fn run_until(
        &mut self,
        verb: TestCommand,
        stop: Stop,
        dies: impl Fn(&Event) -> bool,
    ) -> RunReport {
        self.reported(verb, stop, &mut |event: &Event| dies(event)).await
    }

    /// Runs a command until it ends, or until `dies` returns true for an event.
    async fn reported(
        &mut self,
        verb: TestCommand,
        stop: Stop,
        dies: &mut dyn FnMut(&Event) -> bool,
    ) -> RunReport {
        self.runs += 1;
        let died = Arc::new(Notify::new());
        let log = Mutex::new(Vec::new());
        let (deeds, person) = (self.deeds.clone(), self.operator());
        let doing = Mutex::new(Vec::new());
        let (name, checkers, lab) = (self.run_name(), self.checkers.clone(), self.lab.clone());
        let telling = name.clone();
        let mut emit = |stamped: TimedEvent| {
            if let Some(checkers) = &checkers {
                checkers.lock().unwrap().reported(lab.now(), &telling, &stamped.event);
            }
            if dies(&stamped.event) {
                died.notify_one();
            }
            for (moment, deed) in deeds.lock().unwrap().iter_mut() {
                if deed.is_some() && moment(&stamped.event) {
                    let deed = deed.take().map(|deed| tokio::spawn(deed(person.clone())));
                    doing.lock().unwrap().extend(deed);
                }
            }
            log.lock().unwrap().push(stamped);
        };
        self.check(|checkers, world| checkers.began(world.now, &name));
        let outcome = tokio::select! {
            biased;
            () = died.notified() => None,
            outcome = Box::pin(self.asked(verb, stop, &mut emit)) => Some(outcome),
        };
        self.check(|checkers, world| match &outcome {
            Some(outcome) => checkers.ended(world, &name, outcome),
            None => checkers.died(world.now, &name),
        });
        let idle = deeds.lock().unwrap().iter().filter(|(_, deed)| deed.is_some()).count();
        assert!(outcome.is_none() || idle == 0, "{idle} of the awaited events never came");
        for deed in doing.into_inner().unwrap().into_iter().filter(|deed| deed.is_finished()) {
            deed.await.unwrap();
        }
        RunReport { outcome, events: log.into_inner().unwrap() }
    }

    async fn asked(
        &self,
        verb: TestCommand,
        stop: Stop,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        let transport = self.lab.for_sender(&self.run_name());
        let net = &match &self.interceptor {
            Some(interceptor) => {
                interceptor::intercepted(&transport, self.clock, interceptor.clone())
            }
            None => interceptor::plain(&transport, self.clock),
        };
        let Ok(cloud) = Aws::connect(net, &self.identity).await else {
            return Outcome::new(Status::Failed, "the run could not start");
        };
        let holder = self.run_name();
        let caller = Caller {
            holder,
            workflow: None,
            commit: None,
            force: false,
            logins: Logins::default(),
        };
        let planner = Planner { net, cloud: &cloud, config: &self.config, caller, stop };
        let image = match verb {
            TestCommand::Deploy(label) => self.image(label, false),
            TestCommand::DeployBad(label) => self.image(label, true),
            TestCommand::Rollback => return planner.rollback(emit).await,
        };
        let image = ImageSource::Assembled(Box::new(image));
        planner.deploy(&PushOptions::default(), async |_| Ok(image), emit).await
    }

    fn image(&self, label: &str, bad: bool) -> Image {
        let (_, assembly) = self.config.assembly().unwrap();
        let mut assembly = assembly.clone();
        assembly.files.clear();
        assembly.labels.insert("lab.version".to_owned(), label.to_owned());
        if bad {
            assembly.labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
        }
        assemble_entries(&site::entries(), &assembly).unwrap()
    }
}

/// Matches the start of a phase.
pub(super) fn phase(name: &'static str) -> impl Fn(&Event) -> bool + Send + Copy + 'static {
    move |event| matches!(event, Event::Phase { phase, .. } if *phase == name)
}

/// Matches green's share, when it is sent (`verified` is false) or read back.
pub(super) fn weights(
    green: u8,
    verified: bool,
) -> impl Fn(&Event) -> bool + Send + Copy + 'static {
    move |event| matches!(event, Event::Traffic { shares, verified: v } if shares.green == green && *v == verified)
}
