//! The clock every handler goes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::time::Position;

/// Where the present moment comes from: this machine's clock, or one that is off by some. No two
/// machines' clocks agree, and what is promised must hold all the same.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_micros: Arc<AtomicI64>,
}

impl Clock {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::microseconds(self.ahead_micros.load(Ordering::Relaxed));
        let now = Utc::now();
        now.checked_add_signed(ahead).unwrap_or(now)
    }

    /// The position of the present moment.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::at_or_before(self.now())
    }

    /// Steps this clock, and every clone of it, to be `ahead` of the machine's (negative: behind).
    pub fn step(&self, ahead: TimeDelta) {
        let micros = ahead.num_microseconds().unwrap_or(0);
        self.ahead_micros.store(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_every_clone_of_a_clock() {
        let clock = Clock::default();
        let same = clock.clone();
        clock.step(TimeDelta::days(-2));
        let stepped = same.now();
        assert_eq!((Utc::now() - stepped).num_hours(), 48);
        assert!(Clock::default().position() > same.position());
    }
}
