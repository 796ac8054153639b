//! Telling without being held up: a reader that stops reading (a pager, a terminal stopped by
//! Ctrl-S, a full pipe) must not stop a rollout while traffic is split.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::engine::Stop;
use crate::model::Stamped;
use crate::report::Reporter;

/// How often the end of the writing is looked for.
const PACE: Duration = Duration::from_millis(50);

/// How many times, once stopping was asked for: a second in all.
const LOOKS: usize = 20;

/// Hands events to a thread that writes them.
pub(super) struct Teller {
    events: Sender<Stamped>,
    /// Closed when everything is written.
    written: Receiver<()>,
}

impl Teller {
    /// Writes with `reporter` from now on.
    pub(super) fn new<W: Write + Send + 'static>(mut reporter: Reporter<W>) -> Teller {
        let (events, told) = channel::<Stamped>();
        let (end, written) = channel();
        thread::spawn(move || {
            for event in told {
                reporter.tell(&event);
            }
            drop(end);
        });
        Teller { events, written }
    }

    /// Takes an event to be written.
    pub(super) fn tell(&self, event: Stamped) {
        // Only a writer that has gone takes none, and there is nobody to tell that to.
        let _ = self.events.send(event);
    }

    /// Returns when everything is written; where stopping is asked for, a second later at the most.
    pub(super) fn finish(self, stop: &Stop) {
        drop(self.events);
        let mut left = LOOKS;
        while left > 0 && self.written.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
            if stop.asked() {
                left -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    /// A terminal stopped by Ctrl-S.
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
    fn who_reads_nothing_holds_up_nothing() {
        let teller = Teller::new(Reporter::json(Stopped));
        for _ in 0..10_000 {
            let event = Event::Notice { message: "x".repeat(100) };
            teller.tell(Stamped { time: jiff::Timestamp::UNIX_EPOCH, event });
        }
        let (stopper, stop) = Stop::pair();
        stopper.stop();
        teller.finish(&stop);
    }
}
