//! What is going to happen: events in order of time, ties in the order they were scheduled.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Something that happens by itself at some time. Each service owns its own kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something in EC2 Auto Scaling.
    Autoscaling(crate::services::autoscaling::Event),
    /// Something in EC2.
    Ec2(crate::services::ec2::Event),
    /// Something in ECR.
    Ecr(crate::services::ecr::Event),
    /// Something in Elastic Load Balancing.
    Elbv2(crate::services::elbv2::Event),
    /// Something in the stream of simulated users.
    Traffic(crate::traffic::Event),
    /// Something in the weather.
    Faults(crate::faults::Event),
}

/// The pending events.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    pending: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
}

impl Queue {
    /// Schedules `event` for `at`; what is scheduled for a time already reached happens next.
    pub fn push(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.pending.insert((at, self.sequence), event);
    }

    /// The time of the next event.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.pending.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next event if it is due by `until`.
    pub fn pop_due(&mut self, until: Timestamp) -> Option<(Timestamp, Event)> {
        let entry = self.pending.first_entry()?;
        if entry.key().0 > until {
            return None;
        }
        let ((at, _), event) = entry.remove_entry();
        Some((at, event))
    }
}
