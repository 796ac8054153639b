//! Stopping: a signal asks, and the run ends at the next safe place, within [`GRACE`] at the latest.

use std::time::Duration;

use tokio::sync::watch;

/// How long a run that is asked to stop may take to finish the change that is on its way. A cancelled
/// workflow gets SIGINT, 7.5 s later SIGTERM, and SIGKILL after 2.5 s more (GitHub's documentation of
/// cancelling a workflow run): this and the last save must be over before the second one. What does
/// not end in time is as good as killed, and the next run takes it so.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// Asks a run to stop.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

/// What a run looks at to know whether it is to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A pair: who asks, and who is asked.
    pub fn pair() -> (Stopper, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Stop(receiver))
    }

    /// Whether stopping was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once stopping is asked for; never, if nobody can ask any more.
    pub async fn wait(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Does `work` unless stopping is asked for before it is done: then it is dropped where it is.
    /// For what changes nothing, or what the next run does again.
    pub async fn unless_asked<W: Future>(&self, work: W) -> Option<W::Output> {
        tokio::select! {
            biased;
            () = self.wait() => None,
            done = work => Some(done),
        }
    }

    /// Does `work`, dropping it only where it is not done [`GRACE`] after stopping was asked for.
    pub(super) async fn in_grace<W: Future>(&self, work: W) -> Option<W::Output> {
        tokio::select! {
            biased;
            done = work => Some(done),
            // About the real machine, so it is not shortened where the clock runs at a rate.
            () = async { self.wait().await; tokio::time::sleep(GRACE).await } => None,
        }
    }
}

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_changes_nothing_ends_at_once_and_what_is_on_its_way_in_grace() {
        let (stopper, stop) = Stop::pair();
        assert_eq!(stop.unless_asked(async { 1 }).await, Some(1));
        stopper.stop();
        let began = Instant::now();
        assert_eq!(stop.unless_asked(std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), Duration::ZERO);
        let late = tokio::time::sleep(GRACE - Duration::from_secs(1));
        assert_eq!(stop.in_grace(late).await, Some(()));
        let began = Instant::now();
        assert_eq!(stop.in_grace(std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), GRACE);
    }
}
