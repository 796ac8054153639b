//! Stopping: a signal asks for it, and the run ends at the next safe point, within [`GRACE`] at the latest.

use std::time::Duration;

use tokio::sync::watch;

/// How long a run that is asked to stop may take to finish the change that is under way. A canceled workflow gets
/// SIGINT, SIGTERM 7.5 s later, and SIGKILL after another 2.5 s (GitHub's documentation on canceling a workflow run):
/// this time and the last save must be over before SIGTERM. A run that does not end in time counts as killed, and the
/// next run treats it as such.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// Asks a run to stop.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

/// Tells a run whether it is asked to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns the two ends: one that asks, and one that is asked.
    pub fn pair() -> (Stopper, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Stop(receiver))
    }

    /// Returns whether the run was asked to stop.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the run is asked to stop; never, if nobody can ask any more.
    pub async fn wait(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Runs `work`, but drops it as soon as the run is asked to stop: for work that changes nothing, or that the next
    /// run repeats.
    pub async fn unless_stopped<W: Future>(&self, work: W) -> Option<W::Output> {
        tokio::select! {
            biased;
            () = self.wait() => None,
            done = work => Some(done),
        }
    }

    /// Runs `work`, and drops it only if it is not done [`GRACE`] after the run was asked to stop.
    pub(super) async fn within_grace<W: Future>(&self, work: W) -> Option<W::Output> {
        tokio::select! {
            biased;
            done = work => Some(done),
            // Real time, which is not shortened if the lab's clock runs faster.
            () = async { self.wait().await; tokio::time::sleep(GRACE).await } => None,
        }
    }
}

impl Stopper {
    /// Asks the run to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn harmless_work_stops_at_once_and_a_change_within_the_grace_period() {
        let (stopper, stop) = Stop::pair();
        assert_eq!(stop.unless_stopped(async { 1 }).await, Some(1));
        stopper.stop();
        let began = Instant::now();
        assert_eq!(stop.unless_stopped(std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), Duration::ZERO);
        let late = tokio::time::sleep(GRACE - Duration::from_secs(1));
        assert_eq!(stop.within_grace(late).await, Some(()));
        let began = Instant::now();
        assert_eq!(stop.within_grace(std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), GRACE);
    }
}
