//! Telling every task of a running service to stop.

use tokio::sync::watch;

/// Held by who decides; dropping it stops too.
#[derive(Debug)]
pub struct StopSignal(watch::Sender<bool>);

/// Held by whoever must stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// A signal, not yet given, and what waits for it.
#[must_use]
pub fn stopping() -> (StopSignal, Stop) {
    let (sender, receiver) = watch::channel(false);
    (StopSignal(sender), Stop(receiver))
}

impl StopSignal {
    /// Gives the signal.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once the signal is given.
    pub async fn stopped(&mut self) {
        // An error says that the other side is gone, which means the same. The guard inside the
        // result must not live across an await of the caller.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the signal is given.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
