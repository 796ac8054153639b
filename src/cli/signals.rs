//! Signal handling: the first SIGINT or SIGTERM asks a command to stop, the second ends the process at
//! once. In a GitHub Actions step, SIGHUP asks it to stop, too: it is all that the children get when a
//! runner kills the launcher.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::environment::variable;
use super::{Format, output};
use crate::runner::{Stop, Stopper};
use cutover_rollout::model::{Failure, Status};

/// What a command does when the terminal goes away (SIGHUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hangup {
    /// Stops, as on SIGTERM.
    Stops,
    /// Continues: a half-finished rollout is worse than one that nobody watches.
    Ignored,
}

impl Hangup {
    /// Returns what a rollout does: in a terminal it continues unattended; in a job that is being killed it
    /// stops at a safe place while it still can.
    pub(super) fn for_rollout() -> Hangup {
        match variable("GITHUB_ACTIONS").as_deref() {
            Some("true") => Hangup::Stops,
            _ => Hangup::Ignored,
        }
    }
}

/// Runs a command on its own runtime, with a [`Stop`] that signals trigger.
pub(super) fn block_on<F: Future<Output = u8>>(
    format: Format,
    hangup: Hangup,
    verb: impl FnOnce(Stop) -> F,
) -> u8 {
    let (stopper, stop) = Stop::pair();
    let runtime = match runtime().and_then(|runtime| watch(hangup, stopper).map(|()| runtime)) {
        Ok(runtime) => runtime,
        Err(error) => return output::report_error(format, Failure::failed(error.to_string())),
    };
    let code = runtime.block_on(verb(stop));
    // Background work, such as a half-assembled image, is not waited for.
    runtime.shutdown_background();
    code
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Watches signals from a separate thread, so that a second one works whatever the command is doing.
/// Returns once the handlers are installed.
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
            // A second request does not wait for a safe place; the next run reads the record.
            signals.next_request().await;
            std::process::exit(Status::Interrupted.exit_code().into());
        });
    })?;
    catching.recv().unwrap_or(Ok(()))
}

#[cfg(unix)]
struct Signals {
    hangup: Hangup,
    requests: StopSignals,
    hangups: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch(hangup: Hangup) -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupts = signal(SignalKind::interrupt())?;
        let terminations = signal(SignalKind::terminate())?;
        let requests = StopSignals { interrupts, terminations };
        Ok(Signals { hangup, requests, hangups: signal(SignalKind::hangup())? })
    }

    /// Waits for the next signal that is not ignored.
    async fn next(&mut self) {
        loop {
            tokio::select! {
                () = self.requests.next() => return,
                _ = self.hangups.recv() => if self.hangup == Hangup::Stops { return },
            }
        }
    }

    /// Waits for the next SIGINT or SIGTERM. SIGHUP does not count as a second request, because several can
    /// arrive at once: from the terminal, and from the kernel for each thread of a launcher that is killed.
    async fn next_request(&mut self) {
        self.requests.next().await;
    }
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
struct StopSignals {
    interrupts: tokio::signal::unix::Signal,
    terminations: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
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
