//! The choice of the instance that scale-in terminates.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::group::{Group, Member};

/// The termination policies of the API.
pub(super) const POLICIES: [&str; 7] = [
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
];

/// Returns the instance to terminate next. Of those not protected it is an unhealthy one, or one in a zone
/// that no longer belongs to the group; otherwise one in the zone with the most instances, by the group's
/// termination policies in order (user guide).
pub(super) fn choose(group: &Group, now: Timestamp) -> Option<String> {
    let in_zone = |zone: &str| group.live().filter(|(_, member)| member.zone == zone).count();
    group
        .live()
        .filter(|(_, member)| !member.protected && !member.launched_ahead)
        .min_by_key(|(id, member)| {
            let ranks: Vec<(i64, i64)> =
                group.termination_policies.iter().map(|policy| rank(policy, member, now)).collect();
            let inside = group.zones.contains(&member.zone);
            (member.healthy, inside, Reverse(in_zone(&member.zone)), ranks, (*id).clone())
        })
        .map(|(id, _)| id.clone())
}

/// Ranks an instance by a policy; the lowest rank is terminated first. `Default` means the oldest template
/// version, then the oldest instance. AllocationStrategy and OldestLaunchConfiguration have no effect here.
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
