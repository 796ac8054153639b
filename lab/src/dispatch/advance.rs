//! Time: runs the events that are due, and lets traffic flow in between.

use jiff::Timestamp;

use super::operator;
use crate::faults::{self, EventKind};
use crate::services::{autoscaling, ec2, ecr, elbv2};
use crate::traffic;
use crate::world::{Event, World};

impl World {
    /// Runs every event that is due by `until`. Time never goes back.
    pub fn advance(&mut self, until: Timestamp) {
        self.advance_watched(until, &mut |_| ());
    }

    /// Does the same, and shows the world to `seen` after each event.
    pub fn advance_watched(&mut self, until: Timestamp, seen: &mut dyn FnMut(&World)) {
        while let Some((at, event)) = self.queue.pop_due(until) {
            self.flow_to(at);
            self.history.record(&format!("{at} {event:?}"));
            faults::before_event(self, &event);
            handle_event(self, &event);
            seen(self);
        }
        self.flow_to(until);
    }

    fn flow_to(&mut self, until: Timestamp) {
        if until > self.now {
            traffic::flow(self, until);
            self.now = until;
        }
    }
}

fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Autoscaling(event) => autoscaling::handle_event(world, event),
        Event::Ec2(event) => ec2::handle_event(world, event),
        Event::Ecr(event) => ecr::handle_event(world, event),
        Event::Elbv2(event) => elbv2::handle_event(world, event),
        Event::Traffic(event) => traffic::handle_event(world, event),
        Event::Faults(faults::Event::Scheduled(kind)) => match &**kind {
            EventKind::Operator { call, input } => operator::act(world, call, input),
            kind => faults::carry_out(world, kind),
        },
        Event::Faults(faults::Event::MisbehaviorEnds(number)) => {
            faults::end_misbehavior(world, *number);
        }
    }
}
