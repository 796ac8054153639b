//! Why instances come and go, in the words of activities (recorded, and as the user guide shows them).

use jiff::Timestamp;

use super::Group;
use super::activities::stamp;

/// Why an instance comes or goes; it ends the cause of its activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The desired capacity is another.
    Capacity,
    /// An instance refresh replaces it.
    Refresh,
    /// It, or what it replaces, is unhealthy by EC2's word.
    Ec2Health,
    /// It is unhealthy by the load balancer's word.
    ElbHealth,
    /// A person has set it unhealthy.
    UserHealth,
    /// A person has asked.
    User,
    /// The group's zones are out of balance.
    Balance,
    /// A lifecycle action of its launch was abandoned.
    Abandoned,
}

/// The cause of a launch at `now`.
pub(super) fn of_launch(group: &Group, why: Why, now: Timestamp) -> String {
    let (at, live) = (stamp(now), group.live().count());
    match why {
        Why::Refresh => {
            format!("At {at} an instance was launched in response to an instance refresh.")
        }
        Why::Ec2Health | Why::ElbHealth | Why::UserHealth => format!(
            "At {at} an instance was launched in response to an unhealthy instance needing to be replaced."
        ),
        Why::Balance => {
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
        Why::Capacity | Why::User | Why::Abandoned => format!(
            "{}At {at} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {live} to {}.",
            reason(group),
            live + 1,
        ),
    }
}

/// The cause of a termination at `now`.
pub(super) fn of_leaving(group: &Group, why: Why, now: Timestamp) -> String {
    let (at, live) = (stamp(now), group.live().count());
    let taken = format!("At {at} an instance was taken out of service in response to");
    match why {
        Why::Refresh => format!("{taken} an instance refresh."),
        Why::Ec2Health => {
            format!("{taken} an EC2 health check indicating it has been terminated or stopped.")
        }
        Why::ElbHealth => format!("{taken} an ELB system health check failure."),
        Why::UserHealth => format!("{taken} a user health-check."),
        Why::User => format!("{taken} a user request."),
        Why::Abandoned => format!("{taken} a failed launch lifecycle action."),
        Why::Capacity | Why::Balance => format!(
            "{}{taken} a difference between desired and actual capacity, shrinking the capacity from {live} to {}.",
            reason(group),
            live.saturating_sub(1),
        ),
    }
}

fn reason(group: &Group) -> String {
    group.reason.as_ref().map(|reason| format!("{reason}  ")).unwrap_or_default()
}
