//! Who is in a group that is being refreshed: whom to replace, who has come, who can be counted on.

use super::{Others, Refresh, Status};
use crate::services::autoscaling::{Group, Lifecycle, Member, health};
use crate::world::{World, elapsed};

/// A group's instances as its refresh sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// To be replaced, and free to be: unhealthy ones first, then the oldest.
    pub(super) old: Vec<String>,
    /// To be replaced, but protected or in standby.
    pub(super) stuck: Vec<String>,
    /// Of `old`, how many are available.
    pub(super) old_available: usize,
    /// Of `stuck`, how many are available.
    pub(super) stuck_available: usize,
    /// As desired, but not to be counted on yet.
    pub(super) coming: Vec<String>,
    /// Of `coming`, how many are in service.
    pub(super) coming_in_service: usize,
    /// Of those, how many warm up still.
    pub(super) warming: usize,
    /// As desired and available.
    pub(super) come: usize,
    /// On their way out.
    pub(super) leaving: Vec<String>,
    /// On their way in or in.
    pub(super) live: usize,
}

impl Census {
    /// Takes it.
    pub(super) fn take(world: &World, group: &Group, refresh: &Refresh) -> Census {
        let goal = Goal::of(world, group, refresh);
        let mut census = Census::default();
        let mut old = Vec::new();
        for (id, member) in &group.members {
            census.live += usize::from(member.is_live());
            if member.state.is_leaving() {
                census.leaving.push(id.clone());
                continue;
            }
            let fresh = goal.is_met_by(member);
            let available = is_available(world, group, refresh, id, fresh);
            if fresh {
                if available {
                    census.come += 1;
                } else if !member.state.is_aside() {
                    census.coming_in_service += usize::from(member.state == Lifecycle::InService);
                    let since = member.in_service.map(|since| elapsed(since, world.now));
                    let warms = since.is_some_and(|so_long| so_long < refresh.preferences.warmup);
                    census.warming += usize::from(warms);
                    census.coming.push(id.clone());
                }
                continue;
            }
            match handling(refresh, member) {
                Others::Replace => {
                    census.old_available += usize::from(available);
                    old.push((available, member.launched, id.clone()));
                }
                Others::Wait => {
                    census.stuck_available += usize::from(available);
                    census.stuck.push(id.clone());
                }
                // Left as it is, it counts as one that has come.
                Others::Ignore => census.come += usize::from(available),
            }
        }
        old.sort();
        census.old = old.into_iter().map(|(_, _, id)| id).collect();
        census
    }

    /// How many are still to be replaced.
    pub(super) fn left(&self) -> usize {
        self.old.len() + self.stuck.len()
    }

    /// Everything replaced, everything available, nobody leaving.
    pub(super) fn is_done(&self, desired: usize) -> bool {
        self.old.is_empty()
            && self.stuck.is_empty()
            && self.coming.is_empty()
            && self.leaving.is_empty()
            && self.live == desired
    }
}

/// Whether a refresh that begins now would have nothing to replace: an empty group, or nothing but
/// matching instances that it is to skip.
pub(super) fn nothing_to_do(world: &World, name: &str, refresh: &Refresh) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return true };
    if group.members.is_empty() && group.desired == 0 {
        return true;
    }
    let census = Census::take(world, group, refresh);
    refresh.preferences.skip_matching && census.old.is_empty() && census.stuck.is_empty()
}

/// What an instance must be not to be replaced.
struct Goal {
    template: Option<(String, u64)>,
    /// Without SkipMatching, instances from before the refresh are replaced even if they match.
    launched_since: Option<jiff::Timestamp>,
}

impl Goal {
    fn of(world: &World, group: &Group, refresh: &Refresh) -> Goal {
        let back = refresh.status == Status::RollbackInProgress;
        let spec = match (&refresh.desired, back) {
            (Some(desired), false) => desired,
            _ => &group.template,
        };
        let template = spec.number(world).map(|number| (spec.id.clone(), number));
        let skips = back || refresh.preferences.skip_matching;
        let launched_since = (!skips).then(|| refresh.started.unwrap_or(world.now));
        Goal { template, launched_since }
    }

    fn is_met_by(&self, member: &Member) -> bool {
        let (id, _, number) = &member.template;
        let matches = self.template.as_ref().is_some_and(|(i, n)| i == id && n == number);
        matches && self.launched_since.is_none_or(|since| member.launched >= since)
    }
}

fn handling(refresh: &Refresh, member: &Member) -> Others {
    if member.state.is_aside() {
        refresh.preferences.standby
    } else if member.protected {
        refresh.preferences.protected
    } else {
        Others::Replace
    }
}

/// In service, healthy by every word that the group hears and, for a replacement, warmed up and with
/// EC2's status checks passed.
fn is_available(world: &World, group: &Group, refresh: &Refresh, id: &str, fresh: bool) -> bool {
    let Some(member) = group.members.get(id) else { return false };
    let Some(since) = member.in_service.filter(|_| member.state == Lifecycle::InService) else {
        return false;
    };
    let wait = refresh.preferences.warmup.max(world.params.status_checks);
    member.healthy
        && (!fresh || elapsed(since, world.now) >= wait)
        && health::balancers_agree(world, group, id)
}
