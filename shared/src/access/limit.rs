//! How many requests are left in a minute and a day: arithmetic only.

use chrono::{DateTime, Utc};

use super::PlanTerms;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A minute of the clock and the UTC day it lies in, each counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The minute.
    pub minute: u64,
}

impl Window {
    /// The window a moment lies in.
    #[must_use]
    pub fn of(moment: DateTime<Utc>) -> Self {
        Self { minute: u64::try_from(moment.timestamp().div_euclid(MINUTE)).unwrap_or(0) }
    }

    /// The day.
    #[must_use]
    pub const fn day(self) -> u64 {
        self.minute / (24 * 60)
    }

    /// When the minute ends, in seconds since 1970.
    #[must_use]
    pub fn minute_ends(self) -> i64 {
        i64::try_from(self.minute).unwrap_or(0).saturating_add(1).saturating_mul(MINUTE)
    }

    /// When the day ends, in seconds since 1970.
    #[must_use]
    pub fn day_ends(self) -> i64 {
        i64::try_from(self.day()).unwrap_or(0).saturating_add(1).saturating_mul(DAY)
    }
}

/// What a key has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The window it was counted in last.
    pub window: Window,
    /// Requests in that minute.
    pub in_minute: u64,
    /// Requests in that day.
    pub in_day: u64,
}

impl Used {
    /// The same, seen from a window that is not earlier.
    #[must_use]
    pub fn seen_from(self, window: Window) -> Self {
        Self {
            window,
            in_minute: if self.window == window { self.in_minute } else { 0 },
            in_day: if self.window.day() == window.day() { self.in_day } else { 0 },
        }
    }
}

/// What a plan allows; at least one of both is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute.
    pub per_minute: Option<u64>,
    /// Requests a day.
    pub per_day: Option<u64>,
}

impl Allowance {
    /// What these terms allow; none if they limit nothing.
    #[must_use]
    pub fn of(terms: &PlanTerms) -> Option<Self> {
        let per_minute = terms.requests_per_minute.map(|limit| u64::from(limit.get()));
        let per_day = terms.requests_per_day.map(std::num::NonZeroU64::get);
        (per_minute.is_some() || per_day.is_some()).then_some(Self { per_minute, per_day })
    }

    /// Requests an instance may take for itself with one write: a hundredth of the limit.
    #[must_use]
    pub fn lease(self) -> u64 {
        let hundredth = |limit: Option<u64>| limit.map_or(u64::MAX, |limit| limit / 100);
        hundredth(self.per_minute).min(hundredth(self.per_day)).max(1)
    }

    /// What is left after `used`.
    #[must_use]
    pub fn left(self, used: Used) -> u64 {
        let left =
            |limit: Option<u64>, used| limit.map_or(u64::MAX, |limit| limit.saturating_sub(used));
        left(self.per_minute, used.in_minute).min(left(self.per_day, used.in_day))
    }

    /// How a caller is told of its limits: those of the minute, or of the day where less is left
    /// of it. `held` are requests that are counted as used and were not made yet.
    #[must_use]
    pub fn quota(self, used: Used, held: u64) -> Quota {
        let left = |limit: u64, used| limit.saturating_sub(used).saturating_add(held);
        let minute = self.per_minute.map(|limit| Quota {
            limit,
            remaining: left(limit, used.in_minute),
            resets: used.window.minute_ends(),
        });
        let day = self.per_day.map(|limit| Quota {
            limit,
            remaining: left(limit, used.in_day),
            resets: used.window.day_ends(),
        });
        match (minute, day) {
            (Some(minute), Some(day)) if day.remaining < minute.remaining => day,
            (Some(quota), _) | (None, Some(quota)) => quota,
            (None, None) => Quota { limit: u64::MAX, remaining: u64::MAX, resets: 0 },
        }
    }
}

/// What a caller is told of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limit of the window.
    pub limit: u64,
    /// Requests left in it.
    pub remaining: u64,
    /// When it ends, in seconds since 1970.
    pub resets: i64,
}

impl Quota {
    /// Seconds from `now` to the window's end, at least one.
    #[must_use]
    pub fn seconds_left(&self, now: DateTime<Utc>) -> u64 {
        u64::try_from(self.resets.saturating_sub(now.timestamp())).unwrap_or(0).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRO: Allowance = Allowance { per_minute: Some(1000), per_day: Some(1_000_000) };

    #[test]
    fn a_window_is_a_minute_of_the_clock_in_its_day() {
        let window = Window::of("2026-11-22T23:59:59.9Z".parse().unwrap());
        let ends: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!((window.minute_ends(), window.day_ends()), (ends.timestamp(), ends.timestamp()));
        assert_eq!(Window::of(ends).day(), window.day() + 1);
    }

    #[test]
    fn a_lease_is_a_hundredth_of_the_limit() {
        assert_eq!(PRO.lease(), 10);
        assert_eq!(Allowance { per_minute: Some(10), per_day: Some(1000) }.lease(), 1);
        assert_eq!(Allowance { per_minute: Some(10_000), per_day: None }.lease(), 100);
    }

    #[test]
    fn what_was_used_counts_in_its_own_minute_and_day() {
        let window = Window::of("2026-11-22T23:58:00Z".parse().unwrap());
        let used = Used { window, in_minute: 990, in_day: 999_995 };
        assert_eq!(PRO.left(used), 5);
        assert_eq!(PRO.quota(used, 2).limit, 1_000_000);
        assert_eq!(PRO.quota(used, 2).remaining, 7);
        let next = used.seen_from(Window { minute: window.minute + 1 });
        assert_eq!((next.in_minute, next.in_day), (0, 999_995));
        let tomorrow = used.seen_from(Window { minute: window.minute + 2 });
        assert_eq!(PRO.left(tomorrow), 1000);
        assert_eq!(PRO.quota(tomorrow, 0).limit, 1000);
    }
}
