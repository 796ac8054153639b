//! The pending events, ordered by time and then by when they were scheduled.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// A scheduled event. Each service has its own kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An event of EC2 Auto Scaling.
    Autoscaling(crate::services::autoscaling::state::Event),
    /// An event of EC2.
    Ec2(crate::services::ec2::state::Event),
    /// An event of ECR.
    Ecr(crate::services::ecr::state::Event),
    /// An event of Elastic Load Balancing.
    Elbv2(crate::services::elbv2::state::Event),
    /// An event of the simulated traffic.
    Traffic(crate::traffic::state::Event),
    /// An event of fault injection.
    Faults(crate::faults::state::Event),
}

/// The pending events.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    pending: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
}

impl Queue {
    /// Schedules `event` for `at`. An event for a time in the past runs next.
    pub fn push(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.pending.insert((at, self.sequence), event);
    }

    /// Returns the time of the next event.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.pending.keys().next().map(|(at, _)| *at)
    }

    /// Removes and returns the next event if it is due by `until`.
    pub fn pop_due(&mut self, until: Timestamp) -> Option<(Timestamp, Event)> {
        let entry = self.pending.first_entry()?;
        if entry.key().0 > until {
            return None;
        }
        let ((at, _), event) = entry.remove_entry();
        Some((at, event))
    }
}
