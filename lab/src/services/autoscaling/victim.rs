//! Whom scale-in takes.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{Group, Member};

/// The termination policies that the API has.
pub(super) const POLICIES: [&str; 7] = [
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
];

/// The instance that leaves next: of those not protected, an unhealthy one, or one in a zone
/// that is no longer the group's; else of the zone with the most instances, by the group's termination policies, one after the other (user guide).
pub(super) fn choose(group: &Group, now: Timestamp) -> Option<String> {
    let in_zone = |zone: &str| group.live().filter(|(_, member)| member.zone == zone).count();
    group
        .live()
        .filter(|(_, member)| !member.protected && !member.ahead)
        .min_by_key(|(id, member)| {
            let ranks: Vec<(i64, i64)> =
                group.termination_policies.iter().map(|policy| rank(policy, member, now)).collect();
            let inside = group.zones.contains(&member.zone);
            (member.healthy, inside, Reverse(in_zone(&member.zone)), ranks, (*id).clone())
        })
        .map(|(id, _)| id.clone())
}

/// Where a policy puts an instance; the lowest leaves first. `Default` is the oldest template version,
/// and then the oldest instance. AllocationStrategy and launch configurations tell nothing here.
fn rank(policy: &str, member: &Member, now: Timestamp) -> (i64, i64) {
    let launched = member.launched.as_second();
    let version = i64::try_from(member.template.2).unwrap_or(i64::MAX);
    match policy {
        "OldestInstance" => (launched, 0),
        "NewestInstance" => (-launched, 0),
        "OldestLaunchTemplate" => (version, 0),
        "ClosestToNextInstanceHour" => (3600 - (now.as_second() - launched).rem_euclid(3600), 0),
        "Default" => (version, launched),
        _ => (0, 0),
    }
}
