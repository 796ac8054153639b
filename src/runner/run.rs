//! One run, from its claim to its end.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::act::act;
use super::claim::{Claimed, claim, reread_inherited};
use super::observe::{ObserveContext, ObserveError, TickState, observe};
use super::orphans;
use super::prepare::{next_phase, prepare};
use super::stalled_group::StalledGroup;
use super::stop::GRACE;
use super::{Ledger, LedgerError, RolloutRequest, RolloutSpec, Stop, interrupted};
use crate::publish::Publication;
use cutover_aws::{Aws, Disposition};
use cutover_net::Net;
use cutover_rollout::model::{
    Event, Failure, Goal, Outcome, PerColor, Phase, Record, Status, TimedEvent, join_hints,
};
use cutover_rollout::mutant::{self, Mutant};
use cutover_rollout::{Exit, T, decide};

/// How often an unchanged record is written, so that other runs see that its run is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long before the end of T the predecessor's record is read again: nothing that it sent can arrive after that.
const FINAL_REREAD: Duration = Duration::from_secs(10);

/// How long observations may fail before the run gives up and leaves everything to the next one.
const MAX_READ_FAILURE: Duration = Duration::from_secs(900);

/// How long to wait after AWS throttled a request.
const THROTTLE_PAUSE: Duration = Duration::from_secs(5);

/// The same as [`MAX_READ_FAILURE`] if AWS denies access: IAM changes take a moment to apply everywhere.
const MAX_DENIED: Duration = Duration::from_secs(30);

/// Returns how long something may fail before the run gives up. What AWS refuses for good now, it still refuses in a
/// quarter of an hour.
fn gives_up_after(disposition: Disposition) -> Duration {
    if disposition == Disposition::Final { MAX_DENIED } else { MAX_READ_FAILURE }
}

/// What a run needs.
pub struct Job<'a> {
    /// The network and the clock.
    pub net: &'a Net,
    /// The AWS account.
    pub cloud: &'a Aws,
    /// What to roll out, and where.
    pub target: &'a RolloutSpec,
    /// What the run is to do.
    pub wish: RolloutRequest,
    /// The image that this run has published, and whose tags are to be set.
    pub publication: Option<&'a Publication<'a>>,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// Runs a job to its end, and reports what happens. `None` if the ledger has changed since the job was created: nothing
/// was changed then, and everything has to be checked again.
pub async fn run(job: Job<'_>, emit: &mut dyn FnMut(TimedEvent)) -> Option<Outcome> {
    let ledger = Ledger::new(job.cloud, &job.target.plan.service);
    let stop = job.stop.clone();
    let claimed = claim(&ledger, &job.wish, &job.target.origin, || job.cloud.now());
    let Claimed { record, notice } = match stop.within_grace(claimed).await {
        None => return Some(interrupted::while_claiming()),
        Some(Ok(claimed)) => claimed,
        Some(Err(LedgerError::Changed)) => return None,
        Some(Err(error)) => {
            let message = format!("the ledger could not be claimed: {error}");
            let failure = Failure { message, ..Failure::from(error) };
            return Some(failure.hint_first("nothing was changed").into());
        }
    };
    let mut run = Run {
        saved: record.clone(),
        record,
        ledger,
        carried: TickState::default(),
        last_observed: Instant::now(),
        last_listed: Instant::now(),
        last_saved: Instant::now(),
        shares: job.target.shares,
        newer: None,
        inherited: false,
        advice: None,
        cause: None,
        reported: Vec::new(),
        ticks: 0,
        emit,
        job,
    };
    run.emit(Event::Started {
        service: run.record.service.clone(),
        strategy: run.record.strategy,
        claim: run.record.number,
        continues: run.record.continues,
    });
    run.notice(notice);
    // One allocation per run, instead of a larger future in every caller.
    let end = match stop.within_grace(Box::pin(run.work())).await {
        Some(end) => end,
        None => run.interrupted().await,
    };
    if end.status == Status::Succeeded {
        let tidied = orphans::delete(run.job.cloud, &run.ledger, run.job.target);
        let notice = stop.unless_stopped(tidied).await;
        run.notice(notice.flatten());
    }
    Some(run.outcome(end))
}

struct Run<'a, 't> {
    job: Job<'a>,
    ledger: Ledger,
    record: Record,
    saved: Record,
    carried: TickState,
    /// When an observation last succeeded.
    last_observed: Instant,
    /// When the whole ledger was last read.
    last_listed: Instant,
    /// When a save last succeeded or was not needed.
    last_saved: Instant,
    /// The shares that were last read, with two groups.
    shares: Option<PerColor<u8>>,
    /// The number of the newer run that holds the claim, if there is one.
    newer: Option<u64>,
    /// Whether the record includes what the predecessor saved last.
    inherited: bool,
    /// What to do about a change that AWS refused for good.
    advice: Option<String>,
    /// Why a group did not get capacity or become healthy.
    cause: Option<String>,
    reported: Vec<Event>,
    ticks: u64,
    emit: &'t mut dyn FnMut(TimedEvent),
}

impl Run<'_, '_> {
    async fn work(&mut self) -> Exit {
        loop {
            if self.job.stop.is_requested() {
                return self.interrupted().await;
            }
            if self.record.phase == Phase::Prepare {
                if let Some(end) = Box::pin(self.prepare()).await {
                    return end;
                }
                continue;
            }
            if self.record.phase == Phase::TakeOver {
                match self.reread_predecessor().await {
                    Ok(true) => {}
                    Ok(false) => {
                        self.sleep(THROTTLE_PAUSE).await;
                        continue;
                    }
                    Err(end) => return *end,
                }
            }
            match Box::pin(self.tick()).await {
                Ok(wake) => self.sleep(wake).await,
                Err(end) => return *end,
            }
        }
    }

    /// Before T is over, reads again what the predecessor left. Returns false if that has to be repeated, and an end
    /// if it fails for too long.
    async fn reread_predecessor(&mut self) -> Result<bool, Box<Exit>> {
        let waited = self.job.cloud.now().duration_since(self.record.since).unsigned_abs();
        if self.inherited || waited < T - FINAL_REREAD {
            return Ok(true);
        }
        match reread_inherited(&self.ledger, &self.job.wish, &self.record).await {
            Ok(record) => {
                self.record = record.unwrap_or_else(|| self.record.clone());
                self.inherited = true;
            }
            Err(error) if waited > T + MAX_READ_FAILURE => {
                return Err(Box::new(Exit {
                    status: Status::Stuck,
                    message: format!("the record of the previous run could not be read: {error}"),
                    hint: Some("nothing was changed; run the same command again".to_owned()),
                }));
            }
            Err(error) => self.emit(Event::Notice { message: error.to_string() }),
        }
        Ok(self.inherited)
    }

    /// Sets the image's tags and creates the version. No group or rule is changed before both exist, and repeating either
    /// request has the same result, so this may be dropped at any point.
    async fn prepare(&mut self) -> Option<Exit> {
        let stop = self.job.stop.clone();
        let reported = prepare(&self.job, &self.ledger, &mut self.record);
        match stop.unless_stopped(reported).await? {
            Ok(events) => {
                for event in events {
                    self.emit(event);
                }
                self.record.since = self.job.cloud.now();
                let (phase, message) = next_phase(&self.job.target.plan, &self.record.fleet);
                self.record.phase = phase;
                self.emit(Event::Phase { phase: phase.name(), message });
                self.save().await.err().map(|end| *end)
            }
            Err(failure) if failure.status == Status::Superseded => Some(failure.into()),
            Err(failure) if self.record.continues.is_some() => {
                // What the predecessor changed has to be undone, too.
                self.record.set_reason(&failure.message);
                self.advice = failure.hint;
                self.record.phase = Phase::RestoreTraffic;
                self.record.since = self.job.cloud.now();
                None
            }
            Err(failure) => {
                self.record.phase = Phase::Done;
                self.record.status = Some(failure.status);
                // No group or rule was changed: if this is not saved, the next run just takes over.
                let _ = self.save().await;
                Some(failure.hint_first("no group or rule was changed").into())
            }
        }
    }

    /// Runs one tick. Returns how long to sleep, or the end.
    async fn tick(&mut self) -> Result<Duration, Box<Exit>> {
        self.ticks += 1;
        // Kept until an observation succeeds: the results of the last tick are stored nowhere else.
        let mut carried = self.carried.clone();
        carried.whole_ledger = Instant::now().duration_since(self.last_listed) >= HEARTBEAT;
        let whole = carried.whole_ledger;
        let (cloud, target) = (self.job.cloud, self.job.target);
        let ledger = self.ledger.clone();
        let stop = self.job.stop.clone();
        let scene = ObserveContext { cloud, ledger: &ledger, target };
        let observed =
            match stop.unless_stopped(Box::pin(observe(&scene, &self.record, carried))).await {
                None => return Ok(Duration::ZERO),
                Some(Ok(observed)) => observed,
                Some(Err(blind)) => return self.observation_failed(&blind),
            };
        self.last_observed = Instant::now();
        if whole {
            self.last_listed = self.last_observed;
        }
        self.shares = observed.shares(&target.plan).or(self.shares);
        let highest = observed.observation.claim.highest;
        self.newer = Some(highest).filter(|highest| *highest > self.record.number);
        if let Some(spoilt) = observed.record_tampered {
            self.emit(Event::Notice { message: spoilt.to_owned() });
            // Makes the next save write the record.
            self.saved.heartbeat = Timestamp::MIN;
        }
        let next = decide(&target.plan, &self.record, &observed.observation);
        let starved = StalledGroup::of(&target.plan, &self.record, &observed.observation, &next);
        for event in &next.events {
            self.emit(event.clone());
        }
        if next.reclaim {
            return self.reclaim().await.map_or(Ok(next.next_tick_in), Err);
        }
        if self.newer.is_some() && !mutant::on(Mutant::NoFence) {
            // Nothing is written any more, not even this run's own record.
            return next.end.map_or(Ok(next.next_tick_in), |end| Err(Box::new(end)));
        }
        let before = std::mem::replace(&mut self.record, next.record.clone());
        let late = mutant::on(Mutant::RecordBeforeWeights);
        if (!next.act_before_saving || late) && !self.save().await? {
            // No change is sent, and no run ends, without its record: decide again.
            self.record = before;
            return Ok(Duration::from_secs(2));
        }
        let acted = act(&scene, &self.job, &self.record, &observed, &next).await;
        for event in acted.events {
            self.emit(event);
        }
        self.advice = acted.hint.or(self.advice.take());
        self.carried =
            TickState { smoke: acted.smoke, refused: acted.refused, ..TickState::default() };
        if next.act_before_saving {
            self.save().await?;
        }
        if let Some(starved) = starved {
            self.cause = stop.unless_stopped(starved.cause(cloud)).await.flatten();
        }
        let wake =
            if acted.throttled { next.next_tick_in.max(THROTTLE_PAUSE) } else { next.next_tick_in };
        next.end.map_or(Ok(wake), |end| Err(Box::new(end)))
    }

    /// Handles a failed observation. Nothing is decided on part of one.
    fn observation_failed(&mut self, blind: &ObserveError) -> Result<Duration, Box<Exit>> {
        self.emit(Event::Notice {
            message: format!("reading again, because a read failed: {blind}"),
        });
        let patience = gives_up_after(blind.disposition());
        if Instant::now().duration_since(self.last_observed) <= patience {
            return Ok(Duration::from_secs(5));
        }
        Err(Box::new(blind.end().into()))
    }

    /// Claims again, after a successor that died before it acted, to restore traffic. Returns an end if the successor
    /// has ended in the meantime.
    async fn reclaim(&mut self) -> Option<Box<Exit>> {
        let mut wish = self.job.wish.clone();
        wish.wanted = super::Desired::Back { of: None };
        let cloud = self.job.cloud;
        match claim(&self.ledger, &wish, &self.job.target.origin, || cloud.now()).await {
            Ok(Claimed { record, notice }) => {
                self.notice(notice);
                // The claim is for a rollback now, and not for what the job was to do.
                self.inherited = true;
                self.record = record.clone();
                self.saved = record;
                self.newer = None;
                None
            }
            Err(LedgerError::Changed) => Some(Box::new(Exit {
                status: Status::Superseded,
                message: "a newer run has taken over and ended".to_owned(),
                hint: Some("run `cutover status` to see the result".to_owned()),
            })),
            Err(error) => {
                self.emit(Event::Notice { message: error.to_string() });
                None
            }
        }
    }

    /// Saves the record if it has changed or its heartbeat is due. Returns false if that failed and is to be
    /// repeated, and an end if it has failed for too long.
    async fn save(&mut self) -> Result<bool, Box<Exit>> {
        let now = self.job.cloud.now();
        let age = now.duration_since(self.saved.heartbeat).unsigned_abs();
        self.record.heartbeat = self.saved.heartbeat;
        if self.record == self.saved && age < HEARTBEAT {
            self.last_saved = Instant::now();
            return Ok(true);
        }
        self.record.heartbeat = now;
        let error = match self.ledger.save(&self.record).await {
            Ok(()) => {
                self.saved = self.record.clone();
                self.last_saved = Instant::now();
                return Ok(true);
            }
            Err(error) => error,
        };
        self.emit(Event::Notice { message: format!("the record could not be saved: {error}") });
        if Instant::now().duration_since(self.last_saved) <= gives_up_after(error.disposition()) {
            return Ok(false);
        }
        let message = format!("the record could not be saved: {error}");
        let failure = Failure { message, ..Failure::from(error) }.with_status(Status::Stuck);
        let hint = "fix the cause, then run the same command again to resume";
        Err(Box::new(failure.hint_first(hint).into()))
    }

    async fn interrupted(&mut self) -> Exit {
        if let Some(newer) = self.newer {
            return interrupted::superseded(newer);
        }
        if self.record.status.is_some() {
            // The end is not recorded yet; the next run reaches it again.
            self.record = self.saved.clone();
        }
        // Whether or not this is saved in time, the next run continues from the last saved record.
        let _ = tokio::time::timeout(GRACE, self.save()).await;
        interrupted::end(&self.record, self.shares)
    }

    /// Sleeps for `wake`, varied by up to 10%, so that runs don't act in lockstep. Returns early if the run is to stop.
    async fn sleep(&mut self, wake: Duration) {
        let mixed = (self.record.number << 32 ^ self.ticks).wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
            self.emit(Event::Notice { message });
        }
    }

    /// Reports an event, unless the last one of its kind said the same.
    fn emit(&mut self, event: Event) {
        let kind = std::mem::discriminant(&event);
        if let Event::Phase { .. } = event {
            self.reported.retain(|reported| matches!(reported, Event::Traffic { .. }));
        }
        if let Some(reported) =
            self.reported.iter_mut().find(|t| std::mem::discriminant(*t) == kind)
        {
            if event.repeats(reported) {
                return;
            }
            *reported = event.clone();
        } else {
            self.reported.push(event.clone());
        }
        (self.emit)(TimedEvent { time: self.job.cloud.now(), event });
    }

    /// Returns whether this end asserts that instances were launched from the record's image.
    fn is_proven(&self, ending: Status) -> bool {
        let forward = matches!(self.record.goal, Goal::Deploy | Goal::Rollback);
        forward
            && ending == self.record.goal.reached()
            && self.record.image.is_some()
            && self.record.reason.is_none()
    }

    fn outcome(&mut self, end: Exit) -> Outcome {
        Outcome {
            hint: join_hints([end.hint, self.advice.take(), self.cause.take()]),
            strategy: Some(self.record.strategy),
            image: self.record.image.clone(),
            rollout: Some(self.record.number),
            commit: self.record.commit.clone(),
            previous_commit: self.record.previous_commit.clone(),
            launch_template_version: self.record.version,
            previous_version: Some(self.record.previous),
            shares: self.shares,
            proof: self.is_proven(end.status).then_some("launched"),
            ..Outcome::new(end.status, end.message)
        }
    }
}
