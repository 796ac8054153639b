//! Those who look on: everything that happens in a world is shown to them, the truth at their side.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::faults::HAND;
use crate::wire::Asked;
use crate::world::World;

/// What a watcher is shown.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Moment<'a> {
    /// An event of the world happened.
    Event,
    /// A call was sent. The world is as it was at its last event: it knows nothing of the call until that
    /// arrives, if it does.
    Sent {
        /// Who sent it: the door's name.
        sender: &'a str,
        /// When.
        sent: Timestamp,
        /// The signing name of the service.
        service: &'a str,
        /// The operation.
        operation: &'a str,
    },
    /// A call arrived and was answered; its effect, if it had one, is in the world.
    Call {
        /// Who sent it: the door's name.
        sender: &'a str,
        /// When it was sent.
        sent: Timestamp,
        /// When its reply reaches the sender; none if it never does.
        replied: Option<Timestamp>,
        /// The signing name of the service, as [`Asked`](crate::wire::Asked) has it.
        service: &'a str,
        /// The operation.
        operation: &'a str,
        /// The call as it was sent.
        request: &'a Request<Bytes>,
        /// The HTTP status of the answer, be it AWS's or a fault's.
        status: u16,
    },
    /// A call got lost on its way there: the world never saw it.
    Cut {
        /// Who sent it: the door's name.
        sender: &'a str,
        /// When it was sent.
        sent: Timestamp,
        /// The signing name of the service.
        service: &'a str,
        /// The operation.
        operation: &'a str,
    },
}

/// Somebody who looks on.
type Watcher = Box<dyn FnMut(&World, &Moment<'_>) + Send>;

/// All who look on.
#[derive(Default)]
pub(super) struct Watchers {
    watchers: Vec<Watcher>,
    /// How many doings of other hands have been shown.
    hands: usize,
}

impl Watchers {
    pub(super) fn add(
        &mut self,
        world: &World,
        watcher: impl FnMut(&World, &Moment<'_>) + Send + 'static,
    ) {
        if self.is_empty() {
            // What was done while nobody looked on is not shown.
            self.hands = world.faults.hands.len();
        }
        self.watchers.push(Box::new(watcher));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Shows that an event has happened; one of another hand's is a call besides.
    pub(super) fn event(&mut self, world: &World) {
        while let Some(done) = world.faults.hands.get(self.hands) {
            self.hands += 1;
            let Asked { service, operation } = &done.asked;
            let call = Moment::Call {
                sender: HAND,
                sent: done.at,
                replied: Some(done.at),
                service,
                operation,
                request: &done.request,
                status: done.status,
            };
            self.show(world, &call);
        }
        self.show(world, &Moment::Event);
    }

    pub(super) fn show(&mut self, world: &World, moment: &Moment<'_>) {
        for watcher in &mut self.watchers {
            watcher(world, moment);
        }
    }
}
