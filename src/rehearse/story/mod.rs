//! Stories: rollouts by the whole engine in a lab, with somebody beside them who changes things, or
//! with a hand in the wire; and what each comes to.

mod person;
mod told;
mod truth;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use cutover_lab::doors::InProcess;
use cutover_lab::scenario::Scenario;
use cutover_lab::world::World;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::checkers::{Checkers, FleetNames, Tolerance, Violation};
use super::demo::{BAD, CANARY, ROLLING, START};
use super::lab::settings;
use super::site;
use crate::cloud::{Cloud, Settings};
use crate::config::{self, Config};
use crate::engine::{Caller, Made, Session, Stop};
use crate::image::{Image, assemble_entries};
use crate::model::{Ending, Event, ImageReference, Outcome, Stamped};
use crate::net::Clock;
use crate::publish::Logins;

pub(super) use person::Person;
pub(super) use told::Told;
pub(super) use truth::Truth;
pub(super) use wire::Does;
use wire::Hand;

/// What a story waits for.
pub(super) type Moment = Box<dyn Fn(&Event) -> bool + Send>;

type Deed = Box<dyn FnOnce(Person) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What somebody asks of cutover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// An image whose program calls itself this.
    Deploy(&'static str),
    /// The same, answering every fifth request with an error.
    DeployBad(&'static str),
    /// The way back.
    Rollback,
}

/// What is going to be done to the account, each thing once.
type Deeds = Arc<Mutex<Vec<(Moment, Option<Deed>)>>>;

/// A lab and a configuration, and what is to happen in it.
pub(super) struct Story {
    pub(super) lab: InProcess,
    config: Config,
    /// Who the runs are: the account's user, unless said otherwise.
    identity: Settings,
    clock: Clock,
    hand: Option<Hand>,
    /// Where the promises are held against the lab's truth at every event; that takes its time.
    checkers: Option<Arc<Mutex<Checkers>>>,
    /// What was there before anything happened.
    pub(super) before: Truth,
    deeds: Deeds,
    runs: u32,
}

impl Story {
    /// The demo's canary: 10, 50 and 100 %, from blue to green.
    pub(super) fn canary() -> Story {
        Story::of(CANARY, &Scenario::default(), 1)
    }

    /// The demo's rolling update.
    pub(super) fn rolling() -> Story {
        Story::of(ROLLING, &Scenario::one_group(), 1)
    }

    /// A configuration in a scenario's world.
    pub(super) fn of(text: &str, scenario: &Scenario, seed: u64) -> Story {
        let start: Timestamp = START.parse().unwrap();
        Story::in_world(text, World::from_scenario(scenario, seed, start).unwrap())
    }

    /// The same in a world as it is now.
    pub(super) fn in_world(text: &str, world: World) -> Story {
        let config = config::parse(text, "cutover.yaml").unwrap();
        let (identity, clock) = (settings(&config), Clock::virtual_from(world.now));
        let lab = InProcess::new(world);
        let before = Truth::of(&lab);
        let (hand, checkers, deeds) = (None, None, Arc::default());
        Story { lab, config, identity, clock, hand, checkers, before, deeds, runs: 0 }
    }

    /// With runs that are somebody else.
    pub(super) fn of_identity(self, identity: Settings) -> Story {
        Story { identity, ..self }
    }

    /// With the checkers looking on.
    pub(super) fn checked(mut self) -> Story {
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

    /// Another story in the same lab, of somebody who deploys the same service.
    pub(super) fn beside(&self) -> Story {
        Story {
            lab: self.lab.clone(),
            config: self.config.clone(),
            identity: self.identity.clone(),
            clock: self.clock,
            hand: None,
            checkers: self.checkers.clone(),
            before: self.before.clone(),
            deeds: Arc::default(),
            runs: 100,
        }
    }

    /// With a hand in the wire: it sees each request's operation and body.
    pub(super) fn with_hand(
        mut self,
        hand: impl Fn(&str, &str) -> Does + Send + Sync + 'static,
    ) -> Story {
        self.hand = Some(Arc::new(hand));
        self
    }

    /// Once, as soon as a run tells an event like this, the deed is done beside it.
    pub(super) fn when<F>(
        self,
        moment: impl Fn(&Event) -> bool + Send + 'static,
        deed: impl FnOnce(Person) -> F + Send + 'static,
    ) -> Story
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let deed: Deed = Box::new(move |person| Box::pin(deed(person)));
        self.deeds.lock().unwrap().push((Box::new(moment), Some(deed)));
        self
    }

    /// The name of the newest run's door.
    fn run_name(&self) -> String {
        format!("run-{}", self.runs)
    }

    fn check(&self, look: impl FnOnce(&mut Checkers, &World)) {
        if let Some(checkers) = &self.checkers {
            self.lab.world(|world| look(&mut checkers.lock().unwrap(), world));
        }
    }

    /// The promises that did not hold so far.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let found =
            |checkers: &Arc<Mutex<Checkers>>| checkers.lock().unwrap().violations().to_vec();
        self.checkers.as_ref().map(found).unwrap_or_default()
    }

    /// That every promise was kept so far.
    #[track_caller]
    pub(super) fn keeps_its_promises(&self) {
        assert_eq!(self.violations(), []);
    }

    /// Somebody with a console.
    pub(super) fn person(&self) -> Person {
        Person::at(&self.lab.named("person"))
    }

    /// The lab's time.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// What is there now.
    pub(super) fn truth(&self) -> Truth {
        Truth::of(&self.lab)
    }

    /// That everything which a rollout may change is as it was.
    #[track_caller]
    pub(super) fn is_as_before(&self) {
        let now = Truth { failed: self.before.failed, ..self.truth() };
        assert_eq!(now, self.before);
    }

    /// Runs a verb to its end.
    pub(super) async fn run(&mut self, verb: Verb) -> Told {
        let (_stopper, stop) = Stop::pair();
        self.run_until(verb, stop, |_| false).await
    }

    /// Runs a verb that dies as soon as it tells an event like this: nothing more is sent, what is
    /// on its way arrives.
    pub(super) async fn dies(&mut self, verb: Verb, moment: impl Fn(&Event) -> bool) -> Told {
        let (_stopper, stop) = Stop::pair();
        let told = self.run_until(verb, stop, moment).await;
        assert!(told.outcome.is_none(), "it ended before it could die: {told}");
        told
    }

    /// Runs a verb to its end, unless `dead` is done before: then it dies there.
    pub(super) async fn run_or(&mut self, verb: Verb, dead: impl Future<Output = ()>) -> Told {
        let (_stopper, stop) = Stop::pair();
        let ended = {
            let mut run = Box::pin(self.run_until(verb, stop, |_| false));
            tokio::select! {
                biased;
                () = dead => None,
                told = &mut run => Some(told),
            }
        };
        ended.unwrap_or_else(|| {
            let name = self.run_name();
            self.check(|checkers, world| checkers.died(world.now, &name));
            Told { outcome: None, events: Vec::new() }
        })
    }

    /// The same of a run that may end before.
    pub(super) async fn run_or_die(&mut self, verb: Verb, moment: impl Fn(&Event) -> bool) -> Told {
        let (_stopper, stop) = Stop::pair();
        self.run_until(verb, stop, moment).await
    }

    async fn run_until(&mut self, verb: Verb, stop: Stop, dies: impl Fn(&Event) -> bool) -> Told {
        self.told(verb, stop, &mut |event: &Event| dies(event)).await
    }

    /// Runs a verb until it ends, or until `dies` says so of an event.
    async fn told(&mut self, verb: Verb, stop: Stop, dies: &mut dyn FnMut(&Event) -> bool) -> Told {
        self.runs += 1;
        let died = Arc::new(Notify::new());
        let log = Mutex::new(Vec::new());
        let (deeds, person) = (self.deeds.clone(), self.person());
        let doing = Mutex::new(Vec::new());
        let (name, checkers, lab) = (self.run_name(), self.checkers.clone(), self.lab.clone());
        let telling = name.clone();
        let mut tell = |stamped: Stamped| {
            if let Some(checkers) = &checkers {
                checkers.lock().unwrap().told(lab.now(), &telling, &stamped.event);
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
            outcome = Box::pin(self.asked(verb, stop, &mut tell)) => Some(outcome),
        };
        self.check(|checkers, world| match &outcome {
            Some(outcome) => checkers.ended(world, &name, outcome),
            None => checkers.died(world.now, &name),
        });
        let idle = deeds.lock().unwrap().iter().filter(|(_, deed)| deed.is_some()).count();
        assert!(outcome.is_none() || idle == 0, "{idle} of the deeds' moments never came");
        for deed in doing.into_inner().unwrap().into_iter().filter(|deed| deed.is_finished()) {
            deed.await.unwrap();
        }
        Told { outcome, events: log.into_inner().unwrap() }
    }

    async fn asked(&self, verb: Verb, stop: Stop, tell: &mut dyn FnMut(Stamped)) -> Outcome {
        let door = self.lab.named(&self.run_name());
        let net = &match &self.hand {
            Some(hand) => wire::handed(&door, self.clock, hand.clone()),
            None => wire::plain(&door, self.clock),
        };
        let Ok(cloud) = Cloud::connect(net, &self.identity).await else {
            return Outcome::new(Ending::Failed, "nothing could begin");
        };
        let holder = self.run_name();
        let caller = Caller {
            holder,
            workflow: None,
            commit: None,
            force: false,
            logins: Logins::default(),
        };
        let session = Session { net, cloud: &cloud, config: &self.config, caller, stop };
        match verb {
            Verb::Deploy(label) => {
                let (reference, image) = self.image(label, false);
                session.deploy(reference, Made::Assembled(Box::new(image)), tell).await
            }
            Verb::DeployBad(label) => {
                let (reference, image) = self.image(label, true);
                session.deploy(reference, Made::Assembled(Box::new(image)), tell).await
            }
            Verb::Rollback => session.rollback(tell).await,
        }
    }

    fn image(&self, label: &str, bad: bool) -> (ImageReference, Image) {
        let (repository, assembly) = self.config.assembly().unwrap();
        let mut assembly = assembly.clone();
        assembly.files.clear();
        assembly.labels.insert("lab.version".to_owned(), label.to_owned());
        if bad {
            assembly.labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
        }
        let image = assemble_entries(&site::entries(), &assembly).unwrap();
        let digest = image.digest().clone();
        (ImageReference { repository: repository.clone(), digest }, image)
    }
}

/// A phase began.
pub(super) fn phase(name: &'static str) -> impl Fn(&Event) -> bool + Send + Copy + 'static {
    move |event| matches!(event, Event::Phase { phase, .. } if *phase == name)
}

/// The new side's weight was sent (`verified` false), or read back.
pub(super) fn weights(
    green: u8,
    verified: bool,
) -> impl Fn(&Event) -> bool + Send + Copy + 'static {
    move |event| matches!(event, Event::Weights { weights, verified: v } if weights.green == green && *v == verified)
}
