//! What signals do to a verb: the first SIGINT or SIGTERM asks it to stop, the second ends the
//! process at once. In a GitHub Actions step SIGHUP is a third way to ask: a runner that kills the
//! launcher leaves it to the children.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::environment::variable;
use super::{Format, output};
use crate::engine::{Stop, Stopper};
use crate::model::Ending;

/// What it means that the terminal goes away (SIGHUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hangup {
    /// The verb is of no more use.
    Stops,
    /// A rollout that is half done is worse than one that nobody looks at: it continues.
    Ignored,
}

impl Hangup {
    /// For a rollout: at a terminal it continues without its reader; in a job that is being killed it
    /// stops at a safe place while it still can.
    pub(super) fn of_rollout() -> Hangup {
        match variable("GITHUB_ACTIONS").as_deref() {
            Some("true") => Hangup::Stops,
            _ => Hangup::Ignored,
        }
    }
}

/// Runs a verb on a runtime of its own, which signals ask to stop.
pub(super) fn block_on<F: Future<Output = u8>>(
    format: Format,
    hangup: Hangup,
    verb: impl FnOnce(Stop) -> F,
) -> u8 {
    let (stopper, stop) = Stop::pair();
    let runtime = match runtime().and_then(|runtime| watch(hangup, stopper).map(|()| runtime)) {
        Ok(runtime) => runtime,
        Err(error) => return output::refuse(format, Ending::Failed, &error.to_string()),
    };
    let code = runtime.block_on(verb(stop));
    // What still runs beside, an image half put together, is waited for by nobody.
    runtime.shutdown_background();
    code
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Watches from a thread of its own, so that a second signal is heard whatever the verb does.
/// Returns once signals are caught.
fn watch(hangup: Hangup, stopper: Stopper) -> io::Result<()> {
    let runtime = runtime()?;
    let (caught, catching) = mpsc::channel();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let mut signals = match Signals::catch(hangup) {
                Ok(signals) => signals,
                Err(error) => {
                    let _ = caught.send(Err(error));
                    return;
                }
            };
            let _ = caught.send(Ok(()));
            signals.next().await;
            stopper.stop();
            // Who asks twice does not want to wait for a safe place; the record has the rest.
            signals.next_request().await;
            std::process::exit(Ending::Interrupted.exit_code().into());
        });
    })?;
    catching.recv().unwrap_or(Ok(()))
}

#[cfg(unix)]
struct Signals {
    hangup: Hangup,
    requests: Requests,
    hangups: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch(hangup: Hangup) -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupts = signal(SignalKind::interrupt())?;
        let terminations = signal(SignalKind::terminate())?;
        let requests = Requests { interrupts, terminations };
        Ok(Signals { hangup, requests, hangups: signal(SignalKind::hangup())? })
    }

    /// Waits for the next signal that means something.
    async fn next(&mut self) {
        loop {
            tokio::select! {
                () = self.requests.next() => return,
                _ = self.hangups.recv() => if self.hangup == Hangup::Stops { return },
            }
        }
    }

    /// Waits for the next one that somebody sends on purpose. Of hangups there may be several at once: from
    /// the terminal, and from the kernel for each thread of a launcher that is killed.
    async fn next_request(&mut self) {
        self.requests.next().await;
    }
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
struct Requests {
    interrupts: tokio::signal::unix::Signal,
    terminations: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Requests {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupts.recv() => {}
            _ = self.terminations.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch(_: Hangup) -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        self.next_request().await;
    }

    async fn next_request(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
