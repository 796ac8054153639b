//! Writing events without blocking: a reader that stops reading (a pager, a terminal stopped by Ctrl-S, a
//! full pipe) must not stop a rollout while traffic is split.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::report::Reporter;
use crate::runner::Stop;
use cutover_rollout::model::TimedEvent;

/// How often the end of the writing is checked.
const PACE: Duration = Duration::from_millis(50);

/// How many times it is checked once a stop was requested: one second in all.
const LOOKS: usize = 20;

/// Passes events to a thread that writes them.
pub(super) struct EventWriter {
    events: Sender<TimedEvent>,
    /// Disconnected when everything is written.
    written: Receiver<()>,
}

impl EventWriter {
    /// Starts the thread, which writes with `reporter`.
    pub(super) fn new<W: Write + Send + 'static>(mut reporter: Reporter<W>) -> EventWriter {
        let (events, received) = channel::<TimedEvent>();
        let (end, written) = channel();
        thread::spawn(move || {
            for event in received {
                reporter.emit(&event);
            }
            drop(end);
        });
        EventWriter { events, written }
    }

    /// Passes an event to the thread.
    pub(super) fn emit(&self, event: TimedEvent) {
        // Fails only if the thread has ended; there is nowhere to report that.
        let _ = self.events.send(event);
    }

    /// Waits until everything is written; at most one second once a stop is requested.
    pub(super) fn finish(self, stop: &Stop) {
        drop(self.events);
        let mut left = LOOKS;
        while left > 0 && self.written.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
            if stop.is_requested() {
                left -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_rollout::model::Event;

    /// A terminal that was stopped by Ctrl-S.
    struct Stopped;

    impl Write for Stopped {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            loop {
                thread::park();
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stopped_reader_does_not_block() {
        let writer = EventWriter::new(Reporter::json(Stopped));
        for _ in 0..10_000 {
            let event = Event::Notice { message: "x".repeat(100) };
            writer.emit(TimedEvent { time: jiff::Timestamp::UNIX_EPOCH, event });
        }
        let (stopper, stop) = Stop::pair();
        stopper.stop();
        writer.finish(&stop);
    }
}
