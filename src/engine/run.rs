//! One run, from its claim to its end.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::act::act;
use super::advice::{Starved, joined};
use super::claim::{Claimed, again, claim};
use super::observe::{Blind, Carried, Scene, observe};
use super::orphans;
use super::prepare::prepare;
use super::stop::GRACE;
use super::{Ledger, LedgerError, Made, Stop, Target, Wish, interrupted};
use crate::cloud::Cloud;
use crate::config;
use crate::model::{Ending, Event, FleetFacts, Goal, Outcome, PerColour, Phase, Record, Stamped};
use crate::net::Net;
use crate::publish::Logins;
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::{End, T, decide};

/// A record without news is written this often, so that others see its run alive.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// So long before T is over a predecessor's last word is read: nothing that it sent can come after.
const LAST_WORD: Duration = Duration::from_secs(10);

/// Looking fails for this long before the run gives up, leaving everything to the next one.
const BLIND: Duration = Duration::from_secs(900);

/// How long to wait after AWS asked for patience.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same where AWS forbids looking; IAM changes take a moment to be seen everywhere.
const DENIED: Duration = Duration::from_secs(30);

/// Everything that a run needs.
pub struct Job<'a> {
    /// The way out, and the time.
    pub net: &'a Net,
    /// The account.
    pub cloud: &'a Cloud,
    /// Where the image is pushed to besides, and what is asked of the registries.
    pub parcel: &'a config::Image,
    /// Who we are to registries other than AWS's.
    pub logins: &'a Logins,
    /// What is rolled out where.
    pub target: &'a Target,
    /// What is wanted.
    pub wish: Wish,
    /// How the image comes into the registries.
    pub made: Made,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// Runs a job to its end, telling what happens. `None` where the ledger has moved since the job was
/// made: nothing was changed then, and everything has to be checked again.
pub async fn run(job: Job<'_>, tell: &mut dyn FnMut(Stamped)) -> Option<Outcome> {
    let ledger = Ledger::new(job.cloud, &job.target.plan.service);
    let stop = job.stop.clone();
    let claimed = claim(&ledger, &job.wish, &job.target.origin, || job.cloud.now());
    let Claimed { record, notice } = match stop.in_grace(claimed).await {
        None => return Some(interrupted::while_claiming()),
        Some(Ok(claimed)) => claimed,
        Some(Err(LedgerError::Moved)) => return None,
        Some(Err(error)) => {
            let message = format!("the ledger could not be claimed: {error}");
            let hint = joined([Some("nothing was changed".to_owned()), error.hint()]);
            return Some(Outcome { hint, ..Outcome::new(Ending::Failed, message) });
        }
    };
    let mut run = Run {
        saved: record.clone(),
        record,
        ledger,
        carried: Carried::default(),
        seeing: Instant::now(),
        listing: Instant::now(),
        saving: Instant::now(),
        weights: job.target.weights,
        newer: None,
        inherited: false,
        advice: None,
        cause: None,
        told: Vec::new(),
        turns: 0,
        tell,
        job,
    };
    run.tell(Event::Started {
        service: run.record.service.clone(),
        strategy: run.record.strategy,
        claim: run.record.number,
        continues: run.record.continues,
    });
    run.notice(notice);
    // One allocation a run, instead of every caller's future carrying it.
    let end = match stop.in_grace(Box::pin(run.work())).await {
        Some(end) => end,
        None => run.interrupted().await,
    };
    if end.ending == Ending::Succeeded {
        let tidied = orphans::delete(run.job.cloud, &run.ledger, run.job.target);
        let notice = stop.unless_asked(tidied).await;
        run.notice(notice.flatten());
    }
    Some(run.outcome(end))
}

struct Run<'a, 't> {
    job: Job<'a>,
    ledger: Ledger,
    record: Record,
    saved: Record,
    carried: Carried,
    /// When a look succeeded last.
    seeing: Instant,
    /// When all of the ledger was read last.
    listing: Instant,
    /// When a save succeeded last, or was not needed.
    saving: Instant,
    /// The shares that were read last, with two groups.
    weights: Option<PerColour<u8>>,
    /// The newer run that holds the claim, where there is one.
    newer: Option<u64>,
    /// Whether the predecessor's last word is in the record.
    inherited: bool,
    /// What to do about a change that AWS refused for good.
    advice: Option<String>,
    /// Why capacity or health was waited for in vain.
    cause: Option<String>,
    told: Vec<Event>,
    turns: u64,
    tell: &'t mut dyn FnMut(Stamped),
}

impl Run<'_, '_> {
    async fn work(&mut self) -> End {
        loop {
            if self.job.stop.asked() {
                return self.interrupted().await;
            }
            if self.record.phase == Phase::Prepare {
                if let Some(end) = Box::pin(self.prepare()).await {
                    return end;
                }
                continue;
            }
            if self.record.phase == Phase::TakeOver {
                match self.inherit_again().await {
                    Ok(true) => {}
                    Ok(false) => {
                        self.sleep(PATIENCE).await;
                        continue;
                    }
                    Err(end) => return *end,
                }
            }
            match Box::pin(self.turn()).await {
                Ok(wake) => self.sleep(wake).await,
                Err(end) => return *end,
            }
        }
    }

    /// Before T is over, reads once more what the predecessor left. False where that has to be tried
    /// again; an end where it fails for too long.
    async fn inherit_again(&mut self) -> Result<bool, Box<End>> {
        let waited = self.job.cloud.now().duration_since(self.record.since).unsigned_abs();
        if self.inherited || waited < T - LAST_WORD {
            return Ok(true);
        }
        match again(&self.ledger, &self.job.wish, &self.record).await {
            Ok(record) => {
                self.record = record.unwrap_or_else(|| self.record.clone());
                self.inherited = true;
            }
            Err(error) if waited > T + BLIND => {
                return Err(Box::new(End {
                    ending: Ending::Stuck,
                    message: format!("what the previous run left could not be read: {error}"),
                    hint: Some("nothing was changed; run the same command again".to_owned()),
                }));
            }
            Err(error) => self.tell(Event::Notice { message: error.to_string() }),
        }
        Ok(self.inherited)
    }

    /// Image and version. Nothing of the fleet is touched before both exist, and asking for either
    /// again brings the same: so this may be dropped anywhere.
    async fn prepare(&mut self) -> Option<End> {
        let stop = self.job.stop.clone();
        let told = prepare(&self.job, &self.ledger, &mut self.record);
        match stop.unless_asked(told).await? {
            Ok(events) => {
                for event in events {
                    self.tell(event);
                }
                self.record.since = self.job.cloud.now();
                let (phase, message) = match self.record.fleet {
                    FleetFacts::TwoGroups(_) => {
                        (Phase::Free, "freeing the idle group of its retirement")
                    }
                    FleetFacts::OneGroup(_) => (Phase::Refresh, "replacing instances in batches"),
                };
                self.record.phase = phase;
                self.tell(Event::Phase { phase: phase.name(), message: message.to_owned() });
                self.save().await.err().map(|end| *end)
            }
            Err(end) if end.ending == Ending::Superseded => Some(end),
            Err(end) if self.record.continues.is_some() => {
                // What the predecessor changed has to go back too.
                self.record.reason = Some(end.message);
                self.record.phase = Phase::TakeBack;
                self.record.since = self.job.cloud.now();
                None
            }
            Err(end) => {
                self.record.phase = Phase::Done;
                self.record.ending = Some(end.ending);
                // An end of a fleet that was not touched: unsaved, the next run takes it over.
                let _ = self.save().await;
                Some(end)
            }
        }
    }

    /// One turn: gives the time to sleep, or the end.
    async fn turn(&mut self) -> Result<Duration, Box<End>> {
        self.turns += 1;
        // Kept until a look succeeds: what the last turn brought is known from nowhere else.
        let mut carried = self.carried.clone();
        carried.whole_ledger = Instant::now().duration_since(self.listing) >= HEARTBEAT;
        let whole = carried.whole_ledger;
        let (cloud, target) = (self.job.cloud, self.job.target);
        let ledger = self.ledger.clone();
        let stop = self.job.stop.clone();
        let scene = Scene { cloud, ledger: &ledger, target };
        let observed =
            match stop.unless_asked(Box::pin(observe(&scene, &self.record, carried))).await {
                None => return Ok(Duration::ZERO),
                Some(Ok(observed)) => observed,
                Some(Err(blind)) => return self.blind(&blind),
            };
        self.seeing = Instant::now();
        if whole {
            self.listing = self.seeing;
        }
        self.weights = observed.weights(&target.plan).or(self.weights);
        let highest = observed.seen.claim.highest;
        self.newer = Some(highest).filter(|highest| *highest > self.record.number);
        if let Some(spoilt) = observed.spoilt {
            self.tell(Event::Notice { message: spoilt.to_owned() });
            // As if it had never been written.
            self.saved.heartbeat = Timestamp::MIN;
        }
        let next = decide(&target.plan, &self.record, &observed.seen);
        let starved = Starved::of(&target.plan, &self.record, &observed.seen, &next);
        for event in &next.events {
            self.tell(event.clone());
        }
        if next.reclaim {
            return self.reclaim().await.map_or(Ok(next.wake), Err);
        }
        if self.newer.is_some() && !mutant::on(Mutant::NoFence) {
            // Not even the own record is written any more.
            return next.end.map_or(Ok(next.wake), |end| Err(Box::new(end)));
        }
        let before = std::mem::replace(&mut self.record, next.record.clone());
        let late = mutant::on(Mutant::RecordBeforeWeights);
        if (!next.urgent || late) && !self.save().await? {
            // No change, and no end, without its record: decide again.
            self.record = before;
            return Ok(Duration::from_secs(2));
        }
        let acted = act(&scene, &self.job, &self.record, &observed, &next).await;
        for event in acted.events {
            self.tell(event);
        }
        self.advice = acted.advice.or(self.advice.take());
        self.carried = Carried { smoke: acted.smoke, refused: acted.refused, ..Carried::default() };
        if next.urgent {
            self.save().await?;
        }
        if let Some(starved) = starved {
            self.cause = stop.unless_asked(starved.cause(cloud)).await.flatten();
        }
        let wake = if acted.throttled { next.wake.max(PATIENCE) } else { next.wake };
        next.end.map_or(Ok(wake), |end| Err(Box::new(end)))
    }

    /// A look failed. Nothing is decided on half a picture.
    fn blind(&mut self, blind: &Blind) -> Result<Duration, Box<End>> {
        self.tell(Event::Notice {
            message: format!("looking again, because a read failed: {blind}"),
        });
        // What is forbidden now is still forbidden in a quarter of an hour.
        let patience = if blind.is_denied() { DENIED } else { BLIND };
        if Instant::now().duration_since(self.seeing) <= patience {
            return Ok(Duration::from_secs(5));
        }
        Err(Box::new(blind.end()))
    }

    /// Takes the claim back from a successor that died before it acted, to give traffic back; or
    /// ends, where that one has ended meanwhile.
    async fn reclaim(&mut self) -> Option<Box<End>> {
        let mut wish = self.job.wish.clone();
        wish.wanted = super::Wanted::Back { of: None };
        let cloud = self.job.cloud;
        match claim(&self.ledger, &wish, &self.job.target.origin, || cloud.now()).await {
            Ok(Claimed { record, notice }) => {
                self.notice(notice);
                // What is wanted now is another thing than the job's wish.
                self.inherited = true;
                self.record = record.clone();
                self.saved = record;
                self.newer = None;
                None
            }
            Err(LedgerError::Moved) => Some(Box::new(End {
                ending: Ending::Superseded,
                message: "a newer run has taken over and ended".to_owned(),
                hint: Some("`cutover status` shows what it left".to_owned()),
            })),
            Err(error) => {
                self.tell(Event::Notice { message: error.to_string() });
                None
            }
        }
    }

    /// Saves the record if it has news, or if its heartbeat is due. False where it is not saved and
    /// may yet be; an end where it cannot be.
    async fn save(&mut self) -> Result<bool, Box<End>> {
        let now = self.job.cloud.now();
        let age = now.duration_since(self.saved.heartbeat).unsigned_abs();
        self.record.heartbeat = self.saved.heartbeat;
        if self.record == self.saved && age < HEARTBEAT {
            self.saving = Instant::now();
            return Ok(true);
        }
        self.record.heartbeat = now;
        let error = match self.ledger.save(&self.record).await {
            Ok(()) => {
                self.saved = self.record.clone();
                self.saving = Instant::now();
                return Ok(true);
            }
            Err(error) => error,
        };
        self.tell(Event::Notice { message: format!("the record could not be saved: {error}") });
        let patience = if error.is_final() { DENIED } else { BLIND };
        if Instant::now().duration_since(self.saving) <= patience {
            return Ok(false);
        }
        Err(Box::new(End {
            ending: Ending::Stuck,
            message: format!("the record could not be saved: {error}"),
            hint: joined([
                Some("fix that, then run the same command again to go on from here".to_owned()),
                error.hint(),
            ]),
        }))
    }

    async fn interrupted(&mut self) -> End {
        if let Some(newer) = self.newer {
            return interrupted::superseded(newer);
        }
        if self.record.ending.is_some() {
            // An end that is not on record yet is reached again by the next run.
            self.record = self.saved.clone();
        }
        // Whether or not it is saved in time: the next run goes by the last record that was.
        let _ = tokio::time::timeout(GRACE, self.save()).await;
        interrupted::end(&self.record, self.weights)
    }

    /// Sleeps, a little more or less than asked, so that runs do not march in step.
    async fn sleep(&mut self, wake: Duration) {
        let mixed = (self.record.number << 32 ^ self.turns).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let wake = wake.mul_f64(0.9 + 0.2 * (mixed >> 40) as f64 / f64::from(1 << 24));
        let clock = self.job.net.clock;
        tokio::select! {
            biased;
            () = self.job.stop.wait() => {}
            () = clock.sleep(wake) => {}
        }
    }

    fn notice(&mut self, message: Option<String>) {
        if let Some(message) = message {
            self.tell(Event::Notice { message });
        }
    }

    /// Tells an event, unless the last of its kind said the same.
    fn tell(&mut self, event: Event) {
        let kind = std::mem::discriminant(&event);
        if let Event::Phase { .. } = event {
            self.told.retain(|told| matches!(told, Event::Weights { .. }));
        }
        if let Some(told) = self.told.iter_mut().find(|t| std::mem::discriminant(*t) == kind) {
            if event.repeats(told) {
                return;
            }
            *told = event.clone();
        } else {
            self.told.push(event.clone());
        }
        (self.tell)(Stamped { time: self.job.cloud.now(), event });
    }

    /// Whether this end asserts that the record's image is what was launched.
    fn is_proven(&self, ending: Ending) -> bool {
        let forward = matches!(self.record.goal, Goal::Deploy | Goal::Rollback);
        forward
            && ending == self.record.goal.reached()
            && self.record.image.is_some()
            && self.record.reason.is_none()
    }

    fn outcome(&mut self, end: End) -> Outcome {
        Outcome {
            hint: joined([end.hint, self.advice.take(), self.cause.take()]),
            strategy: Some(self.record.strategy),
            image: self.record.image.clone(),
            rollout: Some(self.record.number),
            commit: self.record.commit.clone(),
            previous_commit: self.record.previous_commit.clone(),
            launch_template_version: self.record.version,
            previous_version: Some(self.record.previous),
            weights: self.weights,
            proof: self.is_proven(end.ending).then_some("launched"),
            ..Outcome::new(end.ending, end.message)
        }
    }
}
