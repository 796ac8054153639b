//! The end of a rollout that went well: the old side's traffic is seen to end, success is read and
//! not assumed, and the old group's retirement is left to a scheduled action, so that no runner waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Machine;
use crate::model::{Colour, Event, Phase, ScheduledAction, TargetHealth};
use crate::rollout::evidence::LAG;
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::refresh::{active, at_version};
use crate::rollout::{Action, T, gate, retirement};

/// CloudWatch's period.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What CloudWatch tells of the old side's requests.
enum OldTraffic {
    /// A minute was counted, and the old side had no request in it.
    Ended,
    /// It has requests in the newest minute counted.
    Goes,
    /// No minute is counted yet.
    Unknown,
}

/// A scheduled action needs some way ahead of it: a past time is an error.
const EARLIEST_RETIREMENT: Duration = Duration::from_secs(180);

impl Machine<'_, '_, '_> {
    pub(super) fn settle(&mut self) {
        if !self.holds(100) {
            return;
        }
        let Some(shifted) = self.facts.shifted else {
            // A resumed run has not seen the shift itself: its waiting begins now.
            self.facts.shifted = Some(self.turn.seen.now);
            return;
        };
        let deadlines = self.turn.plan.deadlines;
        match self.old_traffic(shifted) {
            OldTraffic::Ended => {}
            // Nobody asks this service: there is nothing to be seen.
            OldTraffic::Unknown if self.turn.overdue(deadlines.healthy) => {
                self.turn.notice("no request was counted on either side since the shift");
            }
            OldTraffic::Goes if self.turn.overdue(deadlines.evidence) => {
                self.take_back("the old side still gets requests: its traffic did not end in time");
                return;
            }
            OldTraffic::Goes | OldTraffic::Unknown => {
                let limit = Some(deadlines.evidence);
                self.turn.wait("the old side's traffic is seen to end", limit);
                return;
            }
        }
        self.turn.go(Phase::Verify, "reading what success asserts");
    }

    /// Whether the old side still gets requests, by what CloudWatch has. Minutes before T after the
    /// shift say nothing. That a minute is there at all is seen on either side: one without requests
    /// may be missing (user guide: idle minutes may have no data). One that is too young may yet change.
    fn old_traffic(&self, shifted: Timestamp) -> OldTraffic {
        let now = self.turn.seen.now;
        let late = shifted.checked_add(T).unwrap_or(now);
        let minutes = |colour: Colour| {
            let counts = self.turn.seen.counts.get(&self.side(colour).target_group);
            counts.map(|counts| counts.minutes.as_slice()).unwrap_or_default()
        };
        let old = minutes(self.from);
        let busy = old.iter().rev().find(|(start, counts)| *start >= late && counts.requests > 0);
        let all = old.iter().chain(minutes(self.to())).map(|(start, _)| *start);
        let settled = now.saturating_sub(LAG + MINUTE).unwrap_or(late);
        let known = all.filter(|start| *start <= settled).max();
        match (known.filter(|start| *start >= late), busy) {
            (None, _) => OldTraffic::Unknown,
            (Some(known), Some((busy, _))) if known <= *busy => OldTraffic::Goes,
            (Some(_), _) => OldTraffic::Ended,
        }
    }

    /// The new side takes over the minimum that the old one had. True while the change is on its way.
    fn hand_over_minimum(&mut self) -> bool {
        let min = self.facts.sides[self.from].min;
        self.unpin(self.to(), min, "the minimum that the old group had")
    }

    /// Where a person retires the old group, its own minimum is given back now: nobody would later
    /// know that the one which kept it warm was ours. Its instances stay. True while the change is on
    /// its way.
    fn give_back_minimum(&mut self) -> bool {
        let min = self.facts.sides[self.from].min;
        self.unpin(self.from, min, "its own; its instances stay until you retire them")
    }

    /// Sets a minimum that still reads as we wrote it. True while the change is on its way.
    fn unpin(&mut self, colour: Colour, min: u32, why: &str) -> bool {
        let Some(seen) = self.seen(colour) else { return true };
        let capacity = seen.group.capacity;
        // Somebody may have lowered the maximum since.
        let (reads, min) = (capacity.min, min.min(capacity.max));
        if reads == min {
            return false;
        }
        let group = &self.side(colour).group;
        if !self.wrote(colour, reads) {
            self.turn.notice(format!(
                "the minimum of {group} is {reads}, which is not ours: left alone"
            ));
            return false;
        }
        if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.turn.notice(format!("the minimum of {group} stays {reads}: it could not be set"));
            return false;
        }
        self.pin(colour, min, why);
        true
    }

    /// What exit 0 asserts.
    pub(super) fn verify(&mut self) {
        if !self.holds(100) {
            return;
        }
        match self.unproven() {
            None => {
                self.turn.go(Phase::Retire, "the version is live and proven");
            }
            Some(why) if self.turn.overdue(self.turn.plan.deadlines.healthy) => {
                self.take_back(format!("success could not be proven: {why}"));
            }
            Some(why) => self.turn.wait(why, Some(self.turn.plan.deadlines.healthy)),
        }
    }

    pub(super) fn unproven(&self) -> Option<String> {
        let seen = self.seen(self.to())?;
        let group = &self.side(self.to()).group;
        let version = self.version(self.to());
        let proof = self.turn.seen.proof;
        if !proof.is_some_and(|p| p.bracketed) {
            return Some("claim and rules changed while they were read".to_owned());
        }
        if !proof.is_some_and(|p| p.pinned) {
            return Some(format!(
                "the user data of version {version} does not hold the digest alone"
            ));
        }
        if active(seen).is_some() {
            return Some(format!("an instance refresh of {group} is active"));
        }
        if !at_version(seen, &self.turn.plan.template, version) {
            return Some(format!(
                "not every instance of {group} is in service from version {version}"
            ));
        }
        crate::rollout::one_group::unmatched_targets(seen, TargetHealth::Healthy)
    }

    /// Schedules the old group's retirement and sees it there, then hands over the minimum. The new
    /// version is proven: that its group may scale in from here on is no loss, so only the weights
    /// are watched.
    pub(super) fn retire(&mut self) {
        if !self.weights_hold(100) {
            return;
        }
        let other = gate::other_rule(self.turn.seen, self.side(self.from));
        let mut by_hand = self.turn.plan.retire_after.is_none();
        if let (Some(rule), false) = (other, by_hand) {
            let group = self.side(self.from).group.clone();
            let scheduled =
                self.seen(self.from).is_some_and(|old| retirement(&old.scheduled).is_some());
            if scheduled && !self.turn.overdue(self.turn.plan.deadlines.healthy) {
                // It would empty a group that bears weight.
                self.turn.send(Action::Unschedule { group });
                return;
            }
            by_hand = true;
            self.turn.notice(format!(
                "{group} has to be retired by hand: {} gives traffic to it, which this rollout does not move",
                rule.id
            ));
        } else if let (Some(after), Some(old)) = (self.turn.plan.retire_after, self.seen(self.from))
            && retirement(&old.scheduled).is_none()
        {
            if !self.turn.overdue(self.turn.plan.deadlines.healthy) {
                self.schedule_retirement(after, &old.scheduled);
                return;
            }
            by_hand = true;
            self.turn
                .notice("the old group's retirement could not be scheduled: retire it by hand");
        }
        self.leave_minimums(by_hand);
    }

    /// The minimums as they are to stay, one a turn; then the end. Where a person has to retire the old
    /// group, nobody would know later that the minimum which keeps it is ours.
    pub(super) fn leave_minimums(&mut self, by_hand: bool) {
        let on_its_way = self.hand_over_minimum() || (by_hand && self.give_back_minimum());
        if !on_its_way {
            self.succeed();
        }
    }

    fn schedule_retirement(&mut self, after: Duration, others: &[ScheduledAction]) {
        let idle = &self.facts.sides[self.to()];
        let size = idle.retirement.map_or(idle.min, |retirement| retirement.size);
        let after = if mutant::on(Mutant::RetiresTooEarly) { Duration::ZERO } else { after };
        let mut at = add(self.turn.seen.now, after.max(EARLIEST_RETIREMENT));
        // Start times must be unique within a group.
        while others.iter().any(|action| action.at == Some(at)) {
            at = add(at, Duration::from_secs(60));
        }
        let group = self.side(self.from).group.clone();
        self.turn.tell(Event::Retirement { group: group.clone(), at, size });
        self.turn.send(Action::Schedule { group, at, size });
    }

    pub(super) fn succeed(&mut self) {
        let version = self.version(self.to());
        let colour = self.to();
        self.turn.end(
            self.turn.record.goal.reached(),
            format!("all traffic is on {colour}, every instance launched from version {version}"),
            None,
        );
    }
}

/// `duration` later, to the second, as AWS stores start times.
fn add(at: Timestamp, duration: Duration) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX));
    Timestamp::from_second(at.as_second()).and_then(|at| at.checked_add(seconds)).unwrap_or(at)
}
