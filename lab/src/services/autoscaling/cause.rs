//! Why instances are launched and terminated, in the words of activities (recorded, and as the user guide
//! shows them).

use jiff::Timestamp;

use super::activities::stamp;
use super::group::Group;

/// Why an instance is launched or terminated; part of its activity's cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// DesiredCapacity has changed.
    Capacity,
    /// An instance refresh replaces it.
    Refresh,
    /// It, or the instance that it replaces, fails EC2's health checks.
    Ec2Health,
    /// It fails the load balancer's health checks.
    ElbHealth,
    /// A user has set it unhealthy.
    UserHealth,
    /// A user has requested it.
    User,
    /// The group's zones are out of balance.
    Balance,
    /// A lifecycle action of its launch was abandoned.
    Abandoned,
}

/// Returns the cause of a launch at `now`.
pub(super) fn of_launch(group: &Group, why: Cause, now: Timestamp) -> String {
    let (at, live) = (stamp(now), group.live().count());
    match why {
        Cause::Refresh => {
            format!("At {at} an instance was launched in response to an instance refresh.")
        }
        Cause::Ec2Health | Cause::ElbHealth | Cause::UserHealth => format!(
            "At {at} an instance was launched in response to an unhealthy instance needing to be replaced."
        ),
        Cause::Balance => {
            let in_zone = |zone: &String| {
                group.live().filter(|(_, member)| member.zone == *zone).count().to_string()
            };
            let counts: Vec<String> = group.zones.iter().map(in_zone).collect();
            format!(
                "At {at} availability zones {} had {} instances respectively.  An instance was launched to aid in balancing the group's zones.",
                group.zones.join(" "),
                counts.join(" ")
            )
        }
        Cause::Capacity | Cause::User | Cause::Abandoned => format!(
            "{}At {at} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {live} to {}.",
            reason(group),
            live + 1,
        ),
    }
}

/// Returns the cause of a termination at `now`.
pub(super) fn of_leaving(group: &Group, why: Cause, now: Timestamp) -> String {
    let (at, live) = (stamp(now), group.live().count());
    let taken = format!("At {at} an instance was taken out of service in response to");
    match why {
        Cause::Refresh => format!("{taken} an instance refresh."),
        Cause::Ec2Health => {
            format!("{taken} an EC2 health check indicating it has been terminated or stopped.")
        }
        Cause::ElbHealth => format!("{taken} an ELB system health check failure."),
        Cause::UserHealth => format!("{taken} a user health-check."),
        Cause::User => format!("{taken} a user request."),
        Cause::Abandoned => format!("{taken} a failed launch lifecycle action."),
        Cause::Capacity | Cause::Balance => format!(
            "{}{taken} a difference between desired and actual capacity, shrinking the capacity from {live} to {}.",
            reason(group),
            live.saturating_sub(1),
        ),
    }
}

fn reason(group: &Group) -> String {
    group.reason.as_ref().map(|reason| format!("{reason}  ")).unwrap_or_default()
}
