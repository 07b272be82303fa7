//! How long to wait before an empty stream is asked again.

use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::stopping::Stop;

/// Just written, or about to be: somebody may be waiting.
const HOT: Duration = Duration::from_millis(4);
const HOT_FOR: Duration = Duration::from_secs(2);
const WARM: Duration = Duration::from_millis(25);
const WARM_FOR: Duration = Duration::from_mins(1);
/// Nothing for long; a request that may write ends the wait at once.
const COLD: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Pace {
    active: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self { active: Instant::now() }
    }
}

impl Pace {
    /// There were records.
    pub(super) fn busy(&mut self) {
        self.active = Instant::now();
    }

    /// Waits a while, shorter when writes are announced.
    pub(super) async fn wait(&mut self, writes: &Notify, stop: &mut Stop) {
        tokio::select! {
            () = tokio::time::sleep(delay(self.active.elapsed())) => {}
            () = writes.notified() => {
                self.busy();
                tokio::time::sleep(HOT).await;
            }
            () = stop.stopped() => {}
        }
    }
}

fn delay(idle: Duration) -> Duration {
    match idle {
        idle if idle < HOT_FOR => HOT,
        idle if idle < WARM_FOR => WARM,
        _ => COLD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_idle_the_longer_the_wait() {
        assert_eq!(delay(Duration::ZERO), HOT);
        assert_eq!(delay(Duration::from_secs(3)), WARM);
        assert_eq!(delay(Duration::from_mins(10)), COLD);
    }
}
