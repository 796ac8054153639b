//! The idle group, out of traffic: freed of its retirement, brought to the version, brought to size.

use std::time::Duration;

use super::Machine;
use crate::model::{
    Colour, Event, Phase, Preferences, RefreshFacts, RefreshStatus, RetirementFacts,
};
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::refresh::{active, at_version, but_suspended, ours};
use crate::rollout::{Action, gate, retirement};

/// A scheduled action may run up to two minutes late (user guide): around its time it is waited out.
pub(super) const AROUND: Duration = Duration::from_secs(180);

/// How bringing a group to a version stands.
pub(super) enum Bringing {
    Done,
    Waiting,
    Failed(String),
}

/// All at once, because the group bears no weight; our own gate waits for health, so that no
/// warmup is needed.
pub(super) fn idle_preferences() -> Preferences {
    Preferences {
        min_healthy: 0,
        warmup: Some(Duration::ZERO),
        skip_matching: true,
        ..Preferences::default()
    }
}

impl Machine<'_, '_, '_> {
    /// Deletes our scheduled retirement, on either group, and sees it gone.
    pub(super) fn free(&mut self) {
        if self.refuse_weight() {
            return;
        }
        for colour in Colour::BOTH {
            let Some(seen) = self.seen(colour) else { return };
            let scheduled = retirement(&seen.scheduled);
            let Some(action) = scheduled.filter(|_| !mutant::on(Mutant::RetirementStands)) else {
                continue;
            };
            let group = self.side(colour).group.clone();
            if let Some(at) = action.at {
                if at.duration_since(self.turn.seen.now).unsigned_abs() <= AROUND {
                    self.turn.wait(
                        format!("the retirement of {group} is due about now: waiting it out"),
                        None,
                    );
                    return;
                }
                let (size, reads) = (action.min.unwrap_or(0), seen.group.capacity.min);
                if !self.wrote(colour, reads) {
                    self.facts.sides[colour].pinned.push(reads);
                }
                self.facts.sides[colour].retirement = Some(RetirementFacts { at, size });
            }
            self.turn.send(Action::Unschedule { group });
        }
        if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.take_back("the earlier retirement could not be removed in time");
        } else if self.turn.actions.is_empty() {
            let group = self.side(self.to()).group.clone();
            let version = self.version(self.to());
            self.turn.go(Phase::Refresh, format!("bringing {group} to version {version}"));
        }
    }

    /// Brings the idle group to the version by an instance refresh.
    pub(super) fn refresh(&mut self) {
        if self.refuse_weight() {
            return;
        }
        let version = self.version(self.to());
        match self.bring_to(version) {
            Bringing::Done => {
                self.facts.refresh = None;
                let (to, from) =
                    (self.side(self.to()).group.clone(), self.side(self.from).group.clone());
                self.turn.go(Phase::Size, format!("bringing {to} to the size of {from}"));
            }
            Bringing::Failed(why) => self.take_back(why),
            Bringing::Waiting if self.turn.overdue(self.turn.plan.deadlines.refresh) => {
                let but = self.seen(self.to()).map(but_suspended).unwrap_or_default();
                self.take_back(format!("the instance refresh did not end in time{but}"));
            }
            Bringing::Waiting => {}
        }
    }

    /// Works towards: the idle group saved at `version`, all instances launched from it, no refresh
    /// active.
    pub(super) fn bring_to(&mut self, version: u64) -> Bringing {
        let to = self.to();
        let Some(seen) = self.seen(to) else { return Bringing::Waiting };
        let group = self.side(to).group.clone();
        let template = self.turn.plan.template.as_str();
        let preferences = idle_preferences();
        let wanted = self.facts.refresh.clone().filter(|facts| facts.version == version);
        let mine = wanted.as_ref().and_then(|facts| ours(seen, facts, template, &preferences));
        if let Some(refresh) = mine {
            self.facts.refresh =
                wanted.clone().map(|f| RefreshFacts { id: Some(refresh.id.clone()), ..f });
            self.turn.tell(Event::Refresh {
                group: group.clone(),
                status: refresh.status,
                percent: refresh.percent,
                reason: refresh.reason.clone(),
            });
        }
        if let Some(other) = active(seen) {
            if mine.is_some_and(|m| m.id == other.id) {
                self.turn.wait(
                    format!("{group} is brought to version {version}"),
                    Some(self.turn.plan.deadlines.refresh),
                );
            } else if self.facts.refresh.as_ref().is_some_and(|f| f.id.as_ref() == Some(&other.id))
            {
                if other.status != RefreshStatus::Cancelling {
                    self.turn.notice(format!("cancelling the earlier refresh of {group}"));
                    self.turn.send(Action::CancelRefresh { group });
                }
            } else {
                self.turn.wait(
                    format!("somebody else's instance refresh of {group} is active"),
                    Some(self.turn.plan.deadlines.refresh),
                );
            }
            return Bringing::Waiting;
        }
        if at_version(seen, template, version) {
            return Bringing::Done;
        }
        match mine.map(|m| (m.status, m.reason.clone())) {
            // The group's own state may lag behind the refresh's, or an instance was just launched.
            Some((RefreshStatus::Successful, _)) => {
                self.turn.wait(
                    format!("{group} settles on version {version}"),
                    Some(self.turn.plan.deadlines.refresh),
                );
                return Bringing::Waiting;
            }
            Some((status, reason)) => {
                let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
                return Bringing::Failed(format!(
                    "the instance refresh of {group} ended {status:?}: {reason}"
                ));
            }
            None => {}
        }
        if let Some(left) = self.until_idle_for_t() {
            // On the way back every look guards the old side, too.
            if self.is_forward() {
                self.turn.rest(left);
            }
            let seconds = super::super::T.as_secs();
            self.wait_for_idleness(format!(
                "{group} must have been without traffic for {seconds} s"
            ));
            return Bringing::Waiting;
        }
        if wanted.is_none() {
            let after = seen.refreshes.first().map(|r| r.id.clone());
            self.facts.refresh = Some(RefreshFacts { version, after, id: None });
        }
        self.turn.send(Action::StartRefresh {
            group,
            template: template.to_owned(),
            version,
            preferences,
        });
        Bringing::Waiting
    }

    /// Raises the idle group's minimum to what the live group wants now. Only the minimum is
    /// written: it alone raises Desired.
    pub(super) fn size(&mut self) {
        if self.refuse_weight() {
            return;
        }
        let (Some(idle), Some(live)) = (self.seen(self.to()), self.seen(self.from)) else { return };
        let (idle, live) = (idle.group.capacity, live.group.capacity);
        let want = idle.min.max(live.desired);
        if want > idle.max {
            let group = self.side(self.to()).group.clone();
            self.take_back(format!(
                "{group} may not grow to the {want} instances that are needed: its MaxSize is {}",
                idle.max
            ));
        } else if idle.min < want {
            self.pin(self.to(), want, "the size of the live group");
        } else if self.turn.overdue(self.turn.plan.deadlines.healthy) && idle.desired < want {
            self.take_back("the idle group did not take the new minimum");
        } else if idle.desired >= want {
            self.turn.go(Phase::Join, "naming both target groups in every rule");
        }
    }

    /// Weight on the new side before its first step is somebody else's doing, and is taken off.
    pub(super) fn refuse_weight(&mut self) -> bool {
        let to = self.side(self.to());
        let share = gate::largest_share(self.pair, self.turn.seen, to);
        if share > 0 {
            let group = to.group.clone();
            self.facts.weighted = true;
            self.take_back(format!(
                "{group} was given {share} % of the traffic by another hand before it was ready"
            ));
        }
        if share == 0
            && let Some(rule) = gate::other_rule(self.turn.seen, self.side(self.to()))
        {
            let group = &self.side(self.to()).group;
            let why =
                format!("{} gives traffic to {group}, which this rollout does not move", rule.id);
            self.take_back(why);
            return true;
        }
        share > 0
    }
}
