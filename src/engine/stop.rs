//! Stopping: a signal asks, the loop ends at the next safe place.

use tokio::sync::watch;

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
    pub async fn wait(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
