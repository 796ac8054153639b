//! Sorts the instances of a group that is being refreshed: which are to be replaced, which are new, which
//! count as available.

use super::super::group::{Group, LifecycleState, Member};
use super::instance_refresh::{Refresh, Status};
use super::preferences::InstanceHandling;
use crate::services::autoscaling::health;
use crate::world::{World, elapsed};

/// A group's instances, as its refresh counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// To be replaced, and replaceable: unhealthy ones first, then the oldest.
    pub(super) old: Vec<String>,
    /// To be replaced, but protected or in standby.
    pub(super) blocked: Vec<String>,
    /// How many of `old` are available.
    pub(super) old_available: usize,
    /// How many of `stuck` are available.
    pub(super) blocked_available: usize,
    /// Matching the desired configuration, but not available yet.
    pub(super) new_unavailable: Vec<String>,
    /// How many of `coming` are in service.
    pub(super) new_in_service: usize,
    /// How many of those are still warming up.
    pub(super) warming: usize,
    /// Matching the desired configuration, and available.
    pub(super) new_available: usize,
    /// Terminating or detaching.
    pub(super) leaving: Vec<String>,
    /// Launching or in service.
    pub(super) live: usize,
}

impl Census {
    /// Counts the instances of a group for its refresh.
    pub(super) fn take(world: &World, group: &Group, refresh: &Refresh) -> Census {
        let goal = MatchCriteria::of(world, group, refresh);
        let mut census = Census::default();
        let mut old = Vec::new();
        for (id, member) in &group.members {
            census.live += usize::from(member.counts_toward_capacity());
            if member.state.is_leaving() {
                census.leaving.push(id.clone());
                continue;
            }
            let fresh = goal.is_met_by(member);
            let available = is_available(world, group, refresh, id, fresh);
            if fresh {
                if available {
                    census.new_available += 1;
                } else if !member.state.is_standby() {
                    census.new_in_service += usize::from(member.state == LifecycleState::InService);
                    let since = member.in_service.map(|since| elapsed(since, world.now));
                    let warms = since.is_some_and(|so_long| so_long < refresh.preferences.warmup);
                    census.warming += usize::from(warms);
                    census.new_unavailable.push(id.clone());
                }
                continue;
            }
            match handling(refresh, member) {
                InstanceHandling::Replace => {
                    census.old_available += usize::from(available);
                    old.push((available, member.launched, id.clone()));
                }
                InstanceHandling::Wait => {
                    census.blocked_available += usize::from(available);
                    census.blocked.push(id.clone());
                }
                // An ignored instance counts as replaced.
                InstanceHandling::Ignore => census.new_available += usize::from(available),
            }
        }
        old.sort();
        census.old = old.into_iter().map(|(_, _, id)| id).collect();
        census
    }

    /// Returns how many instances are still to be replaced.
    pub(super) fn left(&self) -> usize {
        self.old.len() + self.blocked.len()
    }

    /// Returns whether everything is replaced and available, and nothing is leaving.
    pub(super) fn is_done(&self, desired: usize) -> bool {
        self.old.is_empty()
            && self.blocked.is_empty()
            && self.new_unavailable.is_empty()
            && self.leaving.is_empty()
            && self.live == desired
    }
}

/// Returns whether a refresh that begins now has nothing to replace: the group is empty, or all of its
/// instances match and matching ones are skipped.
pub(super) fn nothing_to_do(world: &World, name: &str, refresh: &Refresh) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return true };
    if group.members.is_empty() && group.desired == 0 {
        return true;
    }
    let census = Census::take(world, group, refresh);
    refresh.preferences.skip_matching && census.old.is_empty() && census.blocked.is_empty()
}

/// What an instance must match so as not to be replaced.
struct MatchCriteria {
    template: Option<(String, u64)>,
    /// Without SkipMatching, instances launched before the refresh are replaced even if they match.
    launched_since: Option<jiff::Timestamp>,
}

impl MatchCriteria {
    fn of(world: &World, group: &Group, refresh: &Refresh) -> MatchCriteria {
        let back = refresh.status == Status::RollbackInProgress;
        let spec = match (&refresh.desired, back) {
            (Some(desired), false) => desired,
            _ => &group.template,
        };
        let template = spec.number(world).map(|number| (spec.id.clone(), number));
        let skips = back || refresh.preferences.skip_matching;
        let launched_since = (!skips).then(|| refresh.started.unwrap_or(world.now));
        MatchCriteria { template, launched_since }
    }

    fn is_met_by(&self, member: &Member) -> bool {
        let (id, _, number) = &member.template;
        let matches = self.template.as_ref().is_some_and(|(i, n)| i == id && n == number);
        matches && self.launched_since.is_none_or(|since| member.launched >= since)
    }
}

fn handling(refresh: &Refresh, member: &Member) -> InstanceHandling {
    if member.state.is_standby() {
        refresh.preferences.standby
    } else if member.protected {
        refresh.preferences.protected
    } else {
        InstanceHandling::Replace
    }
}

/// Returns whether an instance is in service and passes every health check that the group uses; a replacement
/// must also have warmed up and passed EC2's status checks.
fn is_available(world: &World, group: &Group, refresh: &Refresh, id: &str, fresh: bool) -> bool {
    let Some(member) = group.members.get(id) else { return false };
    let Some(since) = member.in_service.filter(|_| member.state == LifecycleState::InService)
    else {
        return false;
    };
    let wait = refresh.preferences.warmup.max(world.params.status_checks);
    member.healthy
        && (!fresh || elapsed(since, world.now) >= wait)
        && health::passes_elb_health(world, group, id)
}
