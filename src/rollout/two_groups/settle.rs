//! The end of a rollout that went well: the old side's traffic is seen to end, success is read and
//! not assumed, and the old group's retirement is left to a scheduled action, so that no runner waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Machine;
use crate::model::{Event, Phase, TargetHealth};
use crate::rollout::refresh::{active, at_version};
use crate::rollout::{Action, RETIREMENT, T};

/// CloudWatch has a minute one to two minutes after its end (recorded once); with T and a whole
/// minute before, this is when a minute without old traffic can be known.
const QUIET: Duration = Duration::from_secs(T.as_secs() + 180);

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
        let now = self.turn.seen.now;
        let from_tg = &self.side(self.from).target_group;
        let late = shifted.checked_add(T).unwrap_or(now);
        let last = self.turn.seen.counts.get(from_tg).and_then(|counts| {
            counts
                .minutes
                .iter()
                .rev()
                .find(|(start, c)| *start >= late && c.requests > 0)
                .map(|(start, _)| *start)
        });
        let quiet_since = last.unwrap_or(shifted);
        if self.turn.since(quiet_since) < QUIET {
            let evidence = self.turn.plan.deadlines.evidence;
            if self.turn.overdue(evidence) {
                self.take_back("the old side still gets requests: its traffic did not end in time");
            } else {
                self.turn.wait("the old side's traffic is seen to end", Some(evidence));
            }
            return;
        }
        if self.hand_over_minimum() {
            return;
        }
        self.turn.go(Phase::Verify, "reading what success asserts");
    }

    /// The new side takes over the minimum that the old one had, if its own still reads as we
    /// wrote it. True while the change is on its way.
    fn hand_over_minimum(&mut self) -> bool {
        let Some(seen) = self.seen(self.to()) else { return true };
        let (reads, min) = (seen.group.capacity.min, self.facts.sides[self.from].min);
        if reads == min {
            return false;
        }
        if self.facts.sides[self.to()].pinned != Some(reads) {
            let group = self.side(self.to()).group.clone();
            self.turn.notice(format!(
                "the minimum of {group} is {reads}, which is not ours: left alone"
            ));
            return false;
        }
        self.pin(self.to(), min, "the minimum that the old group had");
        true
    }

    /// What exit 0 asserts.
    pub(super) fn verify(&mut self) {
        if !self.holds(100) {
            return;
        }
        match self.unproven() {
            None => {
                self.turn.go(Phase::Retire, "the new version is live and proven");
                if self.turn.plan.retire_after.is_none() {
                    self.succeed();
                }
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

    /// Schedules the old group's retirement and sees it there.
    pub(super) fn retire(&mut self) {
        if !self.holds(100) {
            return;
        }
        let (Some(after), Some(old)) = (self.turn.plan.retire_after, self.seen(self.from)) else {
            self.succeed();
            return;
        };
        if old.scheduled.iter().any(|action| action.name == RETIREMENT) {
            self.succeed();
            return;
        }
        let now = self.turn.seen.now;
        let idle = &self.facts.sides[self.to()];
        let size = idle.retirement.map_or(idle.min, |retirement| retirement.size);
        let mut at = add(now, after.max(EARLIEST_RETIREMENT));
        // Start times must be unique within a group.
        while old.scheduled.iter().any(|action| action.at == Some(at)) {
            at = add(at, Duration::from_secs(60));
        }
        let group = self.side(self.from).group.clone();
        self.turn.tell(Event::Retirement { group: group.clone(), at, size });
        self.turn.send(Action::Schedule { group, at, size });
        if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.turn
                .notice("the old group's retirement could not be scheduled: retire it by hand");
            self.succeed();
        }
    }

    fn succeed(&mut self) {
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
