//! Watchers: they are shown everything that happens, along with the true state of the world.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::faults::OPERATOR;
use crate::wire::Operation;
use crate::world::World;

/// What a watcher is shown.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum WatchEvent<'a> {
    /// An event of the world happened.
    Event,
    /// A call was sent. The world is as of its last event: it does not know of the call until the call
    /// arrives, if it does.
    Sent {
        /// The sender: the transport's name.
        sender: &'a str,
        /// When it was sent.
        sent: Timestamp,
        /// The signing name of the service.
        service: &'a str,
        /// The operation.
        operation: &'a str,
    },
    /// A call arrived and was answered; its effect, if it had one, is in the world.
    Call {
        /// The sender: the transport's name.
        sender: &'a str,
        /// When it was sent.
        sent: Timestamp,
        /// When the response reaches the sender; `None` if it never does.
        replied: Option<Timestamp>,
        /// The signing name of the service, as [`Operation`](crate::wire::Operation) has it.
        service: &'a str,
        /// The operation.
        operation: &'a str,
        /// The call as it was sent.
        request: &'a Request<Bytes>,
        /// The HTTP status of the response, whether AWS's or a fault's.
        status: u16,
    },
    /// A call was lost on its way: the world never saw it.
    Cut {
        /// The sender: the transport's name.
        sender: &'a str,
        /// When it was sent.
        sent: Timestamp,
        /// The signing name of the service.
        service: &'a str,
        /// The operation.
        operation: &'a str,
    },
}

type Watcher = Box<dyn FnMut(&World, &WatchEvent<'_>) + Send>;

#[derive(Default)]
pub(super) struct Watchers {
    watchers: Vec<Watcher>,
    /// How many operators' calls have been shown.
    operator_calls_shown: usize,
}

impl Watchers {
    pub(super) fn add(
        &mut self,
        world: &World,
        watcher: impl FnMut(&World, &WatchEvent<'_>) + Send + 'static,
    ) {
        if self.is_empty() {
            // Calls made before the first watcher are not shown.
            self.operator_calls_shown = world.faults.operator_calls.len();
        }
        self.watchers.push(Box::new(watcher));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Shows that an event has happened; an operator's call is also shown as a call.
    pub(super) fn event(&mut self, world: &World) {
        while let Some(done) = world.faults.operator_calls.get(self.operator_calls_shown) {
            self.operator_calls_shown += 1;
            let Operation { service, operation } = &done.operation;
            let call = WatchEvent::Call {
                sender: OPERATOR,
                sent: done.at,
                replied: Some(done.at),
                service,
                operation,
                request: &done.request,
                status: done.status,
            };
            self.show(world, &call);
        }
        self.show(world, &WatchEvent::Event);
    }

    pub(super) fn show(&mut self, world: &World, moment: &WatchEvent<'_>) {
        for watcher in &mut self.watchers {
            watcher(world, moment);
        }
    }
}
