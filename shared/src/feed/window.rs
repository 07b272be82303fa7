//! What is in a file at a moment, in which order, and until when.

use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use super::definition::Order;

/// What of a definition decides whether an object is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The length of the period, in minutes.
    pub rolling_minutes: Option<u32>,
    /// Leaves out what is revoked or no longer valid.
    pub only_active: bool,
    /// The order of the rows.
    pub order: Order,
}

impl Window {
    /// Where the period that ends `now` begins; `None` when it holds everything.
    #[must_use]
    pub fn begins(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        now.checked_sub_signed(self.length()?)
    }

    fn length(&self) -> Option<TimeDelta> {
        self.rolling_minutes.map(|minutes| TimeDelta::minutes(i64::from(minutes)))
    }

    /// Whether what has this date, and is valid until that moment, is in the file at `now`.
    #[must_use]
    pub fn holds(&self, date: i64, until: Option<i64>, now: DateTime<Utc>) -> bool {
        let young = self.begins(now).is_none_or(|begin| date >= begin.timestamp_micros());
        let valid = !self.only_active || until.is_none_or(|until| until > now.timestamp_micros());
        young && valid
    }

    /// The first moment at which it is in the file no more, in microseconds since 1970.
    #[must_use]
    pub fn leaves(&self, date: i64, until: Option<i64>) -> Option<i64> {
        let aged = self.length().and_then(|length| length.num_microseconds());
        // At exactly the age of the window it is still in.
        let aged = aged.and_then(|length| date.checked_add(length)?.checked_add(1));
        let until = until.filter(|_| self.only_active);
        match (aged, until) {
            (Some(aged), Some(until)) => Some(aged.min(until)),
            (aged, until) => aged.or(until),
        }
    }

    /// Which of two objects, by date and id, stands first.
    #[must_use]
    pub fn compare(&self, one: (i64, &str), other: (i64, &str)) -> Ordering {
        let by_date = match self.order {
            Order::NewestFirst => other.0.cmp(&one.0),
            Order::OldestFirst => one.0.cmp(&other.0),
        };
        by_date.then_with(|| one.1.cmp(other.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_at_a_moment_is_in_until_just_before() {
        let window =
            Window { rolling_minutes: Some(60), only_active: true, order: Order::default() };
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let hour = 3_600_000_000;
        for (date, until) in [(0, None), (0, Some(hour / 2)), (hour, Some(3 * hour)), (-5, None)] {
            let leaves = window.leaves(date, until).unwrap();
            assert!(window.holds(date, until, at(leaves - 1)), "{date} {until:?}");
            assert!(!window.holds(date, until, at(leaves)), "{date} {until:?}");
        }
        let for_ever = Window { rolling_minutes: None, only_active: false, ..window };
        assert_eq!(for_ever.leaves(0, Some(1)), None);
        assert!(for_ever.holds(0, Some(1), at(hour)));
        assert_eq!(window.leaves(i64::MAX, None), None);
    }
}
